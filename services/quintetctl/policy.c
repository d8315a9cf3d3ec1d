/* quintetctl get and set: the policy settings of the store, from their one table. */
#include "ctl.h"

#include "auth/password.h"
#include "base/timefmt.h"
#include "store/policy.h"

#include <errno.h>

struct unit {
	const char *name;
	uint64_t size;
};

/* In the largest unit that leaves nothing over, as set takes it. */
static void bound_add(struct buf *b, const struct policy_row *row, uint64_t value)
{
	static const struct unit durations[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}},
				 sizes[] = {{"T", UINT64_C(1) << 40}, {"G", UINT64_C(1) << 30},
					 {"M", UINT64_C(1) << 20}, {"K", UINT64_C(1) << 10},
					 {"", 1}};
	const struct unit *u = row->kind == POLICY_SIZE ? sizes : durations;

	if (value == 0 || row->kind == POLICY_NUMBER) {
		buf_addf(b, "%llu", (unsigned long long)value);
		return;
	}
	while (value % u->size != 0)
		u++;
	buf_addf(b, "%llu%s", (unsigned long long)(value / u->size), u->name);
}

static const char *range_of(const struct policy_row *row, struct buf *b)
{
	buf_reset(b);
	if (row->kind == POLICY_CHOICE) {
		buf_add_str(b, row->choices);
	} else if (row->kind == POLICY_TEXT || row->kind == POLICY_SECRET) {
		buf_addf(b, "at most %llu bytes", (unsigned long long)row->max);
	} else {
		bound_add(b, row, row->min);
		buf_add_str(b, " to ");
		bound_add(b, row, row->max);
	}
	return buf_str(b);
}

/* What is stored of a secret tells people nothing. */
static const char *shown(const struct policy_row *row, const char *value)
{
	return row->kind == POLICY_SECRET && *value != '\0' ? "(set)" : value;
}

static int add_row(struct ctl *c, struct ctl_table *t, const struct policy_row *row)
{
	_cleanup_(buf_done) struct buf range = BUF_INIT(128);
	char value[POLICY_VALUE_SIZE];
	int r = policy_text(c->store, row->name, value);

	if (r < 0)
		return r;
	ctl_cell(t, "%s", row->name);
	ctl_cell(t, "%s", shown(row, value));
	ctl_cell(t, "%s", row->standard);
	ctl_cell(t, "%s", range_of(row, &range));
	ctl_cell(t, "%s", row->meaning);
	return 0;
}

static int no_setting(const char *name)
{
	ctl_warn("there is no setting %s; quintetctl get lists them", name);
	return CTL_REFUSED;
}

/* The bare value of one setting, so that a script needs no parser. */
static int print_one(struct ctl *c, const char *name)
{
	char value[POLICY_VALUE_SIZE];
	int r = policy_text(c->store, name, value);

	if (r == -ENOENT)
		return no_setting(name);
	if (r < 0)
		return ctl_fail(r, "cannot read %s", name);
	(void)puts(shown(policy_find(name), value));
	return CTL_OK;
}

static int run_get(struct ctl *c, const struct ctl_args *a)
{
	static const struct ctl_column columns[] = {{"setting", CTL_TEXT}, {"value", CTL_TEXT},
		{"default", CTL_TEXT}, {"range", CTL_TEXT}, {"meaning", CTL_TEXT}};
	_cleanup_(ctl_table_done) struct ctl_table t = CTL_TABLE(columns);
	const struct policy_row *row;
	size_t i;
	int r = ctl_store(c, STORE_READ);

	if (r != CTL_OK)
		return r;
	if (a->words > 0 && !c->json)
		return print_one(c, a->word[0]);
	if (a->words > 0) {
		row = policy_find(a->word[0]);
		if (row == NULL)
			return no_setting(a->word[0]);
		r = add_row(c, &t, row);
		return r < 0 ? ctl_fail(r, "cannot read %s", row->name) : ctl_table_record(c, &t);
	}
	for (i = 0; i < policy_count; i++) {
		r = add_row(c, &t, &policy_table[i]);
		if (r < 0)
			return ctl_fail(r, "cannot read %s", policy_table[i].name);
	}
	return ctl_table_rows(c, &t);
}

