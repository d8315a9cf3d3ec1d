/* Shapes: what the store knows of ftpd's files. */
#include "store/file.h"
#include "store/shape_i.h"

static const struct shape_field row_fields[] = {
	TEXT(struct file_row, owner),
	BOOL(struct file_row, folder),
	NUMBER(struct file_row, size),
	NUMBER(struct file_row, inode),
	NUMBER(struct file_row, mtime_ns),
	BOOL(struct file_row, has_digest),
	RAW(struct file_row, digest),
	NUMBER(struct file_row, stored_us),
};
static const struct shape row = SHAPE(row, struct file_row);

static const struct shape_field put_fields[] = {
	SPAN(struct file_put_args, path, FILE_PATH_MAX),
	STRUCT(struct file_put_args, row, row),
	NUMBER(struct file_put_args, reservation),
};
static const struct shape put = SHAPE(put, struct file_put_args);

static const struct shape_field path_fields[] = {
	{.name = "path", .kind = SHAPE_SPAN, .size = sizeof(struct span), .max = FILE_PATH_MAX},
};
static const struct shape path = SHAPE(path, struct span);

static const struct shape_field remove_fields[] = {
	ARRAY(struct file_remove_args, paths, count, path),
	BOOL(struct file_remove_args, below),
	NUMBER(struct file_remove_args, stored_before_us),
};
static const struct shape remove_files = SHAPE(remove, struct file_remove_args);

static const struct shape_field rename_fields[] = {
	SPAN(struct file_rename_args, from, FILE_PATH_MAX),
	SPAN(struct file_rename_args, to, FILE_PATH_MAX),
};
static const struct shape rename_file = SHAPE(rename, struct file_rename_args);

static const struct shape_field note_fields[] = {
	SPAN(struct file_note_args, path, FILE_PATH_MAX),
	STRUCT(struct file_note_args, row, row),
};
static const struct shape note = SHAPE(note, struct file_note_args);

static const struct shape_field partial_fields[] = {
	TEXT(struct file_partial, account),
	TEXT(struct file_partial, temp),
	NUMBER(struct file_partial, size),
	NUMBER(struct file_partial, expires_us),
};
static const struct shape partial = SHAPE(partial, struct file_partial);

static const struct shape_field kept_fields[] = {
	SPAN(struct partial_args, path, FILE_PATH_MAX),
	STRUCT(struct partial_args, partial, partial),
	NOW(struct partial_args, now_us),
	NUMBER(struct partial_args, reservation),
};
static const struct shape kept = SHAPE(kept, struct partial_args);

/* The same without a need to say the time. */
static const struct shape_field dropped_fields[] = {
	SPAN(struct partial_args, path, FILE_PATH_MAX),
	STRUCT(struct partial_args, partial, partial),
	NUMBER(struct partial_args, now_us),
	NUMBER(struct partial_args, reservation),
};
static const struct shape dropped = SHAPE(dropped, struct partial_args);

static const struct shape_field reserve_fields[] = {
	TEXT(struct file_reserve_args, account),
	NUMBER(struct file_reserve_args, id),
	NUMBER(struct file_reserve_args, bytes),
	NUMBER(struct file_reserve_args, replaces),
	NUMBER(struct file_reserve_args, pid),
	NUMBER(struct file_reserve_args, start_ticks),
};
static const struct shape reserve = SHAPE(reserve, struct file_reserve_args);

static const struct shape_row rows[] = {
	{STORE_OP_FILE_PUT, &put},
	{STORE_OP_FILE_REMOVE, &remove_files},
	{STORE_OP_FILE_RENAME, &rename_file},
	{STORE_OP_FILE_NOTE, &note},
	{STORE_OP_FILE_RESERVE, &reserve},
	{STORE_OP_PARTIAL_PUT, &kept},
	{STORE_OP_PARTIAL_REMOVE, &dropped},
};

const struct shape_rows shape_rows_file = {rows, sizeof(rows) / sizeof(rows[0])};
