/*
 * The system calls a sandboxed process may make, in groups, for the generator. What is on no list
 * fails with EPERM; see seccomp.c for the checks on arguments.
 */
#ifndef NET_GEN_CALLS_H
#define NET_GEN_CALLS_H

/* Every profile. Clones, exec, new namespaces, modules, keys and the like are on no list. */
static const char *const calls_base[] = {
	/* bytes in and out */
	"read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "close",
	"close_range", "lseek", "dup", "dup2", "dup3", "flock", "recvfrom", "recvmsg", "sendto",
	"sendmsg", "sendmmsg", "recvmmsg", "shutdown", "getsockopt", "setsockopt", "getsockname",
	"getpeername", "connect", "bind", "pipe2",
	/* waiting */
	"poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait",
	"epoll_pwait", "epoll_pwait2", "eventfd2", "timerfd_create", "timerfd_settime",
	"timerfd_gettime", "signalfd4", "pidfd_open", "nanosleep", "clock_nanosleep",
	"restart_syscall",
	/* files: Landlock says which */
	"open", "openat", "openat2", "stat", "lstat", "fstat", "newfstatat", "statx", "statfs",
	"fstatfs", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd",
	"ftruncate", "fallocate", "fadvise64", "fsync", "fdatasync", "sync_file_range", "msync",
	"unlink", "unlinkat", "umask",
	/* memory: mmap and mprotect have a check */
	"munmap", "mremap", "madvise", "brk", "mlock", "mlock2", "munlock", "mincore", "membarrier",
	/* locks and signals: kill and tgkill have a check */
	"futex", "set_robust_list", "get_robust_list", "rseq", "sched_yield", "sched_getaffinity",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait",
	"rt_sigsuspend", "sigaltstack", "alarm", "setitimer", "getitimer",
	/* what time, who and how much */
	"clock_gettime", "clock_getres", "gettimeofday", "time", "times", "getpid", "getppid",
	"gettid", "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups",
	"getpgrp", "getpgid", "getsid", "uname", "sysinfo", "getrandom", "getrlimit", "getrusage",
	"getcpu", "exit", "exit_group"};

/* Sessions: blobs are made under another name, dated and renamed, folders are listed. */
static const char *const calls_files[] = {"getdents64", "mkdir", "mkdirat", "rename", "renameat",
	"renameat2", "link", "linkat", "rmdir", "utimensat"};

/* ftpd: data connections and file transfer. */
static const char *const calls_ip[] = {"listen", "accept4", "copy_file_range"};

/* The keeper: the services come to it. */
static const char *const calls_accept[] = {"accept4"};

/* daytimed: the kernel's estimate of the clock's error. Setting needs a capability it lacks. */
static const char *const calls_time[] = {"adjtimex", "clock_adjtime"};

/* Nothing of ours ever asks for these: whoever does has been taken over. */
static const char *const calls_deadly[] = {"execve", "execveat", "ptrace", "process_vm_readv",
	"process_vm_writev", "unshare", "setns", "mount", "umount2", "pivot_root", "chroot",
	"open_tree", "move_mount", "fsopen", "init_module", "finit_module", "delete_module",
	"kexec_load", "kexec_file_load", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup",
	"add_key", "request_key", "keyctl", "personality", "iopl", "ioperm", "pidfd_getfd",
	"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "capset",
	"reboot", "swapon", "swapoff", "settimeofday", "clock_settime", "open_by_handle_at"};

#endif
