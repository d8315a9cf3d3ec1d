/* The console's files without a server: lines, names for completion, the queue of what is to be
 * moved. */
#include "client/console/files_i.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

struct house {
	struct console c;
	struct files_part f;
};

static int setup(void **state)
{
	struct house *h = calloc(1, sizeof *h);

	if (h == NULL)
		return -1;
	h->f.c = &h->c;
	h->f.moves.f = &h->f;
	h->f.moves.profile = PROFILE_INIT;
	h->f.wake_fd = h->f.moves.wake_fd = -1;
	(void)snprintf(h->f.ui.cwd, sizeof h->f.ui.cwd, "/home/ann");
	h->c.part_state[PART_FILES] = &h->f;
	h->c.current = place_open(&h->c, PLACE_HOUSE, "house");
	*state = h;
	return h->c.current != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	struct house *h = *state;

	files_forget(&h->f);
	files_moves_end(&h->f);
	for (size_t i = 0; i < h->c.place_count; i++) {
		place_clear(h->c.places[i]);
		free(h->c.places[i]);
	}
	free(h);
	return 0;
}

static void entry(struct walk *w, const char *name, bool folder)
{
	struct walk_entry e = {.path = strdup(name), .folder = folder, .size = 1536};

	assert_int_equal(walk_add(w, &e), 0);
}

/* -- listings ---------------------------------------------------------------------------------- */

static void listed(void **state)
{
	struct house *h = *state;
	struct walk w = {.v = NULL};

	entry(&w, "a\xe2\x80\xae.txt", false);
	entry(&w, "sub", true);
	files_show(&h->f, "/home/ann", &w);
	assert_int_equal(h->c.current->kind, PLACE_FILES);
	assert_string_equal(h->c.current->title, "2 names");
	assert_int_equal(h->c.current->count, 2);
	assert_non_null(strstr(h->c.current->lines[0].text, "1.5 KiB"));
	assert_null(strstr(h->c.current->lines[0].text, "\xe2\x80\xae"));
	assert_non_null(strstr(h->c.current->lines[1].text, "sub/"));
	walk_done(&w);
	files_show(&h->f, "/home/ann", &w);
	assert_int_equal(h->c.place_count, 2);
	assert_int_equal(h->c.current->count, 1);
	/* What changes is shown where it is listed, and is no news; nobody is taken there. */
	place_show(&h->c, h->c.places[0]);
	entry(&w, "new", false);
	files_refresh(&h->f, "/home/ann", &w);
	files_refresh(&h->f, "/home/bob", &w);
	walk_done(&w);
	assert_int_equal(h->c.place_count, 2);
	assert_ptr_equal(h->c.current, h->c.places[0]);
	assert_non_null(strstr(h->c.places[1]->lines[0].text, "new"));
	assert_int_equal(h->c.places[1]->unread, 0);
}

static void found(void *arg, struct span name)
{
	buf_add(arg, name);
	buf_add_str(arg, "|");
}

static void names(void **state)
{
	static const struct {
		const char *begin, *found;
	} rows[] = {
		{"", "report.txt|read me|sub/|"},
		{"re", "report.txt|read me|"},
		{".h", ".hidden|"},
		{"sub/", "sub/in it|"},
		{"/home/ann/s", "/home/ann/sub/|"},
		{"../ann/rep", "../ann/report.txt|"},
		{"nothing", ""},
		{"other/", ""},
	};
	struct house *h = *state;
	struct walk w = {.v = NULL};

	entry(&w, "report.txt", false);
	entry(&w, "read me", false);
	entry(&w, "sub", true);
	entry(&w, ".hidden", false);
	files_remember(&h->f, "/home/ann", &w);
	assert_null(w.v);
	entry(&w, "in it", false);
	files_remember(&h->f, "/home/ann/sub", &w);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf b = BUF_INIT(4096), plain = BUF_INIT(4096);

		file_names(&h->c, span_str(rows[i].begin), found, &b);
		/* As it would be typed: blanks are quoted. */
		word_plain(&plain, buf_str(&b));
		assert_string_equal(buf_str(&plain), rows[i].found);
		buf_done(&b);
		buf_done(&plain);
	}
}

/* -- what is to be moved ----------------------------------------------------------------------- */

static void queue(void **state)
{
	struct house *h = *state;
	struct task *nobody = (struct task *)(void *)h; /* so that no task is begun */
	struct batch b = {.v = NULL};
	int root_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), same_fd;

	assert_true(root_fd >= 0);
	h->f.moves.task = nobody;
	for (unsigned i = 0; i < FILES_LISTED + 4; i++) {
		char remote[32];

		(void)snprintf(remote, sizeof remote, "/home/ann/f%u", i);
		assert_int_equal(batch_add(&b, FTP_GET, remote, root_fd, "sub/f"), 0);
	}
	assert_int_equal(files_take(&h->f, &b), CLIENT_OK);
	batch_done(&b);
	/* The folder stays open, whatever becomes of the one that was given. */
	same_fd = h->f.moves.first->root->fd;
	close(root_fd);
	assert_true(fcntl(same_fd, F_GETFD) >= 0);
	assert_int_equal(h->f.moves.first->root->uses, FILES_LISTED + 4);
	assert_int_equal(h->f.moves.waiting, FILES_LISTED + 4);
	assert_int_equal(h->c.transfer_count, FILES_LISTED);
	assert_int_equal(transfers_busy(&h->c), FILES_LISTED);
	assert_string_equal(h->c.parts[PART_FILES].text, "20 transfers");
	assert_true(files_drop(&h->f, h->c.transfers[3].number));
	assert_false(files_drop(&h->f, h->c.transfers[3].number));
	assert_int_equal(h->c.transfers[3].state, TRANSFER_FAILED);
	assert_int_equal(h->f.moves.waiting, FILES_LISTED + 3);
	assert_int_equal(files_drop_all(&h->f), FILES_LISTED + 3);
	assert_null(h->f.moves.first);
	assert_int_equal(transfers_busy(&h->c), 0);
	assert_int_equal(fcntl(same_fd, F_GETFD), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(listed, setup, teardown),
		cmocka_unit_test_setup_teardown(names, setup, teardown),
		cmocka_unit_test_setup_teardown(queue, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
