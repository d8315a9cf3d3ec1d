/* What quintetctl says to people: sentences on standard output, complaints on standard error. */
#include "ctl.h"

#include <errno.h>
#include <stdarg.h>

__attribute__((format(printf, 1, 0))) static void complain(const char *format, va_list ap)
{
	(void)fflush(stdout); /* what was said before stands before */
	(void)fputs("quintetctl: ", stderr);
	(void)vfprintf(stderr, format, ap);
}

void ctl_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	complain(format, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

static int status_of(int error)
{
	if (err_is_temporary(error))
		return CTL_TEMP;
	return CTL_REFUSED;
}

int ctl_fail(int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	complain(format, ap);
	va_end(ap);
	(void)fprintf(stderr, ": %s\n", err_text(error));
	return status_of(error);
}

void ctl_say(const struct ctl *c, const char *format, ...)
{
	va_list ap;

	if (c->json)
		return;
	va_start(ap, format);
	(void)vprintf(format, ap);
	va_end(ap);
	(void)putchar('\n');
}
