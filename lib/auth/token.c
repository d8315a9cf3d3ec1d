/* Invite tokens: 24 characters of base 32 (RFC 4648, small letters), 120 random bits. */
#include "auth/auth.h"
#include "base/hash.h"

#include <errno.h>

enum { TOKEN_LEN = 24, GROUP_LEN = 4, TOKEN_MIN = 20 };

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

/* What people read and type: any case, and the digits that are not in the alphabet for the letters
 * they look like. '\0': not a character of a token. */
static char normal(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		c = (unsigned char)(c | 0x20);
	if (c == '0')
		c = 'o';
	if (c == '1')
		c = 'l';
	if (c == '8')
		c = 'b';
	if (memchr(alphabet, c, sizeof(alphabet) - 1) == NULL)
		return '\0';
	return (char)c;
}

int auth_token_read(struct span token, char ret[INVITE_TOKEN_SIZE])
{
	char text[INVITE_TOKEN_SIZE] = "";
	size_t len = 0;

	for (size_t i = 0; i < token.len; i++) {
		char c = normal(token.p[i]);

		if (token.p[i] == '-' || token.p[i] == ' ')
			continue;
		if (c == '\0' || len == sizeof(text) - 1)
			return -EINVAL;
		text[len++] = c;
	}
	if (len < TOKEN_MIN)
		return -EINVAL;
	memcpy(ret, text, sizeof(text));
	explicit_bzero(text, sizeof(text));
	return 0;
}

int auth_token_hash(struct span token, unsigned char ret[INVITE_HASH_LEN])
{
	char text[INVITE_TOKEN_SIZE];
	int r = auth_token_read(token, text);

	if (r == 0)
		r = hash_sha256(span_str(text), ret);
	explicit_bzero(text, sizeof(text));
	return r;
}

int auth_token_new(char *ret_token, size_t size, unsigned char ret_hash[INVITE_HASH_LEN])
{
	unsigned char random[TOKEN_LEN];
	char text[TOKEN_LEN + TOKEN_LEN / GROUP_LEN];
	size_t len = 0;
	int r;

	if (size < sizeof(text))
		return -ENOBUFS;
	r = hash_random(random, sizeof(random));
	if (r < 0)
		return r;
	for (size_t i = 0; i < TOKEN_LEN; i++) {
		if (i > 0 && i % GROUP_LEN == 0)
			text[len++] = '-';
		text[len++] = alphabet[random[i] & 31];
	}
	text[len] = '\0';
	r = auth_token_hash(span_of(text, len), ret_hash);
	if (r == 0)
		memcpy(ret_token, text, len + 1);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(random, sizeof(random));
	return r;
}
