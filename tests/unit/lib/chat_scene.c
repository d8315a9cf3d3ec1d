/* See chat_scene.h. */
#include "tests/unit/lib/chat_scene.h"

#include "base/cleanup.h"

#include <limits.h>
#include <sys/socket.h>

#define CAPS                                                                              \
	"server-time message-tags batch labeled-response echo-message draft/chathistory " \
	"draft/event-playback draft/read-marker draft/message-redaction "                 \
	"draft/multiline=max-bytes=4096,max-lines=10 account-tag multi-prefix quintet/calls"

/* -- the view ---------------------------------------------------------------------------------- */

static void on_item(void *arg, struct window *w, const struct item *i)
{
	struct chat_scene *s = arg;

	buf_addf(&s->seen, "%s %s %s%s%s\n", w->name, item_kind_name(i->kind), i->from,
		i->from[0] != '\0' ? ": " : "", i->text);
}

static void on_page(void *arg, const char *target, enum fill_kind kind, struct item *const *items,
	size_t count, const char *error)
{
	struct chat_scene *s = arg;

	for (size_t i = 0; i < count; i++)
		buf_addf(&s->seen, "%s old %s: %s\n", target, items[i]->from, items[i]->text);
	if (kind == FILL_AFTER || error != NULL)
		buf_addf(&s->seen, "%s filled %s\n", target, error != NULL ? error : "");
}

static void on_ready(void *arg)
{
	buf_add_str(&((struct chat_scene *)arg)->seen, "ready\n");
}

static void on_lost(void *arg, const char *why, unsigned in_s)
{
	(void)in_s;
	buf_addf(&((struct chat_scene *)arg)->seen, "lost: %s\n", why);
}

static void on_redacted(void *arg, struct window *w, const struct item *i)
{
	buf_addf(&((struct chat_scene *)arg)->seen, "%s taken back %s\n", w->name, i->msgid);
}

static void on_fate(void *arg, uint64_t cookie, enum talk_fate fate, const char *why)
{
	static const char *const names[] = {"sent", "refused", "unknown"};

	buf_addf(&((struct chat_scene *)arg)->seen, "fate %d %s %s\n", (int)cookie, names[fate],
		why);
}

static const struct talk_view view = {.ready = on_ready,
	.lost = on_lost,
	.item = on_item,
	.page = on_page,
	.redacted = on_redacted,
	.fate = on_fate};

/* -- calls ------------------------------------------------------------------------------------- */

static int calls_begin(struct talk *t, void **ret)
{
	*ret = t;
	return 0;
}

static void calls_end(void *calls)
{
	(void)calls;
}

static void calls_request(void *calls, const struct talk_request *r)
{
	struct chat_scene *s = ((struct talk *)calls)->view_arg;

	buf_addf(&s->dcc, "%.*s/%.*s %.*s %s%02x\n", (int)r->nick.len, (const char *)r->nick.p,
		(int)r->account.len, (const char *)(r->account.len > 0 ? r->account.p : r->nick.p),
		(int)r->rest.len, (const char *)r->rest.p, r->has_key ? "key " : "",
		r->spki_sha256[31]);
}

static const struct talk_calls calls = {
	.begin = calls_begin, .end = calls_end, .request = calls_request};

/* -- the server -------------------------------------------------------------------------------- */

void chat_connects(struct chat_scene *s)
{
	struct conn *conn = NULL;
	int fds[2];

	cleanup_close(&s->fd);
	buf_reset(&s->in);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(conn_new(fds[0], &conn), 0);
	s->fd = fds[1];
	talk_attach(&s->talk, conn);
	net_step(&s->talk);
}

void chat_says(struct chat_scene *s, const char *format, ...)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(32768);
	char line[16384];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	buf_addf(&b, "%s\r\n", line);
	assert_int_equal(write(s->fd, b.p, b.len), b.len);
	net_step(&s->talk);
}

static void receive(struct chat_scene *s)
{
	char bytes[16384];
	ssize_t n;

	net_step(&s->talk);
	while ((n = read(s->fd, bytes, sizeof bytes)) > 0)
		buf_add(&s->in, span_of(bytes, (size_t)n));
}

/* The client's next line that holds the text; those before it are dropped. */
const char *chat_hears(struct chat_scene *s, const char *text)
{
	static char line[8192];
	struct span rest, one;

	receive(s);
	for (;;) {
		rest = buf_span(&s->in);
		if (!span_split(&rest, '\n', &one))
			break;
		snprintf(line, sizeof line, "%.*s", (int)one.len - 1, (const char *)one.p);
		buf_consume(&s->in, one.len + 1);
		if (strstr(line, text) != NULL)
			return line;
	}
	fail_msg("the client did not say \"%s\"; it showed:\n%s", text, buf_str(&s->seen));
	return "";
}

