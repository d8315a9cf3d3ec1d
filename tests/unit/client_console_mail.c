/* The console's mail without a server: lines of a list, letters that are typed. */
#include "client/console/mail_i.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

struct house {
	struct console c;
	struct client client;
	struct mail_part m;
};

static int setup(void **state)
{
	struct house *h = calloc(1, sizeof *h);

	if (h == NULL)
		return -1;
	h->c.client = &h->client;
	h->client.signal_fd = -1;
	h->c.profile = PROFILE_INIT;
	h->m.c = &h->c;
	h->m.u.client = &h->client;
	h->m.u.profile = PROFILE_INIT;
	h->m.wake_fd = -1;
	h->c.part_state[PART_MAIL] = &h->m;
	h->c.current = place_open(&h->c, PLACE_HOUSE, "house");
	*state = h;
	return h->c.current != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	struct house *h = *state;

	mail_places_done(&h->m);
	questions_end(&h->c);
	while (h->m.first != NULL) {
		struct mail_order *o = h->m.first;

		h->m.first = o->next;
		words_done(&o->words);
		free(o);
	}
	for (size_t i = 0; i < h->c.place_count; i++) {
		place_clear(h->c.places[i]);
		free(h->c.places[i]);
	}
	free(h);
	return 0;
}

/* -- lists ------------------------------------------------------------------------------------- */

static void lines(void **state)
{
	static char none[] = "", from[] = "\xe6\x97\xa5\xe6\x9c\xac <ann@house>",
		    to[] = "bob@house, cid@house", other[] = "cid@elsewhere.example",
		    bad[] = "turn \xe2\x80\xae it \x1b[31m";
	struct mail_item i = {.uid = 17,
		.keywords = none,
		.from = from,
		.to = to,
		.cc = none,
		.subject = none,
		.msgid = none,
		.encrypted = true,
		.flags = IMAP_FLAG_FLAGGED};
	const struct mail_list_as in = {false, "house"}, sent = {true, "house"};
	struct buf b = BUF_INIT(4096);

	(void)state;
	mail_list_line(&i, "Hello", &in, &b);
	assert_non_null(strstr(buf_str(&b), "   17 NFE "));
	/* By name; two wide characters: four columns of 16. */
	assert_non_null(strstr(buf_str(&b), " \xe6\x97\xa5\xe6\x9c\xac             Hello"));
	buf_reset(&b);
	i.flags |= IMAP_FLAG_SEEN;
	mail_list_line(&i, "", &sent, &b);
	assert_non_null(strstr(buf_str(&b), "   17 FE "));
	assert_non_null(strstr(buf_str(&b), " bob              (no subject)"));
	buf_reset(&b);
	i.from = other;
	mail_list_line(&i, bad, &in, &b);
	assert_non_null(strstr(buf_str(&b), " cid@elsewhere.ex turn "));
	assert_null(strchr(buf_str(&b), '\x1b'));
	assert_null(strstr(buf_str(&b), "\xe2\x80\xae"));
	buf_done(&b);
}

/* -- letters ----------------------------------------------------------------------------------- */

static struct mail_writing *writing_of(struct house *h)
{
	struct mail_place *i = mail_place_of(&h->m, h->c.current);

	return i != NULL ? i->writing : NULL;
}

static void typing(void **state)
{
	struct house *h = *state;
	struct mail_writing *w;

	assert_false(mail_typed(&h->c, h->c.current, SPAN_LIT("nobody hears it")));
	mail_write_begin(&h->c, SPAN_LIT("bob,cid  The plan "));
	w = writing_of(h);
	assert_non_null(w);
	assert_int_equal(h->c.current->kind, PLACE_LETTER);
	assert_string_equal(buf_str(&w->d.to), "bob,cid");
	assert_string_equal(buf_str(&w->d.subject), "The plan");
	buf_add_str(&w->d.text, "> quoted\n");
	assert_true(mail_typed(&h->c, h->c.current, SPAN_LIT("One.")));
	assert_true(mail_typed(&h->c, h->c.current, SPAN_LIT("")));
	assert_true(mail_typed(&h->c, h->c.current, SPAN_LIT("..")));
	mail_write_cc(&h->c, SPAN_LIT("dan"));
	mail_write_security(&h->c, SPAN_LIT("encrypt"));
	assert_string_equal(buf_str(&w->d.cc), "dan");
	assert_int_equal(w->d.how, SMIME_ENCRYPT);
	mail_write_security(&h->c, SPAN_LIT("perhaps"));
	assert_int_equal(w->d.how, SMIME_ENCRYPT);
	assert_null(h->m.first);
	/* A single dot sends it, and from then on it stays as it is. */
	assert_true(mail_typed(&h->c, h->c.current, SPAN_LIT(".")));
	assert_non_null(h->m.first);
	assert_ptr_equal(h->m.first->run, mail_do_send);
	assert_true(h->m.first->offline);
	assert_true(mail_typed(&h->c, h->c.current, SPAN_LIT("too late")));
	mail_write_cancel(&h->c, SPAN_LIT(""));
	assert_ptr_equal(writing_of(h), w);
	mail_writing_join(w);
	assert_string_equal(buf_str(&w->d.text), "> quoted\n\nOne.\n\n..\n");
	assert_int_equal(w->typed.len, 0);
	/* It went: nothing is to be kept. */
	buf_reset(&w->d.text);
}

