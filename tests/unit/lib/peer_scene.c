/* See peer_scene.h: the talk that is none, and its people. */
#include "tests/unit/lib/peer_scene.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "tests/unit/lib/peer_authority.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000, TEXT_MAX = 1 << 20 };

/* So that the real talk is not linked with the commands. */
const struct client_command client_commands[] = {{NULL, NULL, NULL, NULL}};

/* -- what client/chat has for real ------------------------------------------------------------- */

int talk_source_add(struct talk *t, struct talk_source *s)
{
	if (t->source_count == TALK_SOURCES_MAX)
		return -ENOSPC;
	t->sources[t->source_count++] = s;
	return 0;
}

void talk_source_remove(struct talk *t, struct talk_source *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->source_count; i++)
		if (t->sources[i] != s)
			t->sources[kept++] = t->sources[i];
	t->source_count = kept;
}

bool talk_is_ready(const struct talk *t)
{
	return t->sock >= 0;
}

int talk_line(struct talk *t, const char *format, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	assert_true(strlen(text) <= IRC_BODY_MAX && strpbrk(text, "\r\n") == NULL);
	buf_addf(&t->lines, "%s\n", text);
	return 0;
}

const char *talk_nick(const struct talk *t)
{
	return t->nick;
}

const struct profile *talk_profile(const struct talk *t)
{
	return &t->profile;
}

bool talk_has_calls(const struct talk *t)
{
	return t->sock >= 0;
}

int talk_socket(const struct talk *t)
{
	return t->sock;
}

void talk_note(struct talk *t, const char *window, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	buf_addf(&t->notes, "[%s] %s\n", window != NULL ? window : "", text);
}

int talk_call_open(struct talk *t, const char *window, bool focus)
{
	(void)focus;
	assert_true(*window == '=');
	(void)t;
	return 0;
}

void talk_call_said(struct talk *t, const char *window, const char *from, struct span text)
{
	buf_addf(&t->said, "[%s] <%s> ", window, from);
	buf_add(&t->said, text);
	buf_add_byte(&t->said, '\n');
}

/* Progress is told by notes here. */
bool talk_file(struct talk *t, const struct talk_file *f)
{
	(void)t;
	(void)f;
	return false;
}

int talk_ask(struct talk *t, const char *question, void (*answer)(void *arg, bool yes), void *arg)
{
	struct scene_ask *a = &t->asks[t->ask_count];

	if (t->ask_count == SCENE_ASKS)
		return -ENOSPC;
	*a = (struct scene_ask){.answer = answer, .arg = arg};
	snprintf(a->text, sizeof a->text, "%s", question);
	t->ask_count++;
	return 0;
}

void talk_unask(struct talk *t, const void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->ask_count; i++)
		if (t->asks[i].arg != arg)
			t->asks[kept++] = t->asks[i];
	t->ask_count = kept;
}

/* -- the server -------------------------------------------------------------------------------- */

static struct talk *person_of(struct scene *s, struct span nick)
{
	for (size_t i = 0; i < s->count; i++)
		if (irc_eq(span_str(s->people[i].nick), nick))
			return &s->people[i];
	return NULL;
}

void scene_request(struct talk *to, const char *nick, const char *account, const unsigned char *key,
	const char *rest)
{
	struct talk_request r = {.nick = span_str(nick),
		.account = span_str(account),
		.has_key = key != NULL,
		.rest = span_str(rest),
		.at_us = time_now_us()};

	if (key != NULL)
		memcpy(r.spki_sha256, key, sizeof r.spki_sha256);
	peer_calls.request(to->calls, &r);
}

/* "PRIVMSG NICK :\001DCC REST\001" */
static void deliver_line(struct scene *s, struct talk *from, struct span line)
{
	struct span verb, nick, rest = line;
	char text[600];
	struct talk *to;

	assert_true(span_split(&rest, ' ', &verb) && span_split(&rest, ' ', &nick));
	assert_true(span_starts(rest, ":\001DCC ") && rest.p[rest.len - 1] == '\001');
	rest = span_of(rest.p + 6, rest.len - 7);
	assert_int_equal(span_copy_str(rest, text, sizeof text), 0);
	to = person_of(s, nick);
	if (to == NULL)
		peer_calls.undelivered(from->calls, nick, SPAN_LIT("No such nick"));
	else if (!to->deaf)
		scene_request(
			to, from->nick, from->account, from->has_key ? from->key : NULL, text);
}

