/*
 * Zones: single instants as Python's zoneinfo has them, every zone of this machine's tzdata against
 * the C library around each of its transitions and far beyond, the rule's grammar, broken data.
 */
#include "base/timefmt.h"
#include "service/service.h"
#include "services/daytimed/zone.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Made with zoneinfo.ZoneInfo(ZONE): instants in the past, which a newer edition of the tz database
 * leaves alone (2026f moved Morocco's future). Those to come are compared with the C library below,
 * and rules by themselves with fixed answers.
 */
static const struct {
	const char *zone;
	int64_t at_s;
	int32_t offset_s;
} known[] = {
	{"Asia/Kolkata", INT64_C(-2208988800), 19270},
	{"Asia/Kolkata", INT64_C(0), 19800},
	{"Asia/Kolkata", INT64_C(1325239199), 19800},
	{"Asia/Kolkata", INT64_C(1325239200), 19800},
	{"Africa/Casablanca", INT64_C(-2208988800), -1820},
	{"Africa/Casablanca", INT64_C(0), 0},
	{"Africa/Casablanca", INT64_C(1325239199), 0},
	{"Africa/Casablanca", INT64_C(1325239200), 0},
	{"Pacific/Apia", INT64_C(-2208988800), -41216},
	{"Pacific/Apia", INT64_C(0), -39600},
	{"Pacific/Apia", INT64_C(1325239199), -36000},
	{"Pacific/Apia", INT64_C(1325239200), 50400},
	{"America/Sao_Paulo", INT64_C(-2208988800), -11188},
	{"America/Sao_Paulo", INT64_C(0), -10800},
	{"America/Sao_Paulo", INT64_C(1325239199), -7200},
	{"America/Sao_Paulo", INT64_C(1325239200), -7200},
	{"Asia/Kathmandu", INT64_C(-2208988800), 20476},
	{"Asia/Kathmandu", INT64_C(0), 19800},
	{"Asia/Kathmandu", INT64_C(1325239199), 20700},
	{"Asia/Kathmandu", INT64_C(1325239200), 20700},
	{"Etc/GMT+12", INT64_C(-2208988800), -43200},
	{"Etc/GMT+12", INT64_C(0), -43200},
	{"Etc/GMT+12", INT64_C(1325239199), -43200},
	{"Etc/GMT+12", INT64_C(1325239200), -43200},
	{"Etc/GMT+12", INT64_C(1795219200), -43200},
	{"Etc/GMT+12", INT64_C(2540246400), -43200},
	{"Etc/GMT+12", INT64_C(4102444800), -43200},
	{"Africa/Abidjan", INT64_C(-2208988800), -968},
	{"Africa/Abidjan", INT64_C(0), 0},
	{"Africa/Abidjan", INT64_C(1325239199), 0},
	{"Africa/Abidjan", INT64_C(1325239200), 0},
	{"Asia/Gaza", INT64_C(-2208988800), 8272},
	{"Asia/Gaza", INT64_C(0), 7200},
	{"Asia/Gaza", INT64_C(1325239199), 7200},
	{"Asia/Gaza", INT64_C(1325239200), 7200},
};

static void test_known_instants(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		int32_t offset_s = -1;
		int r = zone_offset_named(
			ZONE_FOLDER, span_str(known[i].zone), known[i].at_s, &offset_s);

		if (r != 0 || offset_s != known[i].offset_s)
			fail_msg("%s at %lld: %d, %d", known[i].zone, (long long)known[i].at_s, r,
				offset_s);
	}
}

/* The C library's answer; TZ is set by the caller. */
static int32_t libc_offset_s(int64_t at_s)
{
	time_t t = (time_t)at_s;
	struct tm tm = {0};

	assert_non_null(localtime_r(&t, &tm));
	return (int32_t)tm.tm_gmtoff;
}

static void compare_at(const char *name, const struct zone *z, int64_t at_s)
{
	int32_t mine = -1;

	assert_int_equal(zone_offset_s(z, at_s, &mine), 0);
	if (mine != libc_offset_s(at_s))
		fail_msg("%s at %lld: %d, the C library says %d", name, (long long)at_s, mine,
			libc_offset_s(at_s));
}

static int64_t transition_s(const struct zone *z, size_t i)
{
	int64_t v = 0;

	for (size_t k = 0; k < 8; k++)
		v = (int64_t)((uint64_t)v << 8 | z->times.p[i * 8 + k]);
	return v;
}

static void compare_zone(const char *name, const struct zone *z)
{
	char tz[128];

	(void)snprintf(tz, sizeof(tz), ":%s", name);
	assert_int_equal(setenv("TZ", tz, 1), 0);
	tzset();
	for (size_t i = 0; i < z->count; i++) {
		/* The first instant of all is there for programs that want one. */
		if (transition_s(z, i) < -(INT64_C(1) << 40))
			continue;
		compare_at(name, z, transition_s(z, i) - 1);
		compare_at(name, z, transition_s(z, i));
	}
	/* Every 41 days of 60 years, and a year each in some later centuries. */
	for (int64_t at_s = INT64_C(1750000000); at_s < INT64_C(3650000000); at_s += 41 * 86399)
		compare_at(name, z, at_s);
	for (int64_t at_s = INT64_C(7000000000); at_s < INT64_C(7032000000); at_s += 3600 * 7)
		compare_at(name, z, at_s);
}

