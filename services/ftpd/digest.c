/* See digest_i.h. */
#include "services/ftpd/digest_i.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>

enum { CHUNK = 32768, SLICE_CHUNKS = 128 };

struct digest {
	int fd;
	enum ftp_hash hash;
	uint64_t at, left;
	struct hash *sha256;
	uint32_t crc32;
};

int digest_new(int fd, enum ftp_hash hash, uint64_t first, uint64_t length, struct digest **ret)
{
	struct digest *d = calloc(1, sizeof(*d));
	int r = 0;

	if (d == NULL) {
		cleanup_close(&fd);
		return -ENOMEM;
	}
	*d = (struct digest){.fd = fd, .hash = hash, .at = first, .left = length};
	if (hash == FTP_HASH_SHA256)
		r = hash_new(&d->sha256);
	if (r < 0) {
		digest_free(d);
		return r;
	}
	(void)posix_fadvise(fd, (off_t)first, (off_t)length, POSIX_FADV_SEQUENTIAL);
	*ret = d;
	return 0;
}

void digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	hash_free(d->sha256);
	cleanup_close(&d->fd);
	free(d);
}

int digest_fd(const struct digest *d)
{
	return d->fd;
}

static int add_chunk(struct digest *d)
{
	unsigned char chunk[CHUNK];
	size_t want = d->left < sizeof(chunk) ? (size_t)d->left : sizeof(chunk);
	ssize_t n = pread(d->fd, chunk, want, (off_t)d->at);
	struct span bytes;

	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0)
		return n < 0 ? -errno : -EIO;
	bytes = span_of(chunk, (size_t)n);
	d->at += bytes.len;
	d->left -= bytes.len;
	if (d->hash == FTP_HASH_SHA256)
		return hash_update(d->sha256, bytes);
	d->crc32 = ftp_crc32(d->crc32, bytes);
	return 0;
}

int digest_step(struct digest *d)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && d->left > 0 && i < SLICE_CHUNKS; i++)
		r = add_chunk(d);
	return r == 0 && d->left > 0 ? 1 : r;
}

int digest_result(struct digest *d, unsigned char ret[32], size_t *ret_len)
{
	int r = 0;

	if (d->hash == FTP_HASH_SHA256) {
		r = hash_final(d->sha256, ret);
		*ret_len = HASH_SHA256_LEN;
		return r;
	}
	for (unsigned i = 0; i < 4; i++)
		ret[i] = (unsigned char)(d->crc32 >> (24 - 8 * i));
	*ret_len = 4;
	return 0;
}