void scene_deliver(struct scene *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct talk *t = &s->people[i];
		_cleanup_(buf_done) struct buf lines = t->lines;
		struct span rest = buf_span(&lines), line;

		t->lines = BUF_INIT(TEXT_MAX);
		while (span_split(&rest, '\n', &line))
			deliver_line(s, t, line);
	}
}

/* -- rounds ------------------------------------------------------------------------------------ */

static bool is_there(const struct talk *t, const struct talk_source *s)
{
	for (size_t i = 0; i < t->source_count; i++)
		if (t->sources[i] == s)
			return true;
	return false;
}

static bool any_due(const struct scene *s)
{
	int64_t now_ms = time_monotonic_ms();

	for (size_t i = 0; i < s->count; i++)
		for (size_t j = 0; j < s->people[i].source_count; j++)
			if (s->people[i].sources[j]->until_ms <= now_ms)
				return true;
	return false;
}

void scene_round(struct scene *s, int ms)
{
	static struct pollfd fds[SCENE_PEOPLE * TALK_SOURCES_MAX];
	static struct talk_source *sources[SCENE_PEOPLE * TALK_SOURCES_MAX];
	static struct talk *owners[SCENE_PEOPLE * TALK_SOURCES_MAX];
	size_t n = 0;

	if (!s->held)
		scene_deliver(s);
	for (size_t i = 0; i < s->count; i++)
		for (size_t j = 0; j < s->people[i].source_count; j++) {
			sources[n] = s->people[i].sources[j];
			owners[n] = &s->people[i];
			fds[n] =
				(struct pollfd){.fd = sources[n]->fd, .events = sources[n]->events};
			n++;
		}
	assert_true(poll(fds, n, any_due(s) ? 0 : ms) >= 0);
	for (size_t i = 0; i < n; i++)
		if (is_there(owners[i], sources[i]) &&
			(fds[i].revents != 0 || time_monotonic_ms() >= sources[i]->until_ms))
			sources[i]->step(sources[i]->arg, fds[i].revents);
}

static bool has(const struct buf *b, const char *text)
{
	return strstr(buf_str(b), text) != NULL;
}

bool scene_told(const struct talk *t, const char *text)
{
	return has(&t->notes, text);
}

static void wait_for(struct scene *s, const struct talk *t, const struct buf *b, const char *text)
{
	int64_t end_ms = time_monotonic_ms() + PATIENCE_MS;

	while (!has(b, text)) {
		if (time_monotonic_ms() >= end_ms) {
			print_error("%s is not told \"%s\" but:\n%s", t->nick, text, buf_str(b));
			fail();
		}
		scene_round(s, 20);
	}
}

void scene_expect(struct scene *s, struct talk *t, const char *text)
{
	wait_for(s, t, &t->notes, text);
}

void scene_said(struct scene *s, struct talk *t, const char *text)
{
	wait_for(s, t, &t->said, text);
}

void scene_asked(struct scene *s, struct talk *t, const char *text)
{
	int64_t end_ms = time_monotonic_ms() + PATIENCE_MS;

	while (t->ask_count == 0) {
		assert_true(time_monotonic_ms() < end_ms);
		scene_round(s, 20);
	}
	if (strstr(t->asks[0].text, text) == NULL) {
		print_error("asked: %s\n", t->asks[0].text);
		fail();
	}
}

void scene_answer(struct scene *s, struct talk *t, bool yes)
{
	struct scene_ask a;

	scene_asked(s, t, "");
	a = t->asks[0];
	t->ask_count--;
	memmove(t->asks, t->asks + 1, t->ask_count * sizeof a);
	a.answer(a.arg, yes);
}

void scene_command(struct talk *t, const char *window, const char *name, const char *words)
{
	assert_true(peer_calls.command(t->calls, window, name, words));
}

uint16_t scene_port(const struct talk *t, char ret_token[DCC_TOKEN_SIZE])
{
	struct span all = buf_span(&t->lines), line = {0}, rest;
	struct dcc d;

	while (span_split(&all, '\n', &rest))
		line = rest;
	assert_true(line.len > 0);
	assert_true(span_split(&line, '\001', &rest) && line.len > 5);
	line = span_of(line.p + 4, line.len - 5);
	assert_int_equal(dcc_parse(line, &d), 0);
	if (ret_token != NULL)
		memcpy(ret_token, d.token, DCC_TOKEN_SIZE);
	return d.port;
}

