/* FTP's numbers, times, addresses, facts and listings. */
#include "proto/ftp.h"

#include "base/timefmt.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_size(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_int_equal(ftp_size_parse(SPAN_LIT("0"), &v), 0);
	assert_true(v == 0);
	assert_int_equal(ftp_size_parse(SPAN_LIT("9223372036854775807"), &v), 0);
	assert_true(v == INT64_MAX);
	assert_int_equal(ftp_size_parse(SPAN_LIT("100 R 5"), &v), 0);
	assert_true(v == 100);
	assert_int_equal(ftp_size_parse(SPAN_LIT("9223372036854775808"), &v), -ERANGE);
	assert_int_equal(ftp_size_parse(SPAN_LIT("99999999999999999999999"), &v), -ERANGE);
	for (size_t i = 0; i < 6; i++) {
		static const char *const bad[] = {"", "-1", "+1", "1x", "1 x", "0x10"};

		assert_int_equal(ftp_size_parse(span_str(bad[i]), &v), -EINVAL);
	}
	assert_true(v == 100);
}

static void test_range(void **state)
{
	uint64_t first, last;
	bool set = false;

	(void)state;
	assert_int_equal(ftp_range_parse(SPAN_LIT("0 0"), &first, &last, &set), 0);
	assert_true(set && first == 0 && last == 0);
	assert_int_equal(ftp_range_parse(SPAN_LIT("5 10"), &first, &last, &set), 0);
	assert_true(set && first == 5 && last == 10);
	assert_int_equal(ftp_range_parse(SPAN_LIT("1 0"), &first, &last, &set), 0);
	assert_false(set);
	assert_int_equal(ftp_range_parse(SPAN_LIT("10 5"), &first, &last, &set), -ERANGE);
	assert_int_equal(ftp_range_parse(SPAN_LIT("10"), &first, &last, &set), -EINVAL);
	assert_int_equal(ftp_range_parse(SPAN_LIT(""), &first, &last, &set), -EINVAL);
	assert_int_equal(ftp_range_parse(SPAN_LIT("1 2 3"), &first, &last, &set), -EINVAL);
}

static void test_time(void **state)
{
	struct buf b = BUF_INIT(64);
	int64_t us = 0;

	(void)state;
	assert_int_equal(ftp_time_parse(SPAN_LIT("20261121064524"), &us), 0);
	ftp_time_write(&b, us, true);
	assert_string_equal(buf_str(&b), "20261121064524");
	assert_int_equal(ftp_time_parse(SPAN_LIT("20261121064524.125"), &us), 0);
	buf_reset(&b);
	ftp_time_write(&b, us, true);
	assert_string_equal(buf_str(&b), "20261121064524.125000");
	buf_reset(&b);
	ftp_time_write(&b, us, false);
	assert_string_equal(buf_str(&b), "20261121064524");
	assert_int_equal(ftp_time_parse(SPAN_LIT("19700101000000"), &us), 0);
	assert_true(us == 0);
	assert_int_equal(ftp_time_parse(SPAN_LIT("19691231235959"), &us), 0);
	assert_true(us == -TIME_S_US);
	assert_true(ftp_time_parse(SPAN_LIT("20261321064524"), &us) < 0);
	assert_true(ftp_time_parse(SPAN_LIT("20260230064524"), &us) < 0);
	for (size_t i = 0; i < 6; i++) {
		static const char *const bad[] = {"", "2026112106452", "20261121064524.",
			"20261121064524x", "2026112106452x", "20261121064524.1x"};

		assert_int_equal(ftp_time_parse(span_str(bad[i]), &us), -EINVAL);
	}
	buf_done(&b);
}

