/* One's own keys: the present one, and the old ones, by which old mail is read. */
#include "client/mail/smime.h"

#include "client/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

void smime_keys_done(struct smime_keys *k)
{
	for (size_t i = 0; i < k->count; i++) {
		pki_key_free(k->owned[i]);
		buf_done(&k->certs[i]);
	}
	k->count = 0;
}

static void add(struct smime_keys *k, struct span key_pem, struct span cert_pem)
{
	struct pki_key *key = NULL;
	size_t i = k->count;

	if (i == SMIME_KEYS_MAX || key_pem.len == 0 || pki_key_from_pem(key_pem, &key) < 0)
		return;
	k->certs[i] = BUF_INIT(PROFILE_FILE_MAX);
	if (certs_first(cert_pem, &k->certs[i]) < 0) {
		buf_done(&k->certs[i]);
		pki_key_free(key);
		return;
	}
	k->owned[i] = key;
	k->list[i] = (struct pki_cms_key){key, buf_span(&k->certs[i])};
	k->count++;
}

/* Each file holds a key and its certificate. */
static void add_old(struct smime_keys *k, int dir_fd)
{
	int fd = openat(dir_fd, PROFILE_OLD, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;

	if (dir == NULL) {
		cleanup_close(&fd);
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		_cleanup_(buf_wipe) struct buf pem = BUF_INIT(2UL * PROFILE_FILE_MAX);

		if (e->d_name[0] != '.' && files_read(dirfd(dir), e->d_name, &pem) == 0)
			add(k, buf_span(&pem), buf_span(&pem));
	}
	closedir(dir);
}

void smime_keys_load(const struct profile *p, struct smime_keys *ret)
{
	ret->count = 0;
	add(ret, buf_span(&p->key_pem), buf_span(&p->cert_pem));
	if (p->dir_fd >= 0)
		add_old(ret, p->dir_fd);
}
