"""A machine with systemd as PID 1: a container by systemd-nspawn, without systemd on the host.

It has a network namespace, a name and a cgroup of its own, ends with the process that started it,
and leaves nothing behind.
"""

import ctypes
import os
import pathlib
import shutil
import socket
import subprocess
import time

import root

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
LIFETIME_S = 1200  # whatever happens, it is over then
LANDLOCK = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def cannot_boot():
    """What this place lacks, as a container or a chroot may; None when all is there."""
    if os.geteuid() != 0:
        return "root"
    mounts = [line.split() for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
    if not any(kind.startswith("cgroup") for _, _, kind, *_ in mounts):
        return "a mounted cgroup file system"
    command = ["unshare", "--mount", "--pid", "--fork", "true"]
    if subprocess.run(command, timeout=20, check=False, capture_output=True).returncode != 0:
        return "the right to make namespaces"
    return None


def _cgroup_hierarchies():
    """Where a cgroup of our own is made: the one of systemd and the unified one, or cgroup v2."""
    top = pathlib.Path("/sys/fs/cgroup")
    if (top / "cgroup.procs").exists():
        return [top]
    return [top / name for name in ("systemd", "unified") if (top / name / "cgroup.procs").exists()]


def _remove_cgroup(path):
    for child in [p for p in path.iterdir() if p.is_dir()] if path.exists() else []:
        _remove_cgroup(child)
    try:
        path.rmdir()
    except OSError:
        pass


def _children(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(p) for p in text.split()]


def _name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


class Machine:
    """with Machine(folder) as m: m.run("systemctl", "--version")"""

    def __init__(self, folder):
        self.folder = folder
        self.name = f"quintet-test-{os.getpid()}"
        self.root = folder / self.name
        self.console = folder / "console.log"
        self.cgroups = [h / self.name for h in _cgroup_hierarchies()]
        self.process = None
        self.pid = None
        self.own_net = None
        self.net = None

    def __enter__(self):
        self._remove_left_over()
        try:
            root.unpack(self.folder, self.root)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def _remove_left_over(self):
        """What a run left that was killed: its container ended with it, its files did not."""
        places = [self.folder, *[c.parent for c in self.cgroups]]
        for path in [p for place in places for p in place.glob("quintet-test-*")]:
            if os.path.exists(f"/proc/{path.name.rsplit('-', 1)[1]}"):
                continue
            if path.parent == self.folder:
                shutil.rmtree(path, ignore_errors=True)
            else:
                _remove_cgroup(path)

    # -- starting and stopping -----------------------------------------------------------------

    def boot(self):
        for c in self.cgroups:
            c.mkdir(exist_ok=True)
        command = ["setpriv", "--pdeathsig", "TERM", "timeout", "-k", "30", str(LIFETIME_S)]
        command += ["systemd-nspawn", "-q", "-D", str(self.root), "--boot", "--register=no"]
        command += ["--keep-unit", "--private-network", "-M", self.name, "--console=pipe"]
        command += [f"--system-call-filter={LANDLOCK}"]
        with open(self.console, "wb") as console:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                preexec_fn=self._enter_cgroups,
            )
        self._wait_until_up()

    def _enter_cgroups(self):
        for c in self.cgroups:
            (c / "cgroup.procs").write_text(str(os.getpid()))

    def _find_init(self):
        """PID of the container's systemd: below timeout and nspawn."""
        todo = [self.process.pid]
        while todo:
            pid = todo.pop()
            if _name_of(pid) == "systemd":
                return pid
            todo += _children(pid)
        return None

    def _wait_until_up(self):
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError("nspawn ended: " + self.console.read_text(errors="replace"))
            self.pid = self.pid or self._find_init()
            if self.pid and self._is_running():
                self.own_net = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
                self.net = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
                return
            time.sleep(0.1)
        raise RuntimeError("no boot: " + self.console.read_text(errors="replace"))

    def _is_running(self):
        state = self.run("systemctl", "is-system-running", check=False, timeout=60)
        return state.stdout.strip() in ("running", "degraded")

    def stop(self):
        if self.process is not None:
            self.process.terminate()  # nspawn asks the container to power off
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                for pid in [self.pid, self.process.pid]:
                    if pid:
                        os.kill(pid, 9)
                self.process.wait(10)
            self.process = None
        for fd in (self.net, self.own_net):
            if fd is not None:
                os.close(fd)
        self.net = self.own_net = None
        for c in self.cgroups:
            _remove_cgroup(c)
        shutil.rmtree(self.root, ignore_errors=True)

    # -- inside --------------------------------------------------------------------------------

    def run(self, *command, check=True, timeout=120):
        """Runs a program of the container as its root."""
        return self._enter(["-a"], command, ENVIRONMENT, check, timeout)

    def outside(self, *command, check=True, timeout=120, env=None):
        """Runs a program of this host on the container's network."""
        return self._enter(["-n"], command, {**os.environ, **(env or {})}, check, timeout)

    def _enter(self, namespaces, command, env, check, timeout):
        result = subprocess.run(
            ["nsenter", "-t", str(self.pid), *namespaces, "--", *command],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            env=env,
            text=True,
            check=False,
        )
        if check and result.returncode != 0:
            raise RuntimeError(
                f"{' '.join(command)}: exit {result.returncode}\n{result.stdout}{result.stderr}"
            )
        return result

    def start(self, *command, stdin=subprocess.DEVNULL):
        """A program of this host on the container's network, to go on meanwhile."""
        return subprocess.Popen(
            ["nsenter", "-t", str(self.pid), "-n", "--", *map(str, command)],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def connect(self, port, source="127.0.0.1", timeout=60):
        """A TCP connection on the container's loopback, from any of its addresses."""
        self._set_net(self.net)
        try:
            return socket.create_connection(
                ("127.0.0.1", port), timeout=timeout, source_address=(source, 0)
            )
        finally:
            self._set_net(self.own_net)

    @staticmethod
    def _set_net(fd):
        if LIBC.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def journal(self, *options):
        self.run("journalctl", "--sync")
        return self.run("journalctl", "--no-pager", "-o", "cat", *options).stdout

    def cursor(self):
        """What is logged after this is --after-cursor=..."""
        text = self.run("journalctl", "--no-pager", "-n", "1", "--show-cursor", "-q").stdout
        return "--after-cursor=" + text.rsplit("-- cursor: ", 1)[1].strip()

    def units(self, pattern, state="active"):
        """Names of the units that match and are in that state."""
        text = self.run(
            "systemctl", "list-units", "--plain", "--no-legend", f"--state={state}", pattern
        ).stdout
        return [line.split()[0] for line in text.splitlines() if line.strip()]

    def property(self, unit, name):
        return self.run("systemctl", "show", "-P", name, unit).stdout.strip()
