/* quintet whoami and password: the account as the server and this device know it. */
#include "client/ask.h"
#include "client/certs.h"
#include "client/link.h"
#include "client/table.h"

#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>

enum { WHOAMI_OWN = 6, WHOAMI_MAX = WHOAMI_OWN + 16 };

/* Pairs with the texts they point to. */
struct whoami {
	struct table_pair pairs[WHOAMI_MAX];
	char texts[WHOAMI_MAX][2][192];
	size_t count;
};

static void pair_add(struct whoami *w, const char *key, struct span value)
{
	char(*texts)[192];

	if (w->count == WHOAMI_MAX)
		return;
	texts = w->texts[w->count];
	if (span_copy_str(span_str(key), texts[0], 192) < 0 ||
		span_copy_str(value, texts[1], 192) < 0)
		return;
	w->pairs[w->count++] = (struct table_pair){texts[0], texts[1], NULL};
}

static void pair_add_time(struct whoami *w, const char *key, int64_t at_us)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(64);

	time_rfc3339_utc(&text, at_us);
	pair_add(w, key, buf_span(&text));
}

static int device_describe(const struct profile *p, struct whoami *w)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf serial = BUF_INIT(128);
	struct pki_cert_info info;
	int r = certs_first(buf_span(&p->cert_pem), &der);

	if (r == 0)
		r = pki_cert_read(buf_span(&der), &info);
	if (r != 0)
		return client_fail(ERR_EXIT_CONFIG,
			"the certificate of profile \"%s\" cannot be read", p->name);
	text_hex(&serial, span_of(info.serial, info.serial_len));
	pair_add(w, "user", span_str(p->user));
	pair_add(w, "server", span_str(p->host));
	pair_add(w, "profile", span_str(p->name));
	pair_add(w, "certificate", buf_span(&serial));
	pair_add_time(w, "valid from", info.not_before_us);
	pair_add_time(w, "valid until", info.not_after_us);
	return CLIENT_OK;
}

/* The server's "key value" lines; what cannot be shown or is known already is passed over. */
static void account_describe(struct span text, struct whoami *w)
{
	struct span line, key;

	while (span_split(&text, '\n', &line)) {
		char name[32];

		if (!text_is_clean(line) || !span_split(&line, ' ', &key) || line.len == 0 ||
			span_copy_str(key, name, sizeof name) < 0 || span_eq_str(key, "name"))
			continue;
		for (char *dash = name; (dash = strchr(dash, '-')) != NULL;)
			*dash = ' ';
		pair_add(w, name, line);
	}
}

int cmd_whoami(struct client *c, int argc, char **argv)
{
	static const struct client_option none[] = {{.name = NULL}};
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	_cleanup_(buf_done) struct buf body = BUF_INIT(16384);
	const struct link_question q = {.method = "GET", .target = "/account"};
	struct whoami w = {.count = 0};
	struct client_words words;
	int r = client_options(c, argc, argv, none, 0, &words);

	if (r >= 0)
		return r;
	r = profile_need_cert(c, &p);
	if (r == CLIENT_OK)
		r = device_describe(&p, &w);
	if (r != CLIENT_OK)
		return r;
	r = link_ask_ca(c, &p, &q, &body);
	if (r == CLIENT_OK)
		account_describe(buf_span(&body), &w);
	/* What this device knows it tells in any case. */
	if (r != CLIENT_INTERRUPTED)
		table_print_pairs(w.pairs, w.count, c->json);
	return r;
}

static int password_send(struct client *c, const struct profile *p, struct span password)
{
	_cleanup_(buf_wipe) struct buf form = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf body = BUF_INIT(4096);

	form_add(&form, "new", password);
	const struct link_question q = {.method = "POST",
		.target = "/account/password",
		.content_type = LINK_FORM_TYPE,
		.body = buf_span(&form)};

	return buf_error(&form) < 0 ? client_fail(ERR_EXIT_CONFIG, "the password is too long")
				    : link_ask_ca(c, p, &q, &body);
}

int cmd_password(struct client *c, int argc, char **argv)
{
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	_cleanup_(buf_wipe) struct buf password = BUF_INIT(ASK_SECRET_MAX);
	const char *file = NULL;
	const struct client_option options[] = {
		{"password-file", 'P', "FILE", &file, NULL,
			"read the new password from FILE; - is standard input"},
		{.name = NULL}};
	struct client_words w;
	int r = client_options(c, argc, argv, options, 0, &w);

	if (r >= 0)
		return r;
	r = profile_need_cert(c, &p);
	if (r == CLIENT_OK)
		r = ask_password(c, file, true, &password);
	if (r == CLIENT_OK)
		r = password_send(c, &p, buf_span(&password));
	if (r != CLIENT_OK)
		return r;
	return client_done(c, &(struct table_pair){"user", p.user, NULL}, 1,
		"the password of %s is changed; sessions opened with the old one have ended",
		p.user);
}