static void thrown_away(void **state)
{
	struct house *h = *state;
	struct place *p;

	mail_write_begin(&h->c, SPAN_LIT("bob"));
	p = h->c.current;
	assert_true(mail_typed(&h->c, p, SPAN_LIT("no")));
	/* Closing asks first. */
	assert_false(mail_closing(&h->c, p));
	questions_refresh(&h->c);
	assert_true(h->c.question[0] != '\0');
	assert_true(console_answer(&h->c, false));
	assert_non_null(writing_of(h));
	assert_false(mail_closing(&h->c, p));
	questions_refresh(&h->c);
	assert_true(console_answer(&h->c, true));
	assert_int_equal(h->c.current->kind, PLACE_HOUSE);
	mail_places_sweep(&h->m);
	assert_null(h->m.places);
	assert_int_equal(h->c.place_count, 1);
}

/* What a place shows is found by its number; one that was closed is forgotten. */
static void places(void **state)
{
	struct house *h = *state;
	struct place *p = NULL;
	struct mail_place *i = mail_place_open(&h->m, PLACE_MAILBOX, "INBOX", &p);

	assert_non_null(i);
	(void)snprintf(i->box, sizeof i->box, "INBOX");
	assert_ptr_equal(mail_place_open(&h->m, PLACE_MAILBOX, "INBOX", &p), i);
	assert_ptr_equal(mail_place_box(&h->m, "INBOX"), i);
	assert_false(mail_closing(&h->c, p));
	i->searching = true;
	assert_true(mail_closing(&h->c, p));
	assert_null(mail_place_box(&h->m, "INBOX"));
	place_close(&h->c, p);
	mail_places_sweep(&h->m);
	assert_null(h->m.places);
}

/* Letters that were read do not fill the list of places; those that are written stay. */
static void many_letters(void **state)
{
	struct house *h = *state;
	struct place *p = NULL;
	char name[32];

	h->m.letters = 0;
	mail_write_begin(&h->c, SPAN_LIT("bob hello"));
	for (uint32_t uid = 1; uid <= 3 * MAIL_LETTERS; uid++) {
		struct mail_place *i;

		(void)snprintf(name, sizeof name, "INBOX/%u", (unsigned)uid);
		mail_letters_close(&h->m);
		i = mail_place_open(&h->m, PLACE_LETTER, name, &p);
		assert_non_null(i);
		i->uid = uid;
		place_show(&h->c, p);
		mail_places_sweep(&h->m);
	}
	assert_int_equal(h->c.place_count, 2 + MAIL_LETTERS);
	assert_non_null(place_find(&h->c, "letter-1"));
	assert_null(place_find(&h->c, "INBOX/1"));
}

static void long_texts(void **state)
{
	struct house *h = *state;
	struct buf b = BUF_INIT(1 << 20);

	for (unsigned i = 0; i < 30; i++)
		buf_addf(&b, "line\t%u\r\n", i);
	for (unsigned i = 0; i < 5000; i++)
		buf_add_str(&b, "\xc3\xbc");
	mail_place_text(&h->m, h->c.current, buf_span(&b), LINE_PLAIN, 20);
	assert_int_equal(h->c.current->count, 21);
	assert_string_equal(h->c.current->lines[1].text, "line    1");
	assert_non_null(strstr(h->c.current->lines[20].text, "lines more"));
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines, setup, teardown),
		cmocka_unit_test_setup_teardown(typing, setup, teardown),
		cmocka_unit_test_setup_teardown(thrown_away, setup, teardown),
		cmocka_unit_test_setup_teardown(places, setup, teardown),
		cmocka_unit_test_setup_teardown(many_letters, setup, teardown),
		cmocka_unit_test_setup_teardown(long_texts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
