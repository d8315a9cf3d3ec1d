/* What views have touched goes back, and is there again when it is wanted. */
#include "store/account.h"
#include "tests/unit/lib/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Is any of the store's map in memory? */
static bool is_resident(void)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	bool ours = false, any = false;
	char line[4096];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strstr(line, " r--s ") != NULL)
			ours = strstr(line, "/data.mdb") != NULL;
		else if (strncmp(line, "VmFlags", 7) == 0)
			ours = false;
		else if (ours && strncmp(line, "Rss:", 4) == 0)
			any = strstr(line, " 0 kB") == NULL;
	}
	(void)fclose(f);
	return any;
}

static int look(struct store_txn *txn, void *arg)
{
	struct account a;

	(void)arg;
	return account_read(txn, "ann", &a);
}

static void test_trim(void **state)
{
	struct store_fixture *f = *state;

	fixture_account(f->s, "ann");
	assert_int_equal(store_view(f->s, look, NULL), 0);
	assert_true(is_resident());
	store_trim(f->s);
	assert_false(is_resident());
	assert_int_equal(store_view(f->s, look, NULL), 0);
	fixture_account(f->s, "bob");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_trim, store_fixture_setup, store_fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
