/* quintet chat's session against a server that the test plays, line by line. */
#include "client/chat/talk.h"

#include "base/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#define CAPS                                                                              \
	"server-time message-tags batch labeled-response echo-message draft/chathistory " \
	"draft/event-playback draft/read-marker draft/message-redaction "                 \
	"draft/multiline=max-bytes=4096,max-lines=10 account-tag multi-prefix quintet/calls"

struct scene {
	struct talk talk;
	struct client client;
	int fd; /* the server's end */
	struct buf in; /* of it, not yet read */
	struct buf seen; /* what the view was told, a line each */
	struct buf dcc;
};

/* -- the view ---------------------------------------------------------------------------------- */

static void on_item(void *arg, struct window *w, const struct item *i)
{
	struct scene *s = arg;

	buf_addf(&s->seen, "%s %s %s%s%s\n", w->name, item_kind_name(i->kind), i->from,
		i->from[0] != '\0' ? ": " : "", i->text);
}

static void on_page(void *arg, const char *target, enum fill_kind kind, struct item *const *items,
	size_t count, const char *error)
{
	struct scene *s = arg;

	for (size_t i = 0; i < count; i++)
		buf_addf(&s->seen, "%s old %s: %s\n", target, items[i]->from, items[i]->text);
	if (kind == FILL_AFTER || error != NULL)
		buf_addf(&s->seen, "%s filled %s\n", target, error != NULL ? error : "");
}

static void on_ready(void *arg)
{
	buf_add_str(&((struct scene *)arg)->seen, "ready\n");
}

static void on_lost(void *arg, const char *why, unsigned in_s)
{
	(void)in_s;
	buf_addf(&((struct scene *)arg)->seen, "lost: %s\n", why);
}

static void on_redacted(void *arg, struct window *w, const struct item *i)
{
	buf_addf(&((struct scene *)arg)->seen, "%s taken back %s\n", w->name, i->msgid);
}

static void on_fate(void *arg, uint64_t cookie, enum talk_fate fate, const char *why)
{
	static const char *const names[] = {"sent", "refused", "unknown"};

	buf_addf(&((struct scene *)arg)->seen, "fate %d %s %s\n", (int)cookie, names[fate], why);
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
	struct scene *s = ((struct talk *)calls)->view_arg;

	buf_addf(&s->dcc, "%.*s/%.*s %.*s %s%02x\n", (int)r->nick.len, (const char *)r->nick.p,
		(int)r->account.len, (const char *)(r->account.len > 0 ? r->account.p : r->nick.p),
		(int)r->rest.len, (const char *)r->rest.p, r->has_key ? "key " : "",
		r->spki_sha256[31]);
}

static const struct talk_calls calls = {
	.begin = calls_begin, .end = calls_end, .request = calls_request};

/* -- the server -------------------------------------------------------------------------------- */

static void connect_again(struct scene *s)
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

static void say(struct scene *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct scene *s, const char *format, ...)
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

static void receive(struct scene *s)
{
	char bytes[16384];
	ssize_t n;

	net_step(&s->talk);
	while ((n = read(s->fd, bytes, sizeof bytes)) > 0)
		buf_add(&s->in, span_of(bytes, (size_t)n));
}

/* The client's next line that holds the text; those before it are dropped. */
static const char *hear(struct scene *s, const char *text)
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

static void hear_not(struct scene *s, const char *text)
{
	receive(s);
	if (s->in.len > 0 && strstr(buf_str(&s->in), text) != NULL)
		fail_msg("the client said \"%s\"", text);
}

static void shows(struct scene *s, const char *text)
{
	if (s->talk.conn != NULL)
		net_step(&s->talk);
	assert_string_equal(buf_str(&s->seen), text);
	buf_reset(&s->seen);
}

/* The value of "label=" in a line. */
static const char *label_of(const char *line)
{
	static char label[64];
	const char *at = strstr(line, "label=");

	assert_non_null(at);
	snprintf(label, sizeof label, "%.*s", (int)strcspn(at + 6, "; "), at + 6);
	return label;
}

static void tag_of(const char *line, const char *tag, char ret[64])
{
	const char *at = strstr(line, tag);

	assert_non_null(at);
	at += strlen(tag);
	snprintf(ret, 64, "%.*s", (int)strcspn(at, "; "), at);
}

