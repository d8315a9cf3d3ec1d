/* Paths: whatever the arguments of a session are, the path stays absolute, clean and inside. */
#include "proto/ftp.h"

#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check(const char *path)
{
	struct span rest = span_str(path), name;

	must(path[0] == '/' && strlen(path) <= FTP_PATH_MAX && text_is_clean(span_str(path)));
	must(strlen(path) == 1 || path[strlen(path) - 1] != '/');
	rest = span_of(rest.p + 1, rest.len - 1);
	while (span_split(&rest, '/', &name)) {
		must(name.len > 0 && name.len <= FTP_NAME_MAX);
		must(!span_eq_str(name, ".") && !span_eq_str(name, ".."));
		must(!span_starts(name, ".quintet-"));
	}
}

static void check_parts(const char *path)
{
	char folder[FTP_PATH_SIZE], again[FTP_PATH_SIZE];
	struct buf b = BUF_INIT((size_t)2 * FTP_PATH_MAX + 8);

	ftp_path_folder(path, folder);
	check(folder);
	must(ftp_path_below(path, folder) && ftp_path_below(path, path));
	must(ftp_path_resolve(folder, span_str(ftp_path_name(path)), again) == 0);
	must(strcmp(again, path) == 0);
	ftp_quote(&b, path);
	must(buf_error(&b) == 0 && ftp_unquote(buf_span(&b), again) == 0);
	must(strcmp(again, path) == 0);
	buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of(data, size), argument;
	char cwd[FTP_PATH_SIZE] = "/shared", path[FTP_PATH_SIZE];

	while (span_split(&rest, '\n', &argument)) {
		(void)ftp_unquote(argument, path);
		if (ftp_path_resolve(cwd, argument, path) < 0)
			continue;
		check(path);
		check_parts(path);
		memcpy(cwd, path, strlen(path) + 1);
	}
	return 0;
}
