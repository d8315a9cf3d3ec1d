/*
 * Writes the seccomp filters of lib/net/sandbox_calls.c as a C header to standard output. Runs at
 * build time only, so that a session pays neither for libseccomp's start-up nor for its memory.
 *
 * Order of the answers: a check on arguments that allows beats the default (EPERM); the deadly
 * calls kill. libseccomp sorts the calls into a binary tree, so a long list costs little.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "lib/net/gen/calls.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Stands for the own process id, which is put in its place when the filter is installed. */
#define OWN_PID_MARK 0x51754E74U

/* The bits of socket()'s second argument that are no flags. */
#define SOCK_TYPES 0xfU

struct profile {
	const char *name;
	bool files, ip, time, accept;
	bool streams; /* Unix sockets that connect: to the keeper, and of cad to the signer; all
			 ring bells and log by datagrams */
};

static const struct profile profiles[] = {
	{"session", .files = true, .streams = true},
	{"session_ip", .files = true, .ip = true, .streams = true},
	{"session_time", .files = true, .time = true, .streams = true},
	{"signer", .streams = true},
	{"keeper", .accept = true},
};

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "seccomp: %s: %s\n", what, strerror(-r));
	exit(1);
}

static void add(scmp_filter_ctx ctx, uint32_t action, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]);

		if (nr == __NR_SCMP_ERROR) {
			fprintf(stderr, "seccomp: %s is unknown to libseccomp\n", names[i]);
			exit(1);
		}
		/* Calls of other architectures (open, time, ...) have negative numbers. */
		if (nr >= 0)
			check(seccomp_rule_add(ctx, action, nr, 0), names[i]);
	}
}

static void allow_if(scmp_filter_ctx ctx, const char *name, struct scmp_arg_cmp arg)
{
	int nr = seccomp_syscall_resolve_name(name);

	if (nr >= 0)
		check(seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, 1, &arg), name);
}

static void allow_values(
	scmp_filter_ctx ctx, const char *name, unsigned arg, const uint32_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		allow_if(ctx, name, SCMP_CMP64(arg, SCMP_CMP_EQ, values[i]));
}

/* Memory is writable or executable by what the loader did before, never made so later. */
static void add_memory(scmp_filter_ctx ctx)
{
	allow_if(ctx, "mmap", SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	allow_if(ctx, "mprotect", SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* TCP and nothing that Landlock would not see (MPTCP, SCTP); the rest of the family: EPERM. */
static void add_tcp(scmp_filter_ctx ctx, int nr, uint64_t family)
{
	static const uint64_t protocols[] = {0, IPPROTO_TCP};

	for (size_t i = 0; i < COUNT(protocols); i++)
		check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 3, SCMP_A0_64(SCMP_CMP_EQ, family),
			      SCMP_A1_64(SCMP_CMP_MASKED_EQ, SOCK_TYPES, SOCK_STREAM),
			      SCMP_A2_64(SCMP_CMP_EQ, protocols[i])),
			"socket");
}

static void add_unix(scmp_filter_ctx ctx, int nr, uint64_t type)
{
	check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 2, SCMP_A0_64(SCMP_CMP_EQ, AF_UNIX),
		      SCMP_A1_64(SCMP_CMP_MASKED_EQ, SOCK_TYPES, type)),
		"socket");
}

/* The family decides: a killed process for each but those a profile may use. */
static void add_sockets(scmp_filter_ctx ctx, const struct profile *p)
{
	int nr = seccomp_syscall_resolve_name("socket");

	for (uint64_t family = 0; family <= AF_INET6; family++) {
		if (family == AF_UNIX) {
			add_unix(ctx, nr, SOCK_DGRAM);
			if (p->streams)
				add_unix(ctx, nr, SOCK_STREAM);
		} else if (p->ip && (family == AF_INET || family == AF_INET6)) {
			add_tcp(ctx, nr, family);
		} else {
			check(seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, nr, 1,
				      SCMP_A0_64(SCMP_CMP_EQ, family)),
				"socket");
		}
	}
	check(seccomp_rule_add(
		      ctx, SCMP_ACT_KILL_PROCESS, nr, 1, SCMP_A0_64(SCMP_CMP_GT, AF_INET6)),
		"socket");
	allow_if(ctx, "socketpair", SCMP_CMP64(0, SCMP_CMP_EQ, AF_UNIX));
}