static void register_it(struct scene *s)
{
	(void)hear(s, "CAP LS 302");
	(void)hear(s, "NICK ann");
	(void)hear(s, "USER ann");
	say(s, ":srv CAP * LS * :" CAPS);
	say(s, ":srv CAP * LS :away-notify unknown-one");
	(void)hear(s, "CAP REQ :");
	say(s,
		":srv CAP * ACK :server-time message-tags batch labeled-response echo-message "
		"draft/chathistory draft/event-playback draft/read-marker "
		"draft/message-redaction draft/multiline account-tag multi-prefix quintet/calls");
	(void)hear(s, "CAP END");
	say(s, "@time=2026-11-21T10:00:00.000Z :srv 001 ann :Welcome");
	say(s, ":srv 005 ann CHATHISTORY=100 PREFIX=(ohv)@%%+ STATUSMSG=@%%+ :are supported");
}

static void become_ready(struct scene *s)
{
	char token[64];

	say(s, ":srv 422 ann :no motd");
	tag_of(hear(s, "PING :ready-"), "PING :", token);
	say(s, ":srv PONG srv :%s", token);
	shows(s, "ready\n");
}

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof *s);
	const struct talk_options o = {.nick = "ann", .retries = UINT_MAX, .calls = &calls};

	if (s == NULL)
		return -1;
	s->fd = -1;
	s->client = (struct client){.timeout_s = 10, .signal_fd = -1};
	s->in = s->seen = s->dcc = BUF_INIT(1 << 20);
	assert_int_equal(talk_begin(&s->talk, &s->client, NULL, &o, &view, s), 0);
	assert_int_equal(calls.begin(&s->talk, &s->talk.calls_state), 0);
	connect_again(s);
	register_it(s);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	talk_done(&s->talk);
	cleanup_close(&s->fd);
	buf_done(&s->in);
	buf_done(&s->seen);
	buf_done(&s->dcc);
	free(s);
	return 0;
}

static void join_dev(struct scene *s)
{
	say(s, "@time=2026-11-21T10:00:01.000Z :ann!a@h JOIN #dev ann :Ann");
	say(s, ":srv 353 ann = #dev :@ann +bob carl");
	say(s, ":srv 366 ann #dev :End");
}

/* -- tests ------------------------------------------------------------------------------------- */

static void comes_in_and_hears(void **state)
{
	struct scene *s = *state;
	const struct window *w;

	join_dev(s);
	become_ready(s);
	w = windows_find(&s->talk.model, SPAN_LIT("#DEV"));
	assert_non_null(w);
	assert_int_equal(w->members.count, 3);
	assert_string_equal(members_find(&w->members, SPAN_LIT("bob"))->prefix, "+");
	say(s, "@time=2026-11-21T10:00:02.000Z;msgid=5-0001;account=bob :bob!b@h PRIVMSG #dev :hi");
	say(s, "@msgid=6-0001 :bob!b@h PRIVMSG @#dev :to ops");
	say(s, "@msgid=7-0001 :bob!b@h PRIVMSG ann :\001ACTION waves\001");
	say(s, "@msgid=8-0001 :bob!b@h NICK robert");
	say(s, "@msgid=9-0001 :robert!b@h QUIT :bye");
	say(s, "PING :x y");
	(void)hear(s, "PONG :x y");
	shows(s,
		"#dev message bob: hi\n"
		"#dev message bob: to ops\n"
		"bob action bob: waves\n"
		"#dev nick bob: \n"
		"bob nick bob: \n"
		"#dev quit robert: bye\n"
		"robert quit robert: bye\n");
	assert_int_equal(w->members.count, 2);
	assert_int_equal(w->unread, 2);
	say(s, ":srv MARKREAD #dev timestamp=2026-11-21T10:00:02.000Z");
	assert_int_equal(w->unread, 1);
}

static void own_messages_appear_by_their_echo(void **state)
{
	struct scene *s = *state;
	const char *line, *label;
	char id[64];

	join_dev(s);
	become_ready(s);
	assert_int_equal(talk_say(&s->talk, "#dev", SPAN_LIT("hello"), 0, 1), 0);
	line = hear(s, "PRIVMSG #dev :hello");
	tag_of(line, "+quintet/id=", id);
	label = label_of(line);
	shows(s, "");
	say(s, "@label=%s;msgid=7-0001;+quintet/id=%s :ann!a@h PRIVMSG #dev :hello", label, id);
	shows(s, "#dev message ann: hello\nfate 1 sent \n");
	/* A refusal shows what was not sent, and why. */
	assert_int_equal(talk_say(&s->talk, "#other", SPAN_LIT("psst"), 0, 2), 0);
	label = label_of(hear(s, "PRIVMSG #other :psst"));
	say(s, "@label=%s :srv 404 ann #other :Cannot send", label);
	shows(s, "#other error not sent (Cannot send): psst\nfate 2 refused Cannot send\n");
	assert_int_equal(s->talk.outgoing_count, 0);
	assert_int_equal(talk_say(&s->talk, "no one", SPAN_LIT("x"), 0, 3), -EINVAL);
	assert_int_equal(talk_say(&s->talk, "#dev", SPAN_LIT("\n"), 0, 3), -ENODATA);
}

