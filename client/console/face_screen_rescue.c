/*
 * A program that dies while the screen is on leaves a terminal without echo and with another
 * screen. What ends that is made ready beforehand, so that a handler of a signal can send it.
 */
#include "client/console/face_screen.h"

#include <curses.h>
#include <signal.h>
#include <term.h>
#include <unistd.h>

enum { RESCUE_STACK = 64 << 10 };

static struct {
	volatile sig_atomic_t on;
	pid_t pid;
	bool begun, known;
	struct termios cooked;
	char bytes[256];
	size_t len;
} rescue;

static void undo(void)
{
	if (rescue.on == 0 || getpid() != rescue.pid)
		return;
	rescue.on = 0;
	if (rescue.len > 0 && write(STDOUT_FILENO, rescue.bytes, rescue.len) < 0)
		return;
	if (rescue.known)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &rescue.cooked);
}

/* SA_RESETHAND: raised again, it ends the process. */
static void die(int number)
{
	undo();
	(void)raise(number);
}

static void handlers_set(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM, SIGXCPU};
	struct sigaction now = {.sa_handler = die, .sa_flags = (int)(SA_RESETHAND | SA_ONSTACK)},
			 before;
	static unsigned char stack[RESCUE_STACK];
	const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
	stack_t other;

	/* A task whose stack is full has none for a handler. */
	if (sigaltstack(NULL, &other) == 0 && (other.ss_flags & SS_DISABLE) != 0)
		(void)sigaltstack(&own, NULL);
	sigemptyset(&now.sa_mask);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
			(void)sigaction(numbers[i], &now, NULL);
}

bool face_rescue_begin(void)
{
	int found = 0;
	bool known = setupterm(NULL, STDOUT_FILENO, &found) == OK && tigetstr("cup") != NULL;

	/* Only asked: newterm() reads it again. */
	if (cur_term != NULL)
		(void)del_curterm(cur_term);
	if (!known)
		return false;
	rescue.known = tcgetattr(STDIN_FILENO, &rescue.cooked) == 0;
	rescue.pid = getpid();
	if (!rescue.begun) {
		rescue.begun = true;
		handlers_set();
		(void)atexit(undo);
	}
	return true;
}

static void add(const char *bytes)
{
	size_t len = bytes != NULL ? strlen(bytes) : 0;

	if (len == 0 || rescue.len + len > sizeof rescue.bytes)
		return;
	memcpy(rescue.bytes + rescue.len, bytes, len);
	rescue.len += len;
}

void face_rescue_on(bool on)
{
	static const char *const names[] = {"sgr0", "rmkx", "cnorm", "rmcup"};

	if (on && rescue.len == 0) {
		add("\x1b[?2004l");
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			add(tigetstr(names[i]));
		add("\r\n");
	}
	rescue.on = on;
}
