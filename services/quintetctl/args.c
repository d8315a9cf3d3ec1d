/* The command line: options by the command's own table, numbers and names checked. */
#include "ctl.h"

#include "auth/name.h"
#include "base/num.h"

#include <errno.h>

static const struct ctl_option no_options[] = {{.name = NULL}};

static const struct ctl_option *options_of(const struct ctl_command *cmd)
{
	return cmd->options != NULL ? cmd->options : no_options;
}

void ctl_usage(FILE *to, const struct ctl_command *cmd)
{
	const struct ctl_option *o;

	(void)fprintf(to, "usage: quintetctl [--json] %s%s%s", cmd->noun,
		cmd->verb != NULL ? " " : "", cmd->verb != NULL ? cmd->verb : "");
	for (o = options_of(cmd); o->name != NULL; o++)
		(void)fprintf(to, " [--%s%s%s]%s", o->name, o->value != NULL ? " " : "",
			o->value != NULL ? o->value : "", o->many ? "..." : "");
	(void)fprintf(to, "%s%s\n", *cmd->words != '\0' ? " " : "", cmd->words);
}

static int usage(const struct ctl_command *cmd, const char *what, const char *which)
{
	ctl_warn("%s %s", what, which);
	ctl_usage(stderr, cmd);
	return CTL_USAGE;
}

/* "--name", "--name=value" or "--name value": *i moves on behind what was used. */
static int read_option(
	const struct ctl_command *cmd, int argc, char **argv, int *i, struct ctl_args *ret)
{
	const char *arg = argv[*i] + 2;
	const char *equals = strchr(arg, '=');
	size_t len = equals != NULL ? (size_t)(equals - arg) : strlen(arg);
	const struct ctl_option *o = options_of(cmd);
	const char *value = "";

	while (o->name != NULL && !(strlen(o->name) == len && memcmp(o->name, arg, len) == 0))
		o++;
	if (o->name == NULL)
		return usage(cmd, "there is no option", argv[*i]);
	if (o->value == NULL && equals != NULL)
		return usage(cmd, "no value is taken by", argv[*i]);
	if (o->value != NULL && equals != NULL) {
		value = equals + 1;
	} else if (o->value != NULL) {
		if (*i + 1 >= argc)
			return usage(cmd, "a value is missing behind", argv[*i]);
		value = argv[++*i];
	}
	if (!o->many) {
		ret->option[o - options_of(cmd)] = value;
		return CTL_OK;
	}
	if (ret->many_count == CTL_WORDS_MAX)
		return usage(cmd, "given too often:", argv[*i]);
	ret->many[ret->many_count++] = value;
	return CTL_OK;
}

int ctl_args_read(const struct ctl_command *cmd, int argc, char **argv, struct ctl_args *ret)
{
	bool only_words = false;
	int i, r;

	*ret = (struct ctl_args){0};
	for (i = 0; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
		} else if (!only_words && strncmp(argv[i], "--", 2) == 0) {
			r = read_option(cmd, argc, argv, &i, ret);
			if (r != CTL_OK)
				return r;
		} else if (ret->words == cmd->words_max) {
			return usage(cmd, "one word too many:", argv[i]);
		} else {
			ret->word[ret->words++] = argv[i];
		}
	}
	if (ret->words < cmd->words_min)
		return usage(cmd, "an argument is missing:", cmd->words);
	return CTL_OK;
}

int ctl_number(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	if (num_parse_u64(span_str(text), min, max, ret) == 0)
		return CTL_OK;
	ctl_warn("%s: a number from %llu to %llu, not \"%s\"", what, (unsigned long long)min,
		(unsigned long long)max, text);
	return CTL_USAGE;
}

int ctl_duration_s(const char *what, const char *text, uint64_t *ret)
{
	if (num_parse_duration_s(span_str(text), UINT64_C(3153600000), ret) == 0)
		return CTL_OK;
	ctl_warn("%s: a span of time such as 12h, 7d or 4w, not \"%s\"", what, text);
	return CTL_USAGE;
}

int ctl_name(const char *text, char ret[ACCOUNT_NAME_SIZE])
{
	if (name_fold(span_str(text), ret) == 0)
		return CTL_OK;
	ctl_warn("\"%s\" is no name: a letter, then up to 31 letters, digits, '_' or '-'", text);
	return CTL_USAGE;
}
