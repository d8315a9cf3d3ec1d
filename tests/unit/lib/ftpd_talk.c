/* Scripted data connections need hooks that only test builds of ftpd have. */
#ifdef QUINTET_TEST
#include "tests/unit/lib/ftpd_talk.h"

#include "base/timefmt.h"
#include "services/ftpd/data_internal.h"
#include "services/ftpd/tree.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { SAID_MAX = 1 << 22, CODES_MAX = 4096 };

static const struct service_def def = {.name = "ftpd"};

/* -- data connections -------------------------------------------------------------------------- */

struct script {
	struct ftpd_talk *talk;
	int connect_waits, secure_waits;
};

static int connect_data(void *arg)
{
	struct script *s = arg;

	if (s->connect_waits == 0)
		return 0;
	s->connect_waits--;
	return -EAGAIN;
}

static int open_data(void *arg, struct conn **ret)
{
	struct script *s = arg;
	struct ftpd_talk *t = s->talk;

	if (s->secure_waits > 0) {
		s->secure_waits--;
		return -EAGAIN;
	}
	s->connect_waits = t->connect_waits;
	s->secure_waits = t->secure_waits;
	return conn_new_memory(t->upload, 0, &t->download, ret);
}

/* -- sessions ---------------------------------------------------------------------------------- */

static void describe(struct ftpd_talk *t, struct service *s)
{
	s->def = &def;
	s->door = &t->door;
	s->store = t->auth->s;
	s->source = t->auth->from;
	s->started_ms = time_monotonic_ms() - t->age_ms;
	(void)snprintf(s->settings.domain, sizeof(s->settings.domain), "example.org");
	(void)snprintf(s->settings.host, sizeof(s->settings.host), "files.example.org");
	(void)snprintf(s->peer.text, sizeof(s->peer.text), "192.0.2.1");
}

/* The codes of last lines. The first of several lines is remembered, so that nothing inside counts.
 */
static const char *codes_of(struct span said)
{
	static char codes[CODES_MAX];
	struct ftp_reply_line reply;
	struct span line;
	unsigned inside = 0;
	size_t len = 0;
	bool done;

	codes[0] = '\0';
	while (span_split(&said, '\n', &line)) {
		assert_true(line.len > 0 && line.p[line.len - 1] == '\r');
		line.len--;
		assert_int_equal(ftp_reply_parse(line, inside, &reply, &done), 0);
		if (done) {
			len += (size_t)snprintf(codes + len, sizeof(codes) - len, "%s%u",
				len > 0 ? " " : "", reply.code);
			assert_true(len < sizeof(codes));
			inside = 0;
		} else if (inside == 0) {
			inside = reply.code;
		}
	}
	assert_int_equal(inside, 0);
	return codes;
}

static const char *run(
	struct ftpd_talk *t, const struct auth_identity *who, const char *lines, bool clear)
{
	struct script script = {t, t->connect_waits, t->secure_waits};
	struct service s = SERVICE_INIT;
	struct tree *tree = NULL;

	describe(t, &s);
	if (who != NULL)
		s.who = *who;
	buf_reset(&t->said);
	buf_reset(&t->download);
	data_hook = (struct data_hook){connect_data, open_data, &script};
	assert_int_equal(conn_new_memory(span_str(lines), t->step, &t->said, &s.conn), 0);
	assert_int_equal(tree_open(t->auth->store->state, &tree), 0);
	t->result = clear ? ftpd_clear(&s) : ftpd_run(&s, tree);
	(void)conn_close(s.conn);
	(void)snprintf(
		t->reason, sizeof(t->reason), "%s", s.end_reason != NULL ? s.end_reason : "");
	t->commands = s.commands;
	conn_free(s.conn);
	tree_free(tree);
	data_hook = (struct data_hook){0};
	assert_int_equal(buf_error(&t->said), 0);
	return codes_of(buf_span(&t->said));
}

const char *ftpd_talk(struct ftpd_talk *t, const char *lines)
{
	return run(t, NULL, lines, false);
}

const char *ftpd_talk_as_ann(struct ftpd_talk *t, const char *lines)
{
	char text[8192];
	const char *codes;

	assert_true(snprintf(text, sizeof(text), "USER ann\r\n%s", lines) < (int)sizeof(text));
	codes = run(t, &t->ann, text, false);
	assert_memory_equal(codes, "220 232", 7);
	return codes[7] == ' ' ? codes + 8 : codes + 7;
}

const char *ftpd_talk_clear(struct ftpd_talk *t, const char *lines)
{
	return run(t, NULL, lines, true);
}

bool ftpd_talk_heard(const struct ftpd_talk *t, const char *text)
{
	return strstr(buf_str(&t->said), text) != NULL;
}

/* -- setup ------------------------------------------------------------------------------------- */

void ftpd_talk_reset(struct ftpd_talk *t)
{
	t->door = (struct service_door){.name = "ftps", .tls = true, .idle_s = 60, .login_s = 60};
	t->step = 0;
	t->age_ms = 0;
	t->upload = SPAN_LIT("");
	t->connect_waits = t->secure_waits = 0;
}

int ftpd_talk_setup(void **state)
{
	struct ftpd_talk *t = calloc(1, sizeof(*t));
	struct fixture_cert cert = {0};
	void *auth = NULL;
	const char *reason = "";

	assert_non_null(t);
	assert_int_equal(auth_fixture_setup(&auth), 0);
	t->auth = auth;
	t->said = t->download = BUF_INIT(SAID_MAX);
	auth_fixture_cert(t->auth, "ann", &cert);
	assert_int_equal(
		auth_certificate(t->auth->s, &t->auth->from, buf_span(&cert.der), &t->ann, &reason),
		0);
	fixture_cert_free(&cert);
	log_set_level(LOG_LEVEL_ERR);
	ftpd_talk_reset(t);
	*state = t;
	return 0;
}

int ftpd_talk_teardown(void **state)
{
	struct ftpd_talk *t = *state;
	void *auth = t->auth;

	assert_int_equal(auth_fixture_teardown(&auth), 0);
	buf_done(&t->said);
	buf_done(&t->download);
	free(t);
	return 0;
}
#else
/* ISO C forbids an empty translation unit. */
extern int ftpd_talk_is_for_test_builds;
#endif