static void long_messages_go_in_pieces(void **state)
{
	struct scene *s = *state;
	char text[1200], ref[64];
	const char *line;

	join_dev(s);
	become_ready(s);
	memset(text, 'x', sizeof text);
	text[600] = '\n';
	text[sizeof text - 1] = '\0';
	assert_int_equal(talk_say(&s->talk, "#dev", span_str(text), 0, 1), 0);
	line = hear(s, "BATCH +");
	tag_of(line, "BATCH +", ref);
	assert_non_null(strstr(line, "draft/multiline #dev"));
	assert_null(strstr(hear(s, "PRIVMSG #dev :xxx"), "concat"));
	assert_non_null(strstr(hear(s, "PRIVMSG #dev :xxx"), "draft/multiline-concat"));
	assert_null(strstr(hear(s, "PRIVMSG #dev :xxx"), "concat"));
	assert_non_null(strstr(hear(s, "PRIVMSG #dev :xxx"), "draft/multiline-concat"));
	assert_non_null(strstr(hear(s, "BATCH -"), ref));
	/* Heard as one. */
	say(s, "@msgid=8-0001 :bob!b@h BATCH +q draft/multiline #dev");
	say(s, "@batch=q :bob!b@h PRIVMSG #dev :one");
	say(s, "@batch=q :bob!b@h PRIVMSG #dev :two ");
	say(s, "@batch=q;draft/multiline-concat :bob!b@h PRIVMSG #dev :still two");
	say(s, ":bob!b@h BATCH -q");
	shows(s, "#dev message bob: one\ntwo still two\n");
}

/* Answers the request with a page: lines of "SEQ from text". */
static void page(struct scene *s, const char *label, const char *target, const char *const *rows)
{
	say(s, "@label=%s :srv BATCH +h chathistory %s", label, target);
	for (; *rows != NULL; rows++) {
		unsigned seq = 0;
		char from[32], text[200];

		assert_int_equal(sscanf(*rows, "%u %31s %199[^\n]", &seq, from, text), 3);
		say(s,
			"@batch=h;time=2026-11-21T10:00:%02u.000Z;msgid=%u-0001%s :%s!u@h PRIVMSG "
			"%s :%s",
			seq, seq, strncmp(from, "ann", 3) == 0 ? ";account=ann" : "", from, target,
			text);
	}
	say(s, ":srv BATCH -h");
}

static void lose_it(struct scene *s)
{
	cleanup_close(&s->fd);
	net_step(&s->talk);
	assert_int_equal(s->talk.state, TALK_OFF);
}

static void gaps_are_filled_without_repeats(void **state)
{
	struct scene *s = *state;
	const char *line;

	join_dev(s);
	become_ready(s);
	say(s, "@time=2026-11-21T10:00:05.000Z;msgid=5-0001 :bob!b@h PRIVMSG #dev :five");
	shows(s, "#dev message bob: five\n");
	lose_it(s);
	shows(s, "lost: the connection was cut\n");
	connect_again(s);
	register_it(s);
	join_dev(s);
	become_ready(s);
	line = hear(s, "CHATHISTORY AFTER #dev msgid=5-0001 100");
	/* Comes live while history is on its way: not before what was missed, and once. */
	say(s, "@time=2026-11-21T10:00:09.000Z;msgid=9-0001 :bob!b@h PRIVMSG #dev :nine");
	shows(s, "");
	page(s, label_of(line), "#dev", (const char *const[]){"6 bob six", "7 bob seven", NULL});
	shows(s, "#dev message bob: six\n#dev message bob: seven\n");
	line = hear(s, "CHATHISTORY AFTER #dev msgid=7-0001 100");
	say(s, "@time=2026-11-21T10:00:10.000Z;msgid=10-0001 :bob!b@h PRIVMSG #dev :ten");
	page(s, label_of(line), "#dev", (const char *const[]){"8 bob eight", "9 bob nine", NULL});
	shows(s, "#dev message bob: eight\n#dev message bob: nine\n");
	line = hear(s, "CHATHISTORY AFTER #dev msgid=9-0001 100");
	page(s, label_of(line), "#dev", (const char *const[]){NULL});
	shows(s, "#dev message bob: ten\n#dev filled \n");
	say(s, "@time=2026-11-21T10:00:11.000Z;msgid=11-0001 :bob!b@h PRIVMSG #dev :eleven");
	shows(s, "#dev message bob: eleven\n");
	hear_not(s, "CHATHISTORY");
}