void scene_call(struct scene *s, struct talk *from, struct talk *to)
{
	char text[64];

	scene_command(from, "", "call", to->nick);
	scene_answer(s, to, true);
	snprintf(text, sizeof text, "call with %s, who is %s", to->nick, to->account);
	scene_expect(s, from, text);
	snprintf(text, sizeof text, "call with %s, who is %s", from->nick, from->account);
	scene_expect(s, to, text);
}

/* -- people ------------------------------------------------------------------------------------ */

void scene_cert(const struct fixture_ca *ca, const char *cn, long from_s, long to_s,
	struct fixture_cert *ret)
{
	struct pki_template t;
	char email[96];

	fixture_key(ret);
	t = fixture_template(ca, PKI_USER, ret);
	snprintf(email, sizeof email, "%s@example.org", cn);
	t.cn = cn;
	t.email = email;
	t.not_before_us = ca->now_us + from_s * TIME_S_US;
	t.not_after_us = ca->now_us + to_s * TIME_S_US;
	fixture_issue(ca, &t, ret);
}

static int server_socket(const struct scene *s)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, len), 0);
	return fd;
}

static void profile_fill(struct talk *t, const struct fixture_cert *cert)
{
	struct scene *s = t->scene;

	t->profile = PROFILE_INIT;
	snprintf(t->profile.host, sizeof t->profile.host, "localhost");
	t->profile.ca_port = authority_port(s->authority);
	buf_add(&t->profile.root_pem, buf_span(&s->ca.root.pem));
	buf_add(&t->profile.chain_pem, buf_span(&s->ca.issuing.pem));
	buf_add(&t->profile.cert_pem, buf_span(&cert->pem));
	assert_int_equal(pki_key_to_pem(cert->key, &t->profile.key_pem), 0);
}

struct talk *scene_person(struct scene *s, const char *nick, const struct fixture_cert *given)
{
	struct talk *t = &s->people[s->count++];
	struct fixture_cert own, *cert = &own;
	struct pki_cert_info info;
	void *calls = NULL;

	assert_true(s->count <= SCENE_PEOPLE);
	*t = (struct talk){.scene = s,
		.nick = nick,
		.account = nick,
		.has_key = true,
		.client = {.timeout_s = 10, .signal_fd = -1},
		.sock = server_socket(s),
		.notes = BUF_INIT(TEXT_MAX),
		.said = BUF_INIT(TEXT_MAX),
		.lines = BUF_INIT(TEXT_MAX)};
	if (given == NULL)
		scene_cert(&s->ca, nick, -3600, 3600, &own);
	profile_fill(t, given != NULL ? given : cert);
	assert_int_equal(
		pki_cert_read(buf_span(given != NULL ? &given->der : &cert->der), &info), 0);
	memcpy(t->key, info.spki_sha256, sizeof t->key);
	if (given == NULL)
		fixture_cert_free(&own);
	fixture_folder(t->folder);
	assert_int_equal(peer_calls.begin(t, &calls), 0);
	t->calls = calls;
	assert_int_equal(peer_downloads(calls, t->folder), 0);
	return t;
}

static void person_done(struct talk *t)
{
	peer_calls.end(t->calls);
	assert_int_equal(t->source_count, 0);
	assert_int_equal(t->ask_count, 0);
	cleanup_close(&t->sock);
	profile_done(&t->profile);
	buf_done(&t->notes);
	buf_done(&t->said);
	buf_done(&t->lines);
	scene_folder_remove(t->folder);
}

void scene_status(struct scene *s, enum scene_status status)
{
	authority_status(s->authority, status);
}

void scene_revoke(struct scene *s, const struct fixture_cert *cert)
{
	authority_revoke(s->authority, cert->serial);
}

void scene_make(struct scene *s)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	*s = (struct scene){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(s->listener, 16), 0);
	fixture_ca_make(&s->ca);
	fixture_ca_make(&s->other);
	s->authority = authority_start(&s->ca);
}

void scene_done(struct scene *s)
{
	for (size_t i = 0; i < s->count; i++)
		person_done(&s->people[i]);
	authority_stop(s->authority);
	fixture_ca_free(&s->ca);
	fixture_ca_free(&s->other);
	cleanup_close(&s->listener);
}