static void add_process(scmp_filter_ctx ctx)
{
	static const uint32_t prctls[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE,
		PR_SET_PDEATHSIG, PR_GET_NO_NEW_PRIVS, PR_SET_NO_NEW_PRIVS, PR_GET_SECCOMP};

	allow_values(ctx, "prctl", 0, prctls, COUNT(prctls));
	/* abort() and raise() */
	allow_if(ctx, "tgkill", SCMP_CMP64(0, SCMP_CMP_EQ, OWN_PID_MARK));
	allow_if(ctx, "kill", SCMP_CMP64(0, SCMP_CMP_EQ, OWN_PID_MARK));
	allow_if(ctx, "kill", SCMP_CMP64(1, SCMP_CMP_EQ, 0));
	/* limits are read, not set */
	allow_if(ctx, "prlimit64", SCMP_CMP64(2, SCMP_CMP_EQ, 0));
}

static void add_descriptors(scmp_filter_ctx ctx)
{
	static const uint32_t fcntls[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL,
		F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW};
	static const uint32_t ioctls[] = {FIONREAD, FIONBIO, TIOCOUTQ, TCGETS};

	allow_values(ctx, "fcntl", 1, fcntls, COUNT(fcntls));
	allow_values(ctx, "ioctl", 1, ioctls, COUNT(ioctls));
	/* set-user-id, set-group-id and sticky bits are not given */
	allow_if(ctx, "chmod", SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, 07000, 0));
	allow_if(ctx, "fchmod", SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, 07000, 0));
	allow_if(ctx, "fchmodat", SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, 07000, 0));
}

static void print_filter(scmp_filter_ctx ctx, const char *name)
{
	struct sock_filter rows[BPF_MAXINSNS];
	FILE *file = tmpfile();
	size_t count;

	if (file == NULL)
		check(-errno, "tmpfile");
	check(seccomp_export_bpf(ctx, fileno(file)), "export");
	rewind(file);
	count = fread(rows, sizeof(rows[0]), COUNT(rows), file);
	fclose(file);
	printf("static const struct sock_filter filter_%s[%zu] = {\n", name, count);
	for (size_t i = 0; i < count; i++)
		printf("\t{0x%x, %u, %u, 0x%x},\n", rows[i].code, rows[i].jt, rows[i].jf,
			rows[i].k);
	printf("};\n");
}

static void generate(const struct profile *p)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (ctx == NULL)
		check(-ENOMEM, "init");
	check(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimize");
	check(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "badarch");
	add(ctx, SCMP_ACT_ALLOW, calls_base, COUNT(calls_base));
	if (p->files)
		add(ctx, SCMP_ACT_ALLOW, calls_files, COUNT(calls_files));
	if (p->ip)
		add(ctx, SCMP_ACT_ALLOW, calls_ip, COUNT(calls_ip));
	/* a copy that shares the disk's blocks, where an upload appends to a file */
	if (p->ip)
		allow_if(ctx, "ioctl", SCMP_CMP64(1, SCMP_CMP_EQ, FICLONE));
	if (p->accept)
		add(ctx, SCMP_ACT_ALLOW, calls_accept, COUNT(calls_accept));
	if (p->time)
		add(ctx, SCMP_ACT_ALLOW, calls_time, COUNT(calls_time));
	add(ctx, SCMP_ACT_KILL_PROCESS, calls_deadly, COUNT(calls_deadly));
	add_memory(ctx);
	add_sockets(ctx, p);
	add_process(ctx);
	add_descriptors(ctx);
	print_filter(ctx, p->name);
	seccomp_release(ctx);
}

int main(void)
{
	printf("/* Made by lib/net/gen/seccomp.c. */\n");
	printf("#define FILTER_OWN_PID_MARK 0x%xU\n", OWN_PID_MARK);
	for (size_t i = 0; i < COUNT(profiles); i++)
		generate(&profiles[i]);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
