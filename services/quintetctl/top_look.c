/* What quintetctl top shows: the sessions that live, their memory, and their order. */
#include "top.h"

#include "base/num.h"

#include <errno.h>

enum { ROOM_FIRST = 64, PROC_MAX = 4096, PATH_SIZE = 64 };

/* -- memory -------------------------------------------------------------------------------------
 */

static int read_proc(pid_t pid, const char *name, struct buf *ret)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return service_read_file(path, ret);
}

/* "Pss:      123 kB" */
static int read_pss(pid_t pid, uint64_t *ret)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(PROC_MAX);
	struct span rest, line, number;
	int r = read_proc(pid, "smaps_rollup", &text);

	if (r < 0)
		return r;
	rest = buf_span(&text);
	while (span_split(&rest, '\n', &line)) {
		if (!span_starts(line, "Pss:"))
			continue;
		line = span_trim(span_of(line.p + 4, line.len - 4));
		if (!span_split(&line, ' ', &number) ||
			num_parse_u64(number, 0, UINT64_MAX >> 10, ret) < 0)
			return -EBADMSG;
		*ret <<= 10;
		return 0;
	}
	return -EBADMSG;
}

/* statm: size, resident and more, in pages. */
static uint64_t read_rss(pid_t pid)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(PROC_MAX);
	struct span rest, word = {NULL, 0};
	uint64_t pages = 0;

	if (read_proc(pid, "statm", &text) < 0)
		return 0;
	rest = buf_span(&text);
	for (int field = 0; field < 2; field++)
		(void)span_split(&rest, ' ', &word);
	if (num_parse_u64(word, 0, UINT32_MAX, &pages) < 0)
		return 0;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t top_memory(pid_t pid, bool *ret_shared_out)
{
	uint64_t bytes = 0;

	*ret_shared_out = read_pss(pid, &bytes) == 0;
	return *ret_shared_out ? bytes : read_rss(pid);
}

/* -- order --------------------------------------------------------------------------------------
 */

#define OF(p) ((const struct top_session *)(p))

static int by_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* What is equal stands in the order of coming. */
static int then_age(int order, const void *a, const void *b)
{
	return order != 0 ? order : by_number(OF(a)->row.id, OF(b)->row.id);
}

static int by_service(const void *a, const void *b)
{
	return then_age(strcmp(OF(a)->row.service, OF(b)->row.service), a, b);
}

static int by_account(const void *a, const void *b)
{
	return then_age(strcmp(OF(a)->row.account, OF(b)->row.account), a, b);
}

static int by_peer(const void *a, const void *b)
{
	return then_age(strcmp(OF(a)->row.peer, OF(b)->row.peer), a, b);
}

static int by_since(const void *a, const void *b)
{
	const int64_t x = OF(a)->row.since_us, y = OF(b)->row.since_us;

	return then_age((x > y) - (x < y), a, b);
}

static int by_in(const void *a, const void *b)
{
	return then_age(by_number(OF(b)->row.bytes_in, OF(a)->row.bytes_in), a, b);
}

static int by_out(const void *a, const void *b)
{
	return then_age(by_number(OF(b)->row.bytes_out, OF(a)->row.bytes_out), a, b);
}

static int by_memory(const void *a, const void *b)
{
	return then_age(by_number(OF(b)->memory, OF(a)->memory), a, b);
}

const struct top_order top_orders[] = {
	{"service", 's', by_service},
	{"account", 'a', by_account},
	{"peer", 'p', by_peer},
	{"since", 't', by_since},
	{"in", 'i', by_in},
	{"out", 'o', by_out},
	{"memory", 'm', by_memory},
	{.name = NULL},
};

const struct top_order *top_order_find(const char *name)
{
	for (const struct top_order *o = top_orders; o->name != NULL; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

/* -- looking ------------------------------------------------------------------------------------
 */

static int grow(struct top_sight *s)
{
	size_t room = s->room == 0 ? ROOM_FIRST : 2 * s->room;
	struct top_session *list;

	if (s->count < s->room)
		return 0;
	list = reallocarray(s->list, room, sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	s->list = list;
	s->room = room;
	return 0;
}

static int gather(void *arg, const struct session_row *row)
{
	struct top_sight *s = (struct top_sight *)arg;
	int r;

	if (!session_alive(row)) {
		s->dead++;
		return 0;
	}
	r = grow(s);
	if (r == 0)
		s->list[s->count++] = (struct top_session){.row = *row};
	return r;
}

int top_look(struct ctl *c, const struct top_order *order, struct top_sight *ret)
{
	struct top_sight s = {.list = NULL};
	int r = session_each(c->store, NULL, gather, &s);

	if (r < 0) {
		top_sight_done(&s);
		return r;
	}
	/* No view of the store is open while /proc is read. */
	for (size_t i = 0; i < s.count; i++)
		s.list[i].memory = top_memory((pid_t)s.list[i].row.pid, &s.list[i].shared_out);
	if (s.count > 0)
		qsort(s.list, s.count, sizeof(s.list[0]), order->compare);
	*ret = s;
	return 0;
}

void top_sight_done(struct top_sight *s)
{
	free(s->list);
	*s = (struct top_sight){.list = NULL};
}
