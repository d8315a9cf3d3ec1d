/* quintet whoami, password and profile: the account as the server and this device know it. */
#include "client/est.h"
#include "client/table.h"

#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>
#include <getopt.h>

static int first_take(void *arg, struct span der)
{
	buf_add(arg, der);
	return 1;
}

/* What the server says of us; the "key value" lines of GET /account become pairs. */
static int account_ask(struct client *c, const struct profile *p, struct buf *body)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	const struct link_question q = {.method = "GET", .target = "/account"};
	unsigned status;
	int r = link_open(c, p, p->ca_port, "http/1.1", true, &l);

	if (r != CLIENT_OK)
		return r;
	r = link_ask(&l, &q, &status, body);
	if (r < 0)
		return client_fail(client_exit_of(r), "no answer: %s", err_text(r));
	return status == 200 ? CLIENT_OK : link_refused(status, buf_span(body));
}

struct whoami {
	char serial[64], from[40], until[40];
	struct pki_cert_info info;
};

static int cert_describe(const struct profile *p, struct whoami *w)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf text = BUF_INIT(256);
	int r = pki_cert_each_pem(buf_span(&p->cert_pem), first_take, &der);

	if (r >= 0)
		r = pki_cert_read(buf_span(&der), &w->info);
	if (r < 0)
		return r;
	text_hex(&text, span_of(w->info.serial, w->info.serial_len));
	snprintf(w->serial, sizeof w->serial, "%s", buf_str(&text));
	buf_reset(&text);
	time_rfc3339_utc(&text, w->info.not_before_us);
	snprintf(w->from, sizeof w->from, "%s", buf_str(&text));
	buf_reset(&text);
	time_rfc3339_utc(&text, w->info.not_after_us);
	snprintf(w->until, sizeof w->until, "%s", buf_str(&text));
	return 0;
}

/* The value of a "key value" line, NUL-ended in place of its line feed. NULL when absent. */
static const char *line_value(struct buf *body, const char *key)
{
	size_t len = strlen(key);

	for (size_t at = 0; at < body->len;) {
		unsigned char *line = body->p + at;
		unsigned char *end = memchr(line, '\n', body->len - at);
		size_t line_len = end != NULL ? (size_t)(end - line) : strlen((char *)line);

		if (line_len > len && memcmp(line, key, len) == 0 && line[len] == ' ') {
			if (end != NULL)
				*end = '\0';
			return text_is_clean(span_str((char *)line + len + 1))
				? (char *)line + len + 1
				: NULL;
		}
		at += line_len + 1;
	}
	return NULL;
}

int cmd_whoami(struct client *c, int argc, char **argv)
{
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	_cleanup_(buf_done) struct buf body = BUF_INIT(16384);
	struct whoami w;
	int r;

	(void)argv;
	if (argc != 1)
		return client_usage("whoami");
	r = profile_need_cert(c, &p);
	if (r != CLIENT_OK)
		return r;
	if (cert_describe(&p, &w) < 0)
		return client_fail(ERR_EXIT_CONFIG, "the profile's certificate cannot be read");
	r = account_ask(c, &p, &body);
	const struct table_pair pairs[] = {{"account", p.user}, {"server", p.host},
		{"profile", p.name}, {"certificate", w.serial}, {"subject", w.info.subject},
		{"issuer", w.info.issuer}, {"valid from", w.from}, {"valid until", w.until},
		{"roles", r == CLIENT_OK ? line_value(&body, "roles") : NULL},
		{"member since", r == CLIENT_OK ? line_value(&body, "created") : NULL},
		{"password set", r == CLIENT_OK ? line_value(&body, "password") : NULL}};

	table_print_pairs(pairs, sizeof pairs / sizeof pairs[0], c->json);
	return r;
}

static int password_read(struct client *c, const char *file, struct buf *ret)
{
	_cleanup_(buf_wipe) struct buf again = BUF_INIT(1024);
	int r;

	if (file != NULL) {
		r = client_read_secret(file, ret);
		return r == 0 ? CLIENT_OK
			      : client_fail(ERR_EXIT_CONFIG, "%s: %s", file, err_text(r));
	}
	r = client_ask(c, "New password: ", true, ret);
	if (r == 0)
		r = client_ask(c, "Again: ", true, &again);
	if (r == -ECANCELED)
		return CLIENT_INTERRUPTED;
	if (r < 0)
		return client_fail(ERR_EXIT_CONFIG, "no terminal to ask on: give --password-file");
	return span_eq(buf_span(ret), buf_span(&again))
		? CLIENT_OK
		: client_fail(ERR_EXIT_CONFIG, "the two passwords differ");
}

static int password_send(struct client *c, const struct profile *p, struct span password)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	_cleanup_(buf_wipe) struct buf form = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf body = BUF_INIT(4096);
	unsigned status;
	int r = link_open(c, p, p->ca_port, "http/1.1", true, &l);

	if (r != CLIENT_OK)
		return r;
	form_add(&form, "new", password);
	const struct link_question q = {.method = "POST",
		.target = "/account/password",
		.content_type = "application/x-www-form-urlencoded",
		.body = buf_span(&form)};
	r = buf_error(&form) < 0 ? buf_error(&form) : link_ask(&l, &q, &status, &body);
	if (r < 0)
		return client_fail(client_exit_of(r), "no answer: %s", err_text(r));
	return status / 100 == 2 ? CLIENT_OK : link_refused(status, buf_span(&body));
}

int cmd_password(struct client *c, int argc, char **argv)
{
	static const struct option longs[] = {
		{"password-file", required_argument, NULL, 'p'}, {NULL, 0, NULL, 0}};
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	_cleanup_(buf_wipe) struct buf password = BUF_INIT(1024);
	const char *file = NULL;
	int o, r;

	while ((o = getopt_long(argc, argv, "p:", longs, NULL)) >= 0) {
		if (o != 'p')
			return client_usage("password");
		file = optarg;
	}
	if (optind != argc)
		return client_usage("password");
	r = profile_need_cert(c, &p);
	if (r == CLIENT_OK)
		r = password_read(c, file, &password);
	if (r == CLIENT_OK)
		r = password_send(c, &p, buf_span(&password));
	if (r == CLIENT_OK)
		printf("the password of %s is changed; sessions opened with the old one have ended\n",
			p.user);
	return r;
}

static int profile_row(void *arg, const char *name)
{
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	char current[PROFILE_NAME_MAX];
	bool is_current = profile_current(current) == 0 && strcmp(current, name) == 0;

	if (profile_load(name, &p) == 0)
		table_add(arg,
			(const char *const[]){name, p.user, p.host, is_current ? "current" : ""});
	else
		table_add(arg, (const char *const[]){name, "", "", "unfinished"});
	return 0;
}

int cmd_profile(struct client *c, int argc, char **argv)
{
	static const char *const columns[] = {"PROFILE", "USER", "SERVER", "STATE", NULL};
	struct table t;
	int r;

	if (argc == 3 && strcmp(argv[1], "use") == 0) {
		r = profile_set_current(argv[2]);
		return r == 0 ? CLIENT_OK
			      : client_fail(ERR_EXIT_CONFIG, "no profile \"%s\": %s", argv[2],
					err_text(r));
	}
	if (argc > 2 || (argc == 2 && strcmp(argv[1], "list") != 0))
		return client_usage("profile");
	table_init(&t, columns);
	r = profile_each(profile_row, &t);
	if (r == 0)
		r = table_print(&t, c->json);
	table_done(&t);
	return r == 0 ? CLIENT_OK : client_fail(client_exit_of(r), "%s", err_text(r));
}