void chat_hears_not(struct chat_scene *s, const char *text)
{
	receive(s);
	if (s->in.len > 0 && strstr(buf_str(&s->in), text) != NULL)
		fail_msg("the client said \"%s\"", text);
}

void chat_shows(struct chat_scene *s, const char *text)
{
	if (s->talk.conn != NULL)
		net_step(&s->talk);
	assert_string_equal(buf_str(&s->seen), text);
	buf_reset(&s->seen);
}

/* The value of "label=" in a line. */
const char *chat_label(const char *line)
{
	static char label[64];
	const char *at = strstr(line, "label=");

	assert_non_null(at);
	snprintf(label, sizeof label, "%.*s", (int)strcspn(at + 6, "; "), at + 6);
	return label;
}

void chat_tag(const char *line, const char *tag, char ret[64])
{
	const char *at = strstr(line, tag);

	assert_non_null(at);
	at += strlen(tag);
	snprintf(ret, 64, "%.*s", (int)strcspn(at, "; "), at);
}

void chat_registers(struct chat_scene *s)
{
	(void)chat_hears(s, "CAP LS 302");
	(void)chat_hears(s, "NICK ann");
	(void)chat_hears(s, "USER ann");
	chat_says(s, ":srv CAP * LS * :" CAPS);
	chat_says(s, ":srv CAP * LS :away-notify unknown-one");
	(void)chat_hears(s, "CAP REQ :");
	chat_says(s,
		":srv CAP * ACK :server-time message-tags batch labeled-response echo-message "
		"draft/chathistory draft/event-playback draft/read-marker "
		"draft/message-redaction draft/multiline account-tag multi-prefix quintet/calls");
	(void)chat_hears(s, "CAP END");
	chat_says(s, "@time=2026-11-21T10:00:00.000Z :srv 001 ann :Welcome");
	chat_says(s, ":srv 005 ann CHATHISTORY=100 PREFIX=(ohv)@%%+ STATUSMSG=@%%+ :are supported");
}

void chat_is_ready(struct chat_scene *s)
{
	char token[64];

	chat_says(s, ":srv 422 ann :no motd");
	chat_tag(chat_hears(s, "PING :ready-"), "PING :", token);
	chat_says(s, ":srv PONG srv :%s", token);
	chat_shows(s, "ready\n");
}

static int setup_with(void **state, const struct talk_options *o)
{
	struct chat_scene *s = calloc(1, sizeof *s);

	if (s == NULL)
		return -1;
	s->fd = -1;
	s->client = (struct client){.timeout_s = 10, .signal_fd = -1};
	s->in = s->seen = s->dcc = BUF_INIT(1 << 20);
	assert_int_equal(talk_begin(&s->talk, &s->client, NULL, o, &view, s), 0);
	assert_int_equal(calls.begin(&s->talk, &s->talk.calls_state), 0);
	chat_connects(s);
	chat_registers(s);
	*state = s;
	return 0;
}

int chat_scene_setup(void **state)
{
	return setup_with(
		state, &(struct talk_options){.nick = "ann", .retries = UINT_MAX, .calls = &calls});
}

/* As a person has it. */
int chat_scene_setup_person(void **state)
{
	return setup_with(state,
		&(struct talk_options){.nick = "ann",
			.retries = UINT_MAX,
			.calls = &calls,
			.people = true,
			.scrollback = 20});
}

int chat_scene_teardown(void **state)
{
	struct chat_scene *s = *state;

	talk_done(&s->talk);
	cleanup_close(&s->fd);
	buf_done(&s->in);
	buf_done(&s->seen);
	buf_done(&s->dcc);
	free(s);
	return 0;
}

void chat_joins(struct chat_scene *s)
{
	chat_says(s, "@time=2026-11-21T10:00:01.000Z :ann!a@h JOIN #dev ann :Ann");
	chat_says(s, ":srv 353 ann = #dev :@ann +bob carl");
	chat_says(s, ":srv 366 ann #dev :End");
}

/* Answers the request with a page: lines of "SEQ from text". */
void chat_page(struct chat_scene *s, const char *label, const char *target, const char *const *rows)
{
	chat_says(s, "@label=%s :srv BATCH +h chathistory %s", label, target);
	for (; *rows != NULL; rows++) {
		unsigned seq = 0;
		char from[32], text[200];

		assert_int_equal(sscanf(*rows, "%u %31s %199[^\n]", &seq, from, text), 3);
		chat_says(s,
			"@batch=h;time=2026-11-21T10:00:%02u.000Z;msgid=%u-0001%s :%s!u@h PRIVMSG "
			"%s :%s",
			seq, seq, strncmp(from, "ann", 3) == 0 ? ";account=ann" : "", from, target,
			text);
	}
	chat_says(s, ":srv BATCH -h");
}

void chat_loses(struct chat_scene *s)
{
	cleanup_close(&s->fd);
	net_step(&s->talk);
	assert_int_equal(s->talk.state, TALK_OFF);
}
