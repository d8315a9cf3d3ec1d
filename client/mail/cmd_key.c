/* quintet mail key: one's key to other programs and back (PKCS#12), and certificates of others. */
#include "client/mail/ui.h"

#include "client/ask.h"
#include "client/certs.h"
#include "client/pair.h"

#include "base/file.h"
#include "base/rec.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "pki/cms.h"

#include <errno.h>
#include <fcntl.h>

enum { P12_MAX = 1 << 20, CERT_BYTES_MAX = 16 << 20, CHAIN_MAX = CERTS_MAX + 1 };

/* -- export -------------------------------------------------------------------------------------
 */

/* Never over a file that is there: it may be the only copy of an older key. */
static int file_write_new(const char *path, struct span bytes)
{
	_cleanup_(cleanup_close) int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : file_write_all(fd, bytes);

	if (r == 0 && fsync(fd) < 0 && errno != EINVAL)
		r = -errno;
	if (fd >= 0 && r < 0)
		(void)unlink(path);
	return r < 0 ? client_fail(client_unwritten(r), "%s: %s", path, strerror(-r)) : CLIENT_OK;
}

static int p12_make(struct mailui *u, struct span password, struct buf *ret)
{
	_cleanup_(certs_done) struct certs chain = CERTS_INIT;
	_cleanup_(buf_done) struct buf cert = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(pki_key_freep) struct pki_key *key = NULL;
	char own[320];
	int r = pki_key_from_pem(buf_span(&u->profile.key_pem), &key);

	if (r == 0)
		r = certs_first(buf_span(&u->profile.cert_pem), &cert);
	if (r == 0)
		r = certs_read(buf_span(&u->profile.chain_pem), &chain);
	if (r == 0)
		r = certs_read(buf_span(&u->profile.root_pem), &chain);
	if (r < 0)
		return r;
	mail_own_address(&u->profile, NULL, own);
	return pki_p12_write(
		&(struct pki_p12){.self = {key, buf_span(&cert), chain.each, chain.count},
			.name = own,
			.password = password,
			.old = u->o.old},
		ret);
}

static int key_export(struct mailui *u, const char *path)
{
	_cleanup_(buf_wipe) struct buf password = BUF_INIT(ASK_SECRET_MAX), p12 = BUF_INIT(P12_MAX);
	const struct table_pair pair = {"file", path, NULL};
	int r = CLIENT_OK;

	if (u->profile.cert_pem.len == 0)
		r = profile_need_cert(u->client, &u->profile);
	if (r == CLIENT_OK)
		r = ask_password(u->client, u->o.password_file, true, &password);
	if (r != CLIENT_OK)
		return r;
	r = p12_make(u, buf_span(&password), &p12);
	if (r < 0)
		return client_fail(client_exit_of(r), "the key cannot be packed: %s", err_text(r));
	r = file_write_new(path, buf_span(&p12));
	if (r != CLIENT_OK)
		return r;
	return client_done(u->client, &pair, 1,
		"%s holds your key: whoever has it and the password reads your mail and signs for "
		"you",
		path);
}

/* -- import -------------------------------------------------------------------------------------
 */

/* A key without its certificate opens nothing: messages name the certificate. */
static int fits(const struct pki_key *key, struct span cert)
{
	_cleanup_(buf_done) struct buf of_key = BUF_INIT(4096), of_cert = BUF_INIT(4096);
	int r = pki_key_spki(key, &of_key);

	if (r == 0)
		r = pki_cert_spki(cert, &of_cert);
	return r == 0 && !span_eq(buf_span(&of_key), buf_span(&of_cert)) ? -EBADMSG : r;
}

static int pair_import(const struct profile *p, const struct pki_key *key, struct span cert)
{
	_cleanup_(buf_wipe) struct buf key_pem = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf cert_pem = BUF_INIT(PROFILE_FILE_MAX);
	int r = pki_key_to_pem(key, &key_pem);

	if (r == 0)
		r = pki_cert_to_pem(cert, &cert_pem);
	return r == 0 ? pair_keep(p->dir_fd, buf_span(&key_pem), buf_span(&cert_pem)) : r;
}