static void load(const char *name, struct buf *b)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", ZONE_FOLDER, name);
	assert_int_equal(service_read_file(path, b), 0);
}

/* The names are found here in another way than zone_is_listed() does. */
static void test_every_zone(void **state)
{
	struct buf list = BUF_INIT(ZONE_LIST_MAX);
	size_t zones = 0;
	char *line, *next;

	(void)state;
	load("tzdata.zi", &list);
	for (line = (char *)list.p; line != NULL && *line != '\0'; line = next) {
		char name[64] = "";
		struct buf tzif = BUF_INIT(ZONE_FILE_MAX);
		struct zone z;

		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (sscanf(line, "Z %63s", name) != 1 && sscanf(line, "L %*s %63s", name) != 1)
			continue;
		load(name, &tzif);
		assert_int_equal(zone_parse(buf_span(&tzif), &z), 0);
		compare_zone(name, &z);
		buf_done(&tzif);
		zones++;
	}
	assert_true(zones > 400);
	buf_done(&list);
}

static void test_names(void **state)
{
	static const char *const strangers[] = {"", "Europe", "europe/berlin", "Europe/Berlin ",
		"/etc/passwd", "../../../etc/passwd", "Europe/../Europe/Berlin",
		"posix/Europe/Berlin", "tzdata.zi", "zone.tab", "Nowhere/At_All", "-", "Z", "L",
		"R"};
	int32_t offset_s = 77;

	(void)state;
	assert_int_equal(
		zone_offset_named(ZONE_FOLDER, SPAN_LIT("Europe/Berlin"), 0, &offset_s), 0);
	assert_int_equal(offset_s, 3600);
	for (size_t i = 0; i < COUNT(strangers); i++) {
		offset_s = 77;
		assert_int_equal(
			zone_offset_named(ZONE_FOLDER, span_str(strangers[i]), 0, &offset_s),
			-ENOENT);
		assert_int_equal(offset_s, 77);
	}
	assert_int_equal(zone_offset_named("/nonexistent", SPAN_LIT("UTC"), 0, &offset_s), 0);
	assert_int_equal(offset_s, 0);
	assert_int_equal(zone_offset_named("/nonexistent", SPAN_LIT("Europe/Berlin"), 0, &offset_s),
		-ENODATA);
}

static void test_lists(void **state)
{
	struct span zi = SPAN_LIT("# version 2025b\nR d 1916 o - Jun 14 23s 1 S\n"
				  "Z Africa/Algiers 0:12:12 - LMT 1891\n0:9:21 - PMT 1911\n"
				  "L Asia/Tokyo Japan\nZ Last/One 1 - X");
	struct span tab =
		SPAN_LIT("#codes\tcoordinates\tTZ\n"
			 "AD\t+4230+00131\tEurope/Andorra\n"
			 "AR\t-3436-05827\tAmerica/Argentina/Buenos_Aires\tBuenos Aires\n");

	(void)state;
	assert_true(zone_is_listed(zi, SPAN_LIT("Africa/Algiers")));
	assert_true(zone_is_listed(zi, SPAN_LIT("Japan")));
	assert_true(zone_is_listed(zi, SPAN_LIT("Last/One")));
	assert_false(zone_is_listed(zi, SPAN_LIT("Asia/Tokyo")));
	assert_false(zone_is_listed(zi, SPAN_LIT("d")));
	assert_false(zone_is_listed(zi, SPAN_LIT("version")));
	assert_false(zone_is_listed(zi, SPAN_LIT("")));
	assert_true(zone_is_listed(tab, SPAN_LIT("Europe/Andorra")));
	assert_true(zone_is_listed(tab, SPAN_LIT("America/Argentina/Buenos_Aires")));
	assert_false(zone_is_listed(tab, SPAN_LIT("Buenos Aires")));
	assert_false(zone_is_listed(tab, SPAN_LIT("TZ")));
}

static int32_t by_rule(const char *text, int64_t at_s)
{
	struct zone_rule rule;
	int32_t offset_s = -1;

	assert_int_equal(zone_rule_parse(span_str(text), &rule), 0);
	assert_int_equal(zone_rule_offset_s(&rule, at_s, &offset_s), 0);
	return offset_s;
}

