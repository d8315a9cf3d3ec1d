/* Which operation has which shape: the areas' tables as one. */
#include "store/shape_i.h"

static const struct shape_rows *const areas[] = {
	&shape_rows_base,
	&shape_rows_cert,
	&shape_rows_file,
	&shape_rows_chat,
	&shape_rows_mail,
};

static const struct shape *in_rows(const struct shape_rows *rows, enum store_op op)
{
	for (size_t i = 0; i < rows->count; i++)
		if (rows->rows[i].op == op)
			return rows->rows[i].shape;
	return NULL;
}

const struct shape *shape_find(enum store_op op)
{
	const struct shape *s = NULL;

	for (size_t i = 0; s == NULL && i < sizeof(areas) / sizeof(areas[0]); i++)
		s = in_rows(areas[i], op);
	return s;
}
