/*
 * Passwords by libxcrypt. A check without a hash to check against runs the same computation over a
 * setting of our own, so that its cost tells nothing.
 */
#include "auth/password.h"

#include "auth/slot.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/text.h"

#include <crypt.h>
#include <errno.h>

enum {
	COST = 5,
	SALT_BYTES = 16,
	WHOLE_MAX = 256, /* longer ones are hashed by their digest */
};

#define PREFIX "$y$"
/* What COST looks like: flavour, block count, block size (crypt(5)). */
#define COST_FLAVOUR 'j'
#define COST_BLOCKS '9'
#define COST_SIZE 'T'

static const char dummy_setting[] = "$y$j9T$lJLOiFLNo/WPZNLNm/GPV/";

static size_t count_characters(struct span utf8)
{
	size_t n = 0;

	for (size_t i = 0; i < utf8.len; i++)
		n += (utf8.p[i] & 0xc0) != 0x80;
	return n;
}

static int refuse(const char **ret_reason, const char *reason)
{
	*ret_reason = reason;
	return -EINVAL;
}

int password_acceptable(struct span password, const char *name, const char **ret_reason)
{
	if (!text_is_utf8(password))
		return refuse(ret_reason, "the password is not UTF-8");
	if (!text_is_clean(password))
		return refuse(ret_reason, "the password contains a control character");
	if (count_characters(password) < PASSWORD_MIN)
		return refuse(ret_reason, "the password is shorter than 8 characters");
	if (password.len > PASSWORD_MAX)
		return refuse(ret_reason, "the password is longer than 1024 bytes");
	if (name != NULL && span_caseeq_str(password, name))
		return refuse(ret_reason, "the password is the name");
	return 0;
}

/* crypt(3) of the text; -EIO when libcrypt refuses the setting. */
static int run(const char *text, const char *setting, char ret[PASSWORD_HASH_SIZE])
{
	struct crypt_data data = {0};
	const char *hash = crypt_r(text, setting, &data);
	int r = 0;

	if (hash == NULL || hash[0] == '*')
		r = errno == ENOMEM ? -ENOMEM : -EIO;
	else if (span_copy_str(span_str(hash), ret, PASSWORD_HASH_SIZE) < 0)
		r = -EIO;
	explicit_bzero(&data, sizeof(data));
	return r;
}

/* crypt(3) takes no more than 512 bytes: of a longer password its digest is hashed. */
static int prepare(struct span password, char ret[WHOLE_MAX + 1])
{
	unsigned char digest[HASH_SHA256_LEN];
	struct buf hex = BUF_INIT(2 * (size_t)HASH_SHA256_LEN);
	int r;

	if (password.len <= WHOLE_MAX)
		return span_copy_str(password, ret, WHOLE_MAX + 1);
	if (password.len > PASSWORD_MAX || memchr(password.p, 0, password.len) != NULL)
		return -EINVAL;
	r = hash_sha256(password, digest);
	text_hex(&hex, span_of(digest, sizeof(digest)));
	if (r == 0)
		r = span_copy_str(buf_span(&hex), ret, WHOLE_MAX + 1);
	explicit_bzero(digest, sizeof(digest));
	buf_wipe(&hex);
	return r;
}

int password_hash(struct span password, const char *runtime, char ret[PASSWORD_HASH_SIZE])
{
	_cleanup_(cleanup_close) int slot_fd = -1;
	char text[WHOLE_MAX + 1], random[SALT_BYTES], hash[PASSWORD_HASH_SIZE] = "";
	_cleanup_(cleanup_free) char *setting = NULL;
	int r = prepare(password, text);

	if (r < 0)
		return -EINVAL;
	r = slot_take(runtime, &slot_fd);
	if (r == 0)
		r = hash_random(random, sizeof(random));
	if (r == 0) {
		setting = crypt_gensalt_ra(PREFIX, COST, random, (int)sizeof(random));
		r = setting != NULL ? run(text, setting, hash) : -EIO;
	}
	explicit_bzero(text, sizeof(text));
	if (r < 0)
		return r;
	memcpy(ret, hash, sizeof(hash));
	return 0;
}

/* With the slot held. A password that cannot be right still costs a hash. */
static int check(struct span password, const char *hash)
{
	char text[WHOLE_MAX + 1] = "", computed[PASSWORD_HASH_SIZE] = "";
	bool possible = hash != NULL && hash[0] != '\0' && prepare(password, text) == 0;
	int r = run(text, possible ? hash : dummy_setting, computed);

	explicit_bzero(text, sizeof(text));
	if (r == -ENOMEM)
		return r;
	if (r < 0 || !possible || !span_eq_secret(span_str(computed), span_str(hash)))
		return -EACCES;
	return 0;
}

int password_check(struct span password, const char *hash, const char *runtime)
{
	_cleanup_(cleanup_close) int slot_fd = -1;
	int r = slot_take(runtime, &slot_fd);

	return r < 0 ? r : check(password, hash);
}

/* A digit of crypt's base 64 ("./0-9A-Za-z"), -1 for another character. */
static int digit(char c)
{
	if (c >= '.' && c <= '9')
		return c - '.';
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 12;
	return c >= 'a' && c <= 'z' ? c - 'a' + 38 : -1;
}

bool password_is_outdated(const char *hash)
{
	const char *params = hash + strlen(PREFIX);

	if (!span_starts(span_str(hash), PREFIX) || strlen(params) < 4)
		return true;
	return params[0] != COST_FLAVOUR || digit(params[1]) < digit(COST_BLOCKS) ||
		digit(params[2]) < digit(COST_SIZE) || params[3] != '$';
}