/* 1767225600 is 2026-01-01, 1830297600 is 2028-01-01, a leap year. */
static void test_rules(void **state)
{
	(void)state;
	assert_int_equal(by_rule("UTC0", 0), 0);
	assert_int_equal(by_rule("<+0545>-5:45", 0), 20700);
	assert_int_equal(by_rule("XXX3:30:15YYY,J1/0,J365/0", 0), -12615);
	/* Summer time is one hour unless said, and starts at two unless said. */
	assert_int_equal(by_rule("AAA1BBB,J60,300", 1767225600), -3600);
	assert_int_equal(by_rule("AAA0BBB,J60,300", 1767225600 + 59 * 86400 + 7199), 0);
	assert_int_equal(by_rule("AAA0BBB,J60,300", 1767225600 + 59 * 86400 + 7200), 3600);
	/* In a leap year J60 is still the 1st of March, and 59 without J the 29th of February. */
	assert_int_equal(by_rule("AAA0BBB,J60/0,300", 1830297600 + 60 * 86400 - 1), 0);
	assert_int_equal(by_rule("AAA0BBB,J60/0,300", 1830297600 + 60 * 86400), 3600);
	assert_int_equal(by_rule("AAA0BBB,59/0,300", 1830297600 + 59 * 86400 - 1), 0);
	assert_int_equal(by_rule("AAA0BBB,59/0,300", 1830297600 + 59 * 86400), 3600);
	/* Summer all year (RFC 9636 section 3.3.1), at both ends of a year. */
	assert_int_equal(by_rule("EST5EDT,0/0,J365/25", 1767225600), -14400);
	assert_int_equal(by_rule("EST5EDT,0/0,J365/25", 1767225600 + 18000), -14400);
	assert_int_equal(by_rule("EST5EDT,0/0,J365/25", 1767225600 - 1), -14400);
	/* Beyond the calendar there is no answer. */
	struct zone_rule rule;
	int32_t offset_s;

	assert_int_equal(zone_rule_parse(SPAN_LIT("AAA0BBB,J60,300"), &rule), 0);
	assert_int_equal(zone_rule_offset_s(&rule, INT64_MAX, &offset_s), -ERANGE);
	assert_int_equal(zone_rule_offset_s(&rule, INT64_MIN, &offset_s), -ERANGE);
	assert_int_equal(zone_rule_offset_s(&rule, INT64_C(400000000000), &offset_s), -ERANGE);
}

static void test_bad_rules(void **state)
{
	static const char *const bad[] = {"", "0", "AB0", "AAA", "<AAA0", "AAA25", "AAA0BBB",
		"AAA0BBB,", "AAA0BBB,M3.5.0", "AAA0BBB,M13.1.0,M1.1.0", "AAA0BBB,M0.1.0,M1.1.0",
		"AAA0BBB,M1.6.0,M1.1.0", "AAA0BBB,M1.0.0,M1.1.0", "AAA0BBB,M1.1.7,M1.1.0",
		"AAA0BBB,J0,J5", "AAA0BBB,J366,J5", "AAA0BBB,366,5", "AAA0BBB,M3.5.0,M10.5.0,",
		"AAA0BBB,M3.5.0,M10.5.0x", "AAA0BBB,M3.5.0/168,M10.5.0", "AAA0BBB,M3.5.0/2:60,J1",
		"AAA 0", "AAA0:", "AAA0000", "AAA--1", "AAA0BBB1 ,J1,J2"};
	struct zone_rule rule;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (zone_rule_parse(span_str(bad[i]), &rule) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
}

/* Every shortening and every flip of a byte either parses or is refused; none reads outside. */
static void test_broken_data(void **state)
{
	struct buf tzif = BUF_INIT(ZONE_FILE_MAX);
	struct zone z;
	int32_t offset_s;
	size_t refused = 0;

	(void)state;
	load("Europe/Dublin", &tzif);
	for (size_t len = 0; len < tzif.len; len++) {
		unsigned char *copy = malloc(len > 0 ? len : 1);

		memcpy(copy, tzif.p, len);
		assert_int_equal(zone_parse(span_of(copy, len), &z), -EBADMSG);
		free(copy);
	}
	for (size_t i = 0; i < tzif.len; i++) {
		tzif.p[i] ^= 0xff;
		if (zone_parse(buf_span(&tzif), &z) < 0)
			refused++;
		else
			(void)zone_offset_s(&z, 1767225600, &offset_s);
		tzif.p[i] ^= 0xff;
	}
	assert_true(refused > 100);
	buf_add_byte(&tzif, 'x');
	assert_int_equal(zone_parse(buf_span(&tzif), &z), -EBADMSG);
	buf_done(&tzif);
}

/* Times with leap seconds counted in are not our clock's. */
static void test_leap_seconds_are_refused(void **state)
{
	struct buf tzif = BUF_INIT(ZONE_FILE_MAX);
	struct zone z;

	(void)state;
	if (access(ZONE_FOLDER "/right/Europe/Berlin", R_OK) != 0)
		skip();
	load("right/Europe/Berlin", &tzif);
	assert_int_equal(zone_parse(buf_span(&tzif), &z), -EBADMSG);
	buf_done(&tzif);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_instants),
		cmocka_unit_test(test_every_zone),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_bad_rules),
		cmocka_unit_test(test_broken_data),
		cmocka_unit_test(test_leap_seconds_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