static void what_got_there_is_not_sent_again(void **state)
{
	struct scene *s = *state;
	const char *line, *label;
	char first[64], second[64];

	join_dev(s);
	become_ready(s);
	assert_int_equal(talk_say(&s->talk, "#dev", SPAN_LIT("first"), 0, 1), 0);
	assert_int_equal(talk_say(&s->talk, "#dev", SPAN_LIT("second"), 0, 2), 0);
	tag_of(hear(s, "PRIVMSG #dev :first"), "+quintet/id=", first);
	tag_of(hear(s, "PRIVMSG #dev :second"), "+quintet/id=", second);
	lose_it(s);
	assert_int_equal(talk_say(&s->talk, "#dev", SPAN_LIT("third"), 0, 3), 0);
	shows(s, "lost: the connection was cut\n");
	connect_again(s);
	register_it(s);
	join_dev(s);
	become_ready(s);
	line = hear(s, "CHATHISTORY AFTER #dev timestamp=2026-11-21T10:00:01.000Z");
	hear_not(s, "PRIVMSG");
	label = label_of(line);
	say(s, "@label=%s :srv BATCH +h chathistory #dev", label);
	/* Somebody who copies an id proves nothing. */
	say(s, "@batch=h;msgid=5-0001;+quintet/id=%s :bob!b@h PRIVMSG #dev :copied", second);
	say(s, "@batch=h;msgid=6-0001;+quintet/id=%s :ann!b@h PRIVMSG #dev :first", first);
	say(s, ":srv BATCH -h");
	label = label_of(hear(s, "CHATHISTORY AFTER #dev msgid=6-0001"));
	page(s, label, "#dev", (const char *const[]){NULL});
	shows(s, "fate 1 sent \n#dev message bob: copied\n#dev message ann: first\n#dev filled \n");
	line = hear(s, "PRIVMSG #dev :second");
	assert_non_null(strstr(line, second));
	(void)hear(s, "PRIVMSG #dev :third");
	hear_not(s, "first");
}

static void what_history_does_not_tell_is_said(void **state)
{
	struct scene *s = *state;
	const char *label;

	join_dev(s);
	become_ready(s);
	assert_int_equal(talk_say(&s->talk, "#dev", SPAN_LIT("lost?"), 0, 1), 0);
	(void)hear(s, "lost?");
	lose_it(s);
	buf_reset(&s->seen);
	connect_again(s);
	register_it(s);
	join_dev(s);
	become_ready(s);
	label = label_of(hear(s, "CHATHISTORY AFTER #dev"));
	say(s, "@label=%s :srv FAIL CHATHISTORY INVALID_TARGET AFTER #dev :not for you", label);
	shows(s,
		"#dev filled not for you\n"
		"#dev error perhaps not sent (the line was lost, and history does not tell): "
		"lost?\n"
		"fate 1 unknown the line was lost, and history does not tell\n");
	hear_not(s, "lost?");
}

static void older_comes_on_demand(void **state)
{
	struct scene *s = *state;
	struct window *w;
	const char *label;

	join_dev(s);
	become_ready(s);
	say(s, "@time=2026-11-21T10:00:30.000Z;msgid=30-0001 :bob!b@h PRIVMSG #dev :new");
	shows(s, "#dev message bob: new\n");
	w = windows_find(&s->talk.model, SPAN_LIT("#dev"));
	assert_int_equal(fill_older(&s->talk, w, 2), 0);
	label = label_of(hear(s, "CHATHISTORY BEFORE #dev msgid=30-0001 2"));
	page(s, label, "#dev", (const char *const[]){"10 bob a", "11 ann b", NULL});
	shows(s, "#dev old bob: a\n#dev old ann: b\n");
	assert_int_equal(w->count, 3);
	assert_int_equal(w->items[0]->seq, 10);
	assert_int_equal(fill_older(&s->talk, w, 2), 0);
	label = label_of(hear(s, "CHATHISTORY BEFORE #dev msgid=10-0001 2"));
	page(s, label, "#dev", (const char *const[]){NULL});
	assert_int_equal(fill_older(&s->talk, w, 2), -ENODATA);
}

