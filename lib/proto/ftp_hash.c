/* The digests that HASH knows by name, and CRC-32, which XCRC's old clients ask for. */
#include "proto/ftp.h"

#include <errno.h>

enum { SLICES = 8 };

static const char *const names[FTP_HASH_COUNT] = {
	[FTP_HASH_SHA256] = "SHA-256",
	[FTP_HASH_CRC32] = "CRC32",
};

const char *ftp_hash_name(enum ftp_hash h)
{
	return names[h];
}

int ftp_hash_find(struct span name, enum ftp_hash *ret)
{
	for (size_t i = 0; i < FTP_HASH_COUNT; i++)
		if (span_caseeq_str(name, names[i])) {
			*ret = (enum ftp_hash)i;
			return 0;
		}
	return -EINVAL;
}

/* Table n is a byte's remainder with n zero bytes behind it: eight bytes take one round. */
static const uint32_t (*crc_tables(void))[256]
{
	static uint32_t tables[SLICES][256];
	static bool made;

	for (uint32_t i = 0; !made && i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = (c & 1U) != 0 ? 0xedb88320U ^ (c >> 1) : c >> 1;
		tables[0][i] = c;
	}
	for (size_t n = 1; !made && n < SLICES; n++)
		for (size_t i = 0; i < 256; i++)
			tables[n][i] =
				tables[0][tables[n - 1][i] & 0xffU] ^ (tables[n - 1][i] >> 8);
	made = true;
	return (const uint32_t(*)[256])tables;
}

uint32_t ftp_crc32(uint32_t crc, struct span bytes)
{
	const uint32_t(*t)[256] = crc_tables();
	const unsigned char *p = bytes.p;
	size_t len = bytes.len;

	crc = ~crc;
	for (; len >= SLICES; len -= SLICES, p += SLICES) {
		crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
			(uint32_t)p[3] << 24;
		crc = t[7][crc & 0xffU] ^ t[6][(crc >> 8) & 0xffU] ^ t[5][(crc >> 16) & 0xffU] ^
			t[4][crc >> 24] ^ t[3][p[4]] ^ t[2][p[5]] ^ t[1][p[6]] ^ t[0][p[7]];
	}
	for (; len > 0; len--, p++)
		crc = t[0][(crc ^ *p) & 0xffU] ^ (crc >> 8);
	return ~crc;
}