static void test_addresses(void **state)
{
	static const char *const bad_eprt[] = {"", "|", "|1|127.0.0.1|0|", "|1|127.0.0.1|70000|",
		"|1|127.0.0.1|5", "|1|::1|5|", "|2|127.0.0.1|5|", "|1|127.0.0.1|5|x", "|1||5|",
		"|1|127.0.0.1|5||"};
	static const char *const bad_port[] = {
		"", "1,2,3,4,5", "1,2,3,4,5,256", "1,2,3,4,5,6,7", "1,2,3,4,5,6,", "a,2,3,4,5,6"};
	struct ftp_address a = {0};
	uint16_t port = 0;

	(void)state;
	assert_int_equal(ftp_port_parse(SPAN_LIT("127,0,0,1,4,1"), &a), 0);
	assert_true(a.family == 1 && a.port == 1025 && a.host[0] == 127 && a.host[3] == 1);
	assert_int_equal(ftp_eprt_parse(SPAN_LIT("|1|132.235.1.2|6275|"), &a), 0);
	assert_true(a.family == 1 && a.port == 6275 && a.host[0] == 132);
	assert_int_equal(ftp_eprt_parse(SPAN_LIT("!2!1080::8:800:200C:417A!5282!"), &a), 0);
	assert_true(a.family == 2 && a.port == 5282 && a.host[0] == 0x10 && a.host[1] == 0x80);
	assert_int_equal(ftp_eprt_parse(SPAN_LIT("|3|x|5|"), &a), -EAFNOSUPPORT);
	for (size_t i = 0; i < COUNT(bad_eprt); i++)
		assert_int_equal(ftp_eprt_parse(span_str(bad_eprt[i]), &a), -EINVAL);
	for (size_t i = 0; i < COUNT(bad_port); i++)
		assert_int_equal(ftp_port_parse(span_str(bad_port[i]), &a), -EINVAL);
	assert_int_equal(ftp_pasv_read(SPAN_LIT("Entering (10,0,0,1,255,254)."), &a), 0);
	assert_true(a.port == 65534 && a.host[0] == 10);
	assert_int_equal(ftp_pasv_read(SPAN_LIT("Entering 10,0,0,1,255,254"), &a), -EPROTO);
	assert_int_equal(ftp_epsv_read(SPAN_LIT("go (|||6446|)"), &port), 0);
	assert_int_equal(port, 6446);
	assert_int_equal(ftp_epsv_read(SPAN_LIT("go (|||0|)"), &port), -EPROTO);
	assert_int_equal(ftp_epsv_read(SPAN_LIT("go (|||6446)"), &port), -EPROTO);
	assert_int_equal(ftp_epsv_read(SPAN_LIT("go (||||)"), &port), -EPROTO);
	assert_int_equal(ftp_epsv_read(SPAN_LIT("go (|||6446|"), &port), -EPROTO);
}

static struct ftp_entry sample(void)
{
	struct ftp_entry e = {.type = FTP_ENTRY_FILE,
		.size = UINT64_C(5000000000),
		.perm = "adfrw",
		.unique = {0xfd00, 0x1234},
		.owner = "anna",
		.has_digest = true};

	assert_int_equal(ftp_time_parse(SPAN_LIT("20261121064524"), &e.modify_us), 0);
	memset(e.digest, 0xab, sizeof(e.digest));
	return e;
}

static void test_facts(void **state)
{
	struct ftp_entry e = sample(), back;
	struct buf b = BUF_INIT(4096);
	struct span name;
	unsigned there;

	(void)state;
	ftp_facts_write(&b, &e, FTP_FACT_ALL, " a; b=c ");
	assert_non_null(strstr(buf_str(&b),
		"type=file;size=5000000000;modify=20261121064524;"
		"perm=adfrw;unique=fd00g1234;UNIX.ownername=anna;"
		"X.sha256=abab"));
	assert_int_equal(ftp_facts_read(buf_span(&b), &back, &there, &name), 0);
	assert_int_equal(there, FTP_FACT_ALL);
	assert_true(span_eq_str(name, " a; b=c "));
	assert_true(back.size == e.size && back.modify_us == e.modify_us && back.has_digest);
	assert_string_equal(back.owner, "anna");
	assert_string_equal(back.perm, "adfrw");
	assert_memory_equal(back.digest, e.digest, 32);
	assert_true(back.unique[0] == 0xfd00 && back.unique[1] == 0x1234);
	buf_reset(&b);
	e.type = FTP_ENTRY_FOLDER;
	e.has_digest = false;
	ftp_facts_write(&b, &e, FTP_FACT_TYPE | FTP_FACT_SIZE | FTP_FACT_DIGEST, "d");
	assert_string_equal(buf_str(&b), "type=dir; d");
	buf_done(&b);
}