static void messages_are_taken_back(void **state)
{
	struct scene *s = *state;

	join_dev(s);
	become_ready(s);
	say(s, "@msgid=5-0001 :bob!b@h PRIVMSG #dev :oops");
	say(s, ":bob!b@h REDACT #dev 5-0001 :sorry");
	say(s, ":bob!b@h REDACT #dev 6-0001");
	shows(s, "#dev message bob: oops\n#dev taken back 5-0001\n");
	assert_string_equal(windows_find(&s->talk.model, SPAN_LIT("#dev"))->items[0]->text, "");
}

static void requests_of_calls_are_passed_on(void **state)
{
	struct scene *s = *state;
	char key[65] = "";

	for (size_t i = 0; i < 32; i++)
		snprintf(key + 2 * i, 3, "%02x", (unsigned)i);
	join_dev(s);
	become_ready(s);
	say(s, "@account=bob;quintet/key=%s :bob!b@h PRIVMSG ann :\001DCC SCHAT chat x 0 1\001",
		key);
	say(s, "@account=bob;quintet/key=zz :bob!b@h PRIVMSG ann :\001DCC SCHAT two\001");
	/* Neither by a channel, nor one's own echo, nor out of history. */
	say(s, "@account=bob :bob!b@h PRIVMSG #dev :\001DCC SCHAT three\001");
	say(s, ":ann!a@h PRIVMSG ann :\001DCC SCHAT four\001");
	shows(s, "");
	assert_string_equal(
		buf_str(&s->dcc), "bob/bob SCHAT chat x 0 1 key 1f\nbob/bob SCHAT two 00\n");
}

static void errors_end_or_retry(void **state)
{
	struct scene *s = *state;

	become_ready(s);
	say(s, "ERROR :you lag\x1b[2J too much");
	shows(s, "lost: the server says: you lag^[[2J too much\n");
	assert_int_equal(s->talk.state, TALK_OFF);
	connect_again(s);
	(void)hear(s, "CAP LS");
	say(s, ":srv CAP * LS :sasl");
	(void)hear(s, "CAP REQ :sasl");
	say(s, ":srv CAP * NAK :sasl");
	(void)hear(s, "CAP END");
	say(s, ":srv 433 * ann :taken");
	(void)hear(s, "NICK ann1");
	say(s, ":srv FAIL * ACCOUNT_REQUIRED :log in first");
	assert_int_equal(s->talk.state, TALK_OVER);
	assert_int_equal(s->talk.code, CLIENT_NO);
	assert_string_equal(s->talk.reason, "the server: log in first");
}

static void groups_of_batches_are_bounded(void **state)
{
	struct scene *s = *state;

	join_dev(s);
	become_ready(s);
	for (int i = 0; i < 100; i++)
		say(s, ":srv BATCH +b%d draft/multiline #dev", i);
	say(s, "@batch=b99 :bob!b@h PRIVMSG #dev :still heard");
	say(s, "@batch=b3 :bob!b@h PRIVMSG #dev :held");
	for (int i = 0; i < 100; i++)
		say(s, ":srv BATCH -b%d", i);
	shows(s, "#dev message bob: still heard\n#dev message srv: held\n");
	/* A batch inside itself, and what is no IRC at all. */
	say(s, "@batch=c :srv BATCH +c chathistory #dev");
	say(s, "@batch=c :srv BATCH +d chathistory #dev");
	say(s, "@batch=d;msgid=3-0001 :bob!b@h PRIVMSG #dev :not asked for");
	say(s, "\x01\x02 @@@ :::");
	say(s, "@;;;=;= : ");
	shows(s, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_in_and_hears, setup, teardown),
		cmocka_unit_test_setup_teardown(own_messages_appear_by_their_echo, setup, teardown),
		cmocka_unit_test_setup_teardown(long_messages_go_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(gaps_are_filled_without_repeats, setup, teardown),
		cmocka_unit_test_setup_teardown(what_got_there_is_not_sent_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_history_does_not_tell_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(older_comes_on_demand, setup, teardown),
		cmocka_unit_test_setup_teardown(messages_are_taken_back, setup, teardown),
		cmocka_unit_test_setup_teardown(requests_of_calls_are_passed_on, setup, teardown),
		cmocka_unit_test_setup_teardown(errors_end_or_retry, setup, teardown),
		cmocka_unit_test_setup_teardown(groups_of_batches_are_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
