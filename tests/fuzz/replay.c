/*
 * Runs a fuzz target's entry point over stored inputs, without libFuzzer: every file named on the
 * command line, and every file in every folder named there. Exit 1 when there was none.
 */
#include "base/cleanup.h"

#include <dirent.h>
#include <stdint.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

enum { INPUT_MAX = 1 << 20 };

static size_t inputs;

static int run_file(const char *path)
{
	_cleanup_(cleanup_fclose) FILE *file = fopen(path, "rbe");
	_cleanup_(cleanup_free) unsigned char *data = malloc(INPUT_MAX);
	unsigned char *exact;
	size_t size;

	if (file == NULL || data == NULL) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, INPUT_MAX, file);
	/* A block of just that size, so that the sanitizer sees a read behind its end. */
	exact = malloc(size > 0 ? size : 1);
	if (exact == NULL)
		return 1;
	memcpy(exact, data, size);
	(void)fprintf(stderr, "%s\n", path);
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	inputs++;
	return 0;
}

static int run_folder(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	int failed = 0;

	if (folder == NULL) {
		perror(path);
		return 1;
	}
	while ((entry = readdir(folder)) != NULL && failed == 0) {
		char name[4096];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		failed = run_file(name);
	}
	(void)closedir(folder);
	return failed;
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (LLVMFuzzerInitialize != NULL)
		(void)LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc && failed == 0; i++) {
		struct stat st;

		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			failed = run_folder(argv[i]);
		else
			failed = run_file(argv[i]);
	}
	(void)fprintf(stderr, "%zu inputs\n", inputs);
	return failed != 0 || inputs == 0 ? 1 : 0;
}
