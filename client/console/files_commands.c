/* The commands for files. See files_i.h. */
#include "client/console/files_i.h"

#include "base/num.h"

static void give(struct console *c, struct span words,
	int (*run)(struct files_part *f, const struct client_words *w))
{
	struct files_part *f = files_part(c);

	if (f == NULL)
		console_error(c, "this server has no files");
	else
		files_order(f, run, words, false);
}

static void run_ls(struct console *c, struct span words)
{
	give(c, words, files_do_ls);
}

static void run_cd(struct console *c, struct span words)
{
	give(c, words, files_do_cd);
}

static void run_get(struct console *c, struct span words)
{
	give(c, words, files_do_get);
}

static void run_put(struct console *c, struct span words)
{
	give(c, words, files_do_put);
}

static void run_mkdir(struct console *c, struct span words)
{
	give(c, words, files_do_mkdir);
}

static void run_rm(struct console *c, struct span words)
{
	give(c, words, files_do_rm);
}

static void run_mv(struct console *c, struct span words)
{
	give(c, words, files_do_mv);
}

static void run_digest(struct console *c, struct span words)
{
	give(c, words, files_do_digest);
}

static void run_df(struct console *c, struct span words)
{
	give(c, words, files_do_df);
}

static void run_transfers(struct console *c, struct span words)
{
	const struct files_part *f = files_part(c);

	(void)words;
	for (size_t i = 0; i < c->transfer_count; i++) {
		_cleanup_(buf_done) struct buf line = BUF_INIT(CONSOLE_TEXT_MAX);

		console_transfer_line(&c->transfers[i], &line, 200);
		console_say(c, "%s", buf_str(&line));
	}
	if (c->transfer_count == 0)
		console_say(c, "nothing was moved yet");
	if (f != NULL && f->moves.waiting > FILES_LISTED)
		console_say(c, "%zu wait in all", f->moves.waiting);
}

static void run_cancel(struct console *c, struct span words)
{
	struct files_part *f = files_part(c);
	uint64_t number = 0;

	if (f != NULL && span_eq_str(words, "all"))
		console_say(c, "%zu stopped", files_drop_all(f));
	else if (num_parse_u64(words, 1, UINT32_MAX, &number) < 0)
		console_error(c, "which one? /transfers tells their numbers");
	else if (f == NULL || !files_drop(f, (unsigned)number))
		console_error(c, "no transfer %u is under way", (unsigned)number);
}

const struct console_command console_file_commands[] = {
	{"ls", run_ls, "[PATH ...]", "list a folder of the server", PART_FILES, false, 0},
	{"cd", run_cd, "[PATH]", "go to a folder of the server", PART_FILES, false, 0},
	{"get", run_get, "PATH ... [LOCAL]", "fetch files, folders with all in them", PART_FILES,
		true, 0},
	{"put", run_put, "LOCAL ... [PATH]", "send files, folders with all in them", PART_FILES,
		true, 0},
	{"mkdir", run_mkdir, "PATH ...", "make folders", PART_FILES, true, 0},
	{"rm", run_rm, "[-r] PATH ...", "delete files, with -r folders", PART_FILES, true, 0},
	{"mv", run_mv, "PATH ... PATH", "rename, or move into a folder", PART_FILES, true, 0},
	{"digest", run_digest, "PATH ...", "the SHA-256 of files", PART_FILES, true, 0},
	{"df", run_df, "[PATH]", "how much may still be stored", PART_FILES, false, 0},
	{"transfers", run_transfers, "", "what is moved, and what was", PARTS, false, 0},
	{"cancel", run_cancel, "NUMBER|all", "stop a transfer; what is there is kept", PARTS, true,
		0},
	{.name = NULL},
};
