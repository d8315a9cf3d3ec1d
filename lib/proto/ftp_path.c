/*
 * Paths: what a person's argument means below a current folder. Purely lexical, which is sound
 * because the tree knows no symbolic links.
 */
#include "proto/ftp.h"

#include "base/text.h"

#include <errno.h>

/* Names that only the server itself makes (FILE_TEMP_PREFIX of the store). */
#define RESERVED ".quintet-"

static int check_name(struct span name)
{
	if (name.len > FTP_NAME_MAX)
		return -ENAMETOOLONG;
	return !text_is_clean(name) || span_starts(name, RESERVED) ? -EINVAL : 0;
}

/* Takes the last component off; of "" nothing. */
static size_t cut_last(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] != '/')
		len--;
	return len > 0 ? len - 1 : 0;
}

/* path is without a slash at its end: "" is the root. */
static int append(char *path, size_t *len, struct span name)
{
	int r;

	if (name.len == 0 || span_eq_str(name, "."))
		return 0;
	if (span_eq_str(name, "..")) {
		*len = cut_last(path, *len);
		return 0;
	}
	r = check_name(name);
	if (r < 0)
		return r;
	if (name.len + 1 > FTP_PATH_MAX - *len)
		return -ENAMETOOLONG;
	path[(*len)++] = '/';
	memcpy(path + *len, name.p, name.len);
	*len += name.len;
	return 0;
}

int ftp_path_resolve(const char *cwd, struct span argument, char ret[FTP_PATH_SIZE])
{
	struct span base = span_str(cwd), name;
	char path[FTP_PATH_SIZE];
	size_t len = 0;
	int r = 0;

	/* A NUL would end the argument early: it never comes this far but is refused here. */
	if (argument.len > 0 && memchr(argument.p, '\0', argument.len) != NULL)
		return -EINVAL;
	if (argument.len > 0 && argument.p[0] == '/')
		base.len = 0;
	while (r == 0 && span_split(&base, '/', &name))
		r = append(path, &len, name);
	while (r == 0 && span_split(&argument, '/', &name))
		r = append(path, &len, name);
	if (r < 0)
		return r;
	if (len == 0)
		path[len++] = '/';
	path[len] = '\0';
	memcpy(ret, path, len + 1);
	return 0;
}

const char *ftp_path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

void ftp_path_folder(const char *path, char ret[FTP_PATH_SIZE])
{
	size_t len = cut_last(path, strlen(path));

	if (len == 0) {
		memcpy(ret, "/", 2);
		return;
	}
	memmove(ret, path, len);
	ret[len] = '\0';
}

bool ftp_path_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	if (len == 1)
		return path[0] == '/';
	return strncmp(path, folder, len) == 0 && (path[len] == '\0' || path[len] == '/');
}