static const struct ctl_option set_options[] = {{"default", NULL, false}, {.name = NULL}};

/* The refusal in the terms of the setting's own row. */
static int refuse(const struct policy_row *row, const char *value)
{
	_cleanup_(buf_done) struct buf range = BUF_INIT(128);

	ctl_warn("%s: %s, not \"%s\"", row->name, range_of(row, &range), value);
	return CTL_REFUSED;
}

/* A secret is kept as its hash. With "-" it is read, as arguments are seen by all who are on this
 * machine. */
static int take_secret(
	const struct policy_row *row, const char *given, char ret_hash[PASSWORD_HASH_SIZE])
{
	_cleanup_(buf_wipe) struct buf secret = BUF_INIT(PASSWORD_MAX + 1);
	int r = CTL_OK;

	if (strcmp(given, "-") == 0)
		r = ctl_password_read(NULL, NULL, &secret);
	else
		buf_add_str(&secret, given);
	if (r != CTL_OK)
		return r;
	if (policy_validate(row, buf_span(&secret)) < 0)
		return refuse(row, "(secret)");
	r = password_hash(buf_span(&secret), NULL, ret_hash);
	return r < 0 ? ctl_fail(r, "cannot hash %s", row->name) : CTL_OK;
}

static int take_value(const struct policy_row *row, const char *given, char ret[POLICY_VALUE_SIZE])
{
	char hash[PASSWORD_HASH_SIZE];
	int r = CTL_OK;

	if (policy_validate(row, span_str(given)) < 0)
		return refuse(row, shown(row, given));
	if (row->kind == POLICY_SECRET) {
		r = take_secret(row, given, hash);
		given = hash;
	}
	if (r == CTL_OK)
		(void)snprintf(ret, POLICY_VALUE_SIZE, "%s", given);
	return r;
}

static int run_set(struct ctl *c, const struct ctl_args *a)
{
	struct policy_set_args args = {.by = CTL_BY, .now_us = time_now_us()};
	const struct policy_row *row = policy_find(a->word[0]);
	const char *value = a->words > 1 ? a->word[1] : "";
	int r;

	if ((a->words > 1) == (a->option[0] != NULL)) {
		ctl_warn("set: either a value or --default");
		return CTL_USAGE;
	}
	if (row == NULL)
		return no_setting(a->word[0]);
	if (a->words > 1 && *value == '\0')
		return refuse(row, value);
	(void)snprintf(args.name, sizeof(args.name), "%s", row->name);
	r = a->words > 1 ? take_value(row, value, args.value) : CTL_OK;
	if (r == CTL_OK)
		r = ctl_store(c, STORE_WRITE);
	if (r != CTL_OK)
		return r;
	r = store_call(c->store, STORE_OP_POLICY_SET, &args, NULL);
	if (r == -EINVAL || r == -ERANGE)
		return refuse(row, shown(row, value));
	if (r < 0)
		return ctl_fail(r, "cannot set %s", row->name);
	value = *value != '\0' ? shown(row, value) : row->standard;
	ctl_say(c, "%s is %s now; new sessions see it at once.", row->name,
		*value != '\0' ? value : "empty");
	return CTL_OK;
}

const struct ctl_command ctl_policy_commands[] = {
	{"get", NULL, "[SETTING]", 0, 1, NULL, CTL_AS_ADMIN, run_get,
		"show the policy settings, or the value of one"},
	{"set", NULL, "SETTING [VALUE]", 1, 2, set_options, CTL_AS_ADMIN, run_set,
		"change one, or give it back its default"},
	{.noun = NULL}};
