/* How quintet speaks: failures on standard error, results on standard output, exit codes. */
#include "client/client.h"
#include "client/table.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>

static struct {
	void (*tell)(void *arg, bool error, const char *text);
	void *arg;
} sink;

void client_sink(void (*tell)(void *arg, bool error, const char *text), void *arg)
{
	sink.tell = tell;
	sink.arg = arg;
}

bool client_told(const char *text)
{
	if (sink.tell != NULL)
		sink.tell(sink.arg, false, text);
	return sink.tell != NULL;
}

static void sink_tell(bool error, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));
static void sink_tell(bool error, const char *format, va_list ap)
{
	char text[2048];

	vsnprintf(text, sizeof text, format, ap);
	sink.tell(sink.arg, error, text);
}

static void fail_tell(const char *format, va_list ap) __attribute__((format(printf, 1, 0)));
static void fail_tell(const char *format, va_list ap)
{
	if (sink.tell != NULL) {
		sink_tell(true, format, ap);
		return;
	}
	(void)fflush(stdout);
	fputs("quintet: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
}

int client_fail(int code, const char *format, ...)
{
	va_list ap;

	/* Whoever pressed Ctrl-C knows. */
	if (code == CLIENT_INTERRUPTED)
		return code;
	va_start(ap, format);
	fail_tell(format, ap);
	va_end(ap);
	return code;
}

int client_usage(const struct client *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fail_tell(format, ap);
	va_end(ap);
	if (sink.tell == NULL)
		fprintf(stderr, "usage: quintet %s\n",
			c->command != NULL ? c->command->usage : "[OPTION ...] COMMAND ...");
	return ERR_EXIT_CONFIG;
}

int client_exit_of(int error)
{
	if (error >= 0)
		return CLIENT_OK;
	if (error == -ECANCELED)
		return CLIENT_INTERRUPTED;
	if (error == -EKEYREJECTED)
		return CLIENT_UNTRUSTED;
	return error == -EINVAL ? ERR_EXIT_CONFIG : ERR_EXIT_TEMP;
}

const char *client_why(int error)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{-ETIMEDOUT, "no answer in time"},
		{-ECONNRESET, "the connection was cut"},
		{-EPIPE, "the connection was cut"},
		{-EPROTO, "that is not the protocol expected"},
		{-EBADMSG, "the answer is malformed"},
		{-EMSGSIZE, "the answer is too long"},
		{-ENXIO, "no such host"},
		{-EAGAIN, "the name server does not answer"},
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].error == error)
			return texts[i].text;
	return err_text(error);
}

int client_done(const struct client *c, const struct table_pair *pairs, size_t count,
	const char *format, ...)
{
	va_list ap;

	if (c->json) {
		table_print_pairs(pairs, count, true);
		return CLIENT_OK;
	}
	va_start(ap, format);
	if (sink.tell != NULL) {
		sink_tell(false, format, ap);
	} else {
		vprintf(format, ap);
		putchar('\n');
	}
	va_end(ap);
	return CLIENT_OK;
}

void client_signals(sigset_t *ret)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

	sigemptyset(ret);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		sigaddset(ret, numbers[i]);
}

bool client_interrupted(const struct client *c)
{
	struct pollfd p = {.fd = c->signal_fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

int client_wake(void *arg)
{
	return client_interrupted(arg) ? -ECANCELED : 0;
}
