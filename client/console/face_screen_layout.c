/* What goes where. The input is always there; the less room, the less stands around it. */
#include "client/console/face_screen.h"

enum {
	LIST_FROM_COLUMNS = 60,
	LIST_FROM_ROWS = 8,
	LIST_LEAST = 14,
	LIST_MOST = 26,
	PANE_FROM_ROWS = 12, /* with a heading and several transfers */
	PANE_MOST = 5,
	ONE_FROM_ROWS = 6, /* one transfer */
	NOTICE_MOST = 6,
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void transfers_fit(struct face_layout *l, size_t transfers)
{
	if (transfers == 0 || l->rows < ONE_FROM_ROWS)
		return;
	if (l->rows < PANE_FROM_ROWS) {
		l->transfer_rows = 1;
		return;
	}
	l->transfer_head = 1;
	l->transfer_rows = 1 + least(transfers, least(PANE_MOST, (l->rows - 6) / 3));
}

static void list_fit(struct face_layout *l)
{
	size_t wanted = l->columns / 5;

	if (l->columns < LIST_FROM_COLUMNS || l->rows < LIST_FROM_ROWS)
		return;
	l->list_columns = wanted < LIST_LEAST ? LIST_LEAST : least(wanted, LIST_MOST);
	l->body_column = l->list_columns + 1;
}

void face_layout_make(
	size_t rows, size_t columns, size_t transfers, size_t notices, struct face_layout *ret)
{
	struct face_layout l = {.rows = rows > 0 ? rows : 1, .columns = columns > 0 ? columns : 1};
	size_t left = l.rows - 1;

	l.status_rows = l.rows >= 3;
	l.title_rows = l.rows >= 4;
	transfers_fit(&l, transfers);
	left -= l.status_rows + l.title_rows + l.transfer_rows;
	/* What is asked comes before what was said. */
	l.notice_rows = least(least(notices, NOTICE_MOST), left > 1 ? left - 1 : left);
	l.body_rows = left - l.notice_rows;
	l.body_row = l.title_rows;
	l.transfer_row = l.body_row + l.body_rows;
	l.notice_row = l.transfer_row + l.transfer_rows;
	list_fit(&l);
	l.body_columns = l.columns - l.body_column;
	*ret = l;
}
