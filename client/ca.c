/* quintet ca: what the authority publishes, and this account's certificates. */
#include "client/ca.h"

#include "client/certs.h"

#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>

#define ANSWER_MAX (1U << 20)

enum { LIST_CELLS = 5 };

static void cert_row(struct table *t, struct span der, const char *role)
{
	_cleanup_(buf_done) struct buf until = BUF_INIT(64);
	_cleanup_(buf_done) struct buf digest = BUF_INIT(128);
	struct pki_cert_info info;

	if (pki_cert_read(der, &info) < 0)
		return;
	time_rfc3339_utc(&until, info.not_after_us);
	text_hex(&digest, span_of(info.sha256, sizeof info.sha256));
	table_add(t, (const char *const[]){role, info.subject, buf_str(&until), buf_str(&digest)});
}

static int show(struct client *c, const struct profile *p, const struct client_words *w)
{
	static const struct table_column columns[] = {{"ROLE", NULL}, {"SUBJECT", NULL},
		{"VALID UNTIL", NULL}, {"SHA-256", NULL}, {NULL, NULL}};
	_cleanup_(certs_done) struct certs root = CERTS_INIT;
	_cleanup_(certs_done) struct certs chain = CERTS_INIT;
	struct table t;
	int r = certs_read(buf_span(&p->root_pem), &root);

	(void)w;
	if (r >= 0)
		r = certs_read(buf_span(&p->chain_pem), &chain);
	if (r < 0)
		return client_fail(ERR_EXIT_CONFIG,
			"the certificates of profile \"%s\" cannot be read", p->name);
	table_init(&t, columns);
	for (size_t i = 0; i < root.count; i++)
		cert_row(&t, root.each[i], "root");
	for (size_t i = 0; i < chain.count; i++)
		cert_row(&t, chain.each[i], "issuing");
	r = table_print(&t, c->json);
	table_done(&t);
	return client_exit_of(r);
}

static int list_row(struct span line, struct table *t)
{
	char cells[LIST_CELLS][64];
	const char *row[LIST_CELLS];
	struct span word;
	size_t n = 0;

	for (; n < LIST_CELLS && span_split(&line, ' ', &word); n++) {
		if (word.len == 0 || !text_is_print(word) ||
			span_copy_str(word, cells[n], sizeof cells[n]) < 0)
			return -EBADMSG;
		row[n] = cells[n];
	}
	if (n < LIST_CELLS || line.len > 0)
		return -EBADMSG;
	table_add(t, row);
	return 0;
}

int ca_list_read(struct span text, struct table *ret)
{
	struct span line;
	int r = 0;

	while (r == 0 && span_split(&text, '\n', &line))
		r = list_row(line, ret);
	return r;
}

static int list(struct client *c, const struct profile *p, const struct client_words *w)
{
	static const struct table_column columns[] = {{"SERIAL", NULL}, {"STATE", NULL},
		{"VALID FROM", NULL}, {"VALID UNTIL", NULL}, {"PROFILE", NULL}, {NULL, NULL}};
	_cleanup_(buf_done) struct buf body = BUF_INIT(ANSWER_MAX);
	const struct link_question q = {.method = "GET", .target = "/account/certificates"};
	struct table t;
	int r = link_ask_ca(c, p, &q, &body);

	(void)w;
	if (r != CLIENT_OK)
		return r;
	table_init(&t, columns);
	r = ca_list_read(buf_span(&body), &t);
	if (r == 0)
		r = table_print(&t, c->json);
	table_done(&t);
	return r == 0 ? CLIENT_OK
		      : client_fail(ERR_EXIT_TEMP, "no list of certificates from %s: %s", p->host,
				client_why(r));
}

/* Is it this device's own? */
static bool serial_is_own(const struct profile *p, const char *serial_hex)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf serial = BUF_INIT(64);
	struct pki_cert_info info;

	return certs_first(buf_span(&p->cert_pem), &der) == 0 &&
		pki_cert_read(buf_span(&der), &info) == 0 &&
		text_unhex(&serial, span_str(serial_hex)) == 0 &&
		span_eq(buf_span(&serial), span_of(info.serial, info.serial_len));
}

static int revoke_one(struct client *c, const struct profile *p, const struct client_words *w)
{
	_cleanup_(buf_done) struct buf form = BUF_INIT(1024);
	_cleanup_(buf_done) struct buf body = BUF_INIT(4096);
	const char *serial = w->v[1];
	bool own = serial_is_own(p, serial);
	int r;

	form_add(&form, "serial", span_str(serial));
	if (w->count > 2)
		form_add(&form, "reason", span_str(w->v[2]));
	if (buf_error(&form) < 0)
		return client_usage(c, "that is no serial number");
	const struct link_question q = {.method = "POST",
		.target = "/account/revoke",
		.content_type = LINK_FORM_TYPE,
		.body = buf_span(&form)};
	r = link_ask_ca(c, p, &q, &body);
	if (r != CLIENT_OK)
		return r;
	const struct table_pair pairs[] = {
		{"revoked", serial, NULL}, {"own", own ? "yes" : "no", NULL}};

	return client_done(c, pairs, sizeof pairs / sizeof pairs[0], "%s is revoked%s", serial,
		own ? "; it was this device's own, which has to enroll again" : "");
}

static int crl(struct client *c, const struct profile *p, const struct client_words *w)
{
	(void)w;
	return ca_crl(c, p);
}

static int check(struct client *c, const struct profile *p, const struct client_words *w)
{
	return ca_check(c, p, w->count > 1 ? w->v[1] : NULL);
}

static const struct action {
	const char *name;
	int (*run)(struct client *c, const struct profile *p, const struct client_words *w);
	size_t min_words, max_words; /* the name included */
	bool need_cert;
} actions[] = {{"show", show, 0, 1, false}, {"list", list, 1, 1, true},
	{"revoke", revoke_one, 2, 3, true}, {"crl", crl, 1, 1, true},
	{"check", check, 1, 2, false}};

static const struct action *action_find(const char *name)
{
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

int cmd_ca(struct client *c, int argc, char **argv)
{
	static const struct client_option none[] = {{.name = NULL}};
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	const struct action *a;
	struct client_words w;
	int r = client_options(c, argc, argv, none, 3, &w);

	if (r >= 0)
		return r;
	a = action_find(w.count > 0 ? w.v[0] : "show");
	if (a == NULL)
		return client_usage(c, "ca has no action \"%s\"", w.v[0]);
	if (w.count < a->min_words || w.count > a->max_words)
		return client_usage(c, "ca %s: wrong number of arguments", a->name);
	r = a->need_cert ? profile_need_cert(c, &p) : profile_need(c, &p);
	if (r != CLIENT_OK)
		return r;
	return a->run(c, &p, &w);
}