static void test_facts_of_others(void **state)
{
	static const char *const bad[] = {"", "type=file;", "type=file; ", "type; x",
		"type=file;size=-1; x", "type=OS.unix=slink:; x", "X.sha256=ab; x",
		"modify=yesterday; x", "UNIX.ownername=\x01; x"};
	struct ftp_entry e;
	struct span name;
	unsigned there;

	(void)state;
	assert_int_equal(ftp_facts_read(SPAN_LIT("Type=FILE;Size=3;media-type=x;UNIX.mode=0644; n"),
				 &e, &there, &name),
		0);
	assert_int_equal(there, FTP_FACT_TYPE | FTP_FACT_SIZE);
	assert_true(e.size == 3 && span_eq_str(name, "n"));
	assert_int_equal(ftp_facts_read(SPAN_LIT(" n"), &e, &there, &name), 0);
	assert_int_equal(there, 0);
	assert_int_equal(
		ftp_facts_read(SPAN_LIT("type=cdir;unique=xyz!; ."), &e, &there, &name), 0);
	assert_true(e.type == FTP_ENTRY_SELF && e.unique[0] == 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(ftp_facts_read(span_str(bad[i]), &e, &there, &name), -EPROTO);
}

static void test_fact_names(void **state)
{
	struct buf b = BUF_INIT(256);

	(void)state;
	ftp_facts_names(&b, FTP_FACT_TYPE | FTP_FACT_SIZE, true);
	assert_string_equal(buf_str(&b), "type*;size*;modify;perm;unique;UNIX.ownername;X.sha256;");
	buf_reset(&b);
	ftp_facts_names(&b, ftp_facts_select(SPAN_LIT("Size;nonsense;TYPE;")), false);
	assert_string_equal(buf_str(&b), "type;size;");
	assert_int_equal(ftp_facts_select(SPAN_LIT("")), 0);
	buf_done(&b);
}

static void test_list(void **state)
{
	struct ftp_entry e = sample();
	struct buf b = BUF_INIT(512);

	(void)state;
	ftp_list_write(&b, &e, e.modify_us + TIME_S_US, "a b");
	assert_string_equal(
		buf_str(&b), "-rw-r-----   1 anna     quintet    5000000000 Nov 21 06:45 a b");
	buf_reset(&b);
	e.type = FTP_ENTRY_FOLDER;
	e.owner[0] = '\0';
	memcpy(e.perm, "el", 3);
	ftp_list_write(&b, &e, e.modify_us + INT64_C(400) * 86400 * TIME_S_US, "d");
	assert_string_equal(
		buf_str(&b), "dr-xr-x---   2 nobody   quintet             0 Nov 21  2026 d");
	buf_done(&b);
}

static void test_hash(void **state)
{
	enum ftp_hash h = FTP_HASH_COUNT;
	static unsigned char big[5000];
	uint32_t whole;

	(void)state;
	assert_int_equal(ftp_hash_find(SPAN_LIT("sha-256"), &h), 0);
	assert_int_equal(h, FTP_HASH_SHA256);
	assert_int_equal(ftp_hash_find(SPAN_LIT("MD5"), &h), -EINVAL);
	assert_string_equal(ftp_hash_name(FTP_HASH_CRC32), "CRC32");
	assert_true(ftp_crc32(0, SPAN_LIT("123456789")) == 0xcbf43926U);
	assert_true(ftp_crc32(0, SPAN_LIT("")) == 0);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (unsigned char)(i * 7 + i / 251);
	whole = ftp_crc32(0, span_of(big, sizeof(big)));
	for (size_t cut = 0; cut < 40; cut++)
		assert_true(ftp_crc32(ftp_crc32(0, span_of(big, cut)),
				    span_of(big + cut, sizeof(big) - cut)) == whole);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_facts_of_others),
		cmocka_unit_test(test_fact_names),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests_name("proto_ftp_facts", tests, NULL, NULL);
}
