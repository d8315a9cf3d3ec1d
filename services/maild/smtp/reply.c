/*
 * Everything that is said goes through here, so that no reply can hold a line end or a control byte
 * that an address or a name brought along. Replies have enhanced status codes (RFC 2034, 3463).
 */
#include "services/maild/smtp/smtp.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdarg.h>

static void scrub(char *p)
{
	for (; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
}

static int say(struct smtp_session *s, unsigned code, char mark, const char *status,
	const char *format, va_list args) __attribute__((format(printf, 5, 0)));

static int say(struct smtp_session *s, unsigned code, char mark, const char *status,
	const char *format, va_list args)
{
	char text[SMTP_REPLY_MAX - 16];

	if (vsnprintf(text, sizeof(text), format, args) < 0)
		return -EINVAL;
	scrub(text);
	s->unsent++;
	return conn_printf(
		s->conn, "%u%c%s%s%s\r\n", code, mark, status, *status != '\0' ? " " : "", text);
}

int smtp_say(struct smtp_session *s, unsigned code, const char *status, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = say(s, code, ' ', status, format, args);
	va_end(args);
	return r;
}

int smtp_say_more(
	struct smtp_session *s, unsigned code, const char *status, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = say(s, code, '-', status, format, args);
	va_end(args);
	return r;
}

int smtp_refuse(struct smtp_session *s, unsigned code, const char *status, const char *format, ...)
{
	va_list args;
	int r;

	s->bad++;
	va_start(args, format);
	r = say(s, code, ' ', status, format, args);
	va_end(args);
	return r;
}

int smtp_say_failure(struct smtp_session *s, int error, const char *what)
{
	log_event(LOG_LEVEL_ERR, what, log_fields({"ERROR", span_str(err_text(error))}));
	if (error == -ENOSPC || error == -EFBIG)
		return smtp_say(
			s, 452, "4.3.1", "There is no room at the moment; try again later.");
	return smtp_say(s, 451, "4.3.0", "Not possible at the moment; try again later.");
}
