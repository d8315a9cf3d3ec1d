/*
 * What a sandboxed process might try (tests/unit/net_sandbox.c): each attempt returns 0 when it
 * got through, else its errno. They run in the room that walls_make_room lays out, and in a child.
 */
#ifndef TESTS_UNIT_LIB_WALLS_H
#define TESTS_UNIT_LIB_WALLS_H

struct wall {
	const char *name; /* NULL ends a table */
	int (*attempt)(void);
	int expected;
	int min_abi; /* the wall stands from this Landlock ABI on; 0: always */
};

/* template: as for mkdtemp. 0 or -1. */
int walls_make_room(char *template);
int walls_remove_room(const char *room);
int walls_landlock_abi(void); /* 0: none */

/* The parent listens: outside every sandbox. A descriptor or -1. */
int walls_abstract_listener(void);
extern int walls_listener_fd;

/* Files; the current folder is the room. */
int attempt_read_passwd(void);
int attempt_list_root(void);
int attempt_read_inside(void);
int attempt_list_inside(void);
int attempt_write_read_only(void);
int attempt_create_read_only(void);
int attempt_truncate_read_only(void);
int attempt_write_inside(void);
int attempt_socket_inside(void);
int attempt_device_inside(void);
int attempt_symlink_inside(void);
int attempt_write_one_file(void);
int attempt_dotdot(void);
int attempt_exec_true(void);
int attempt_exec_readable(void);
int attempt_exec_allowed(void); /* not a program: ENOEXEC when it may run */
int attempt_store_calls(void);
int attempt_blob_calls(void);
int attempt_file_calls(void); /* those of file transfer */
int attempt_setuid_bit(void);

/* Sockets. */
int attempt_tcp_connect(void);
int attempt_tcp_bind(void);
int attempt_abstract(void);
int attempt_inet(void);
int attempt_inet6(void);
int attempt_inet_datagram(void);
int attempt_mptcp(void); /* TCP, but not for Landlock */
int attempt_netlink(void);
int attempt_packet(void);
int attempt_accept(void); /* on walls_listener_fd */
int attempt_unix_datagram(void);
int attempt_unix_stream(void);

/* Processes, memory, time. */
int attempt_fork(void);
int attempt_clone3(void);
int attempt_ptrace(void);
int attempt_process_vm(void);
int attempt_unshare(void);
int attempt_mount(void);
int attempt_bpf(void);
int attempt_io_uring(void);
int attempt_setuid(void);
int attempt_mmap_exec(void);
int attempt_mprotect_exec(void);
int attempt_tiocsti(void);
int attempt_setrlimit(void);
int attempt_getrlimit(void);
int attempt_signal_parent(void);
int attempt_signal_zero(void);
int attempt_seccomp(void);
int attempt_dumpable(void);
int attempt_abort(void);
int attempt_locks(void);
int attempt_memory(void);
int attempt_mutex(void);
int attempt_waiting(void);
int attempt_random_clocks(void);
int attempt_pidfd(void);
int attempt_adjtimex(void);
int attempt_set_clock(void);

#endif