static int key_keep(const struct mailui *u, const struct pki_key *key, struct span certs)
{
	_cleanup_(buf_done) struct buf serial = BUF_INIT(64);
	struct rec list = rec_of(certs);
	struct span cert = rec_bytes(&list, PROFILE_FILE_MAX);
	struct pki_cert_info info;
	int r = list.error < 0 ? -EBADMSG : pki_cert_read(cert, &info);

	if (r == 0)
		r = fits(key, cert);
	if (r < 0)
		return client_fail(CLIENT_NO, "key and certificate of that file do not fit");
	r = pair_import(&u->profile, key, cert);
	if (r < 0)
		return client_fail(
			client_unwritten(r), "the profile cannot be written: %s", err_text(r));
	text_hex(&serial, span_of(info.serial, info.serial_len));
	const struct table_pair pairs[] = {
		{"address", info.email, NULL}, {"serial", buf_str(&serial), NULL}};
	return client_done(u->client, pairs, 2,
		"mail encrypted to the certificate %s of %s can be read here now", buf_str(&serial),
		info.email[0] != '\0' ? info.email : info.cn);
}

static int key_import(struct mailui *u, const char *path)
{
	_cleanup_(buf_wipe) struct buf password = BUF_INIT(ASK_SECRET_MAX), p12 = BUF_INIT(P12_MAX);
	_cleanup_(buf_done) struct buf certs = BUF_INIT(P12_MAX);
	_cleanup_(pki_key_freep) struct pki_key *key = NULL;
	int r = ask_file(u->client, path, &p12);

	if (r == -ECANCELED)
		return CLIENT_INTERRUPTED;
	if (r < 0)
		return client_fail(ERR_EXIT_CONFIG, "%s: %s", path,
			r == -ENOBUFS ? "too long to be a key" : err_text(r));
	r = ask_password(u->client, u->o.password_file, false, &password);
	if (r != CLIENT_OK)
		return r;
	r = pki_p12_read(buf_span(&p12), buf_span(&password), &key, &certs);
	if (r == -EACCES)
		return client_fail(CLIENT_NO, "%s: that is not its password", path);
	if (r < 0)
		return client_fail(CLIENT_NO, "%s: no PKCS#12 with a key and a certificate", path);
	return key_keep(u, key, buf_span(&certs));
}

/* -- show ---------------------------------------------------------------------------------------
 */

static void cert_add(struct table *t, struct span der)
{
	_cleanup_(buf_done) struct buf serial = BUF_INIT(64), until = BUF_INIT(64),
				       print = BUF_INIT(128);
	struct pki_cert_info info;
	const char *cells[5] = {NULL};

	if (pki_cert_read(der, &info) < 0)
		return;
	text_hex(&serial, span_of(info.serial, info.serial_len));
	time_rfc3339_utc(&until, info.not_after_us);
	text_hex(&print, span_of(info.sha256, sizeof info.sha256));
	cells[0] = info.email;
	cells[1] = buf_str(&serial);
	cells[2] = buf_str(&until);
	cells[3] = buf_str(&print);
	table_add(t, cells);
}

static int key_show(struct mailui *u, const char *name)
{
	_cleanup_(buf_done) struct buf certs = BUF_INIT(CERT_BYTES_MAX);
	struct rec list;
	struct table t;
	int r = smime_certificates(u->client, &u->profile, name, &certs);

	if (r == -ECANCELED)
		return CLIENT_INTERRUPTED;
	if (r == -ENOENT)
		return client_fail(CLIENT_NO, "%s has no certificate", name);
	if (r < 0)
		return client_fail(
			client_exit_of(r), "the certificates of %s: %s", name, client_why(r));
	table_init(&t,
		(const struct table_column[]){{"ADDRESS", NULL}, {"SERIAL", NULL},
			{"VALID UNTIL", NULL}, {"SHA-256", NULL}, {NULL, NULL}});
	list = rec_of(buf_span(&certs));
	while (list.rest.len > 0 && list.error == 0)
		cert_add(&t, rec_bytes(&list, PROFILE_FILE_MAX));
	r = table_print(&t, u->client->json);
	table_done(&t);
	return r < 0 ? client_fail(ERR_EXIT_TEMP, "no memory") : CLIENT_OK;
}

int mailui_key(struct mailui *u, const struct client_words *w)
{
	static const struct {
		const char *name;
		int (*run)(struct mailui *u, const char *word);
	} acts[] = {{"export", key_export}, {"import", key_import}, {"show", key_show}};

	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
		if (strcmp(w->v[0], acts[i].name) == 0)
			return acts[i].run(u, w->v[1]);
	return client_usage(u->client, "key has no command \"%s\"", w->v[0]);
}
