"""CPU time and memory of everything that one row of a table runs, by a cgroup of its own."""

import os
import resource
from pathlib import Path

TOP = Path("/sys/fs/cgroup")
V1 = TOP / "cpuacct"


def folder(name):
    """Where the cgroup of that name is."""
    return (V1 if V1.is_dir() else TOP) / name


def used_ms(group):
    """CPU time of all that ran or runs in a cgroup and below."""
    if (group / "cpuacct.usage").exists():
        return int((group / "cpuacct.usage").read_text()) / 1e6
    fields = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())
    return int(fields["usage_usec"]) / 1e3


class Group:
    """A cgroup for programs of this machine; gone with close(), when its processes are."""

    def __init__(self, name):
        self.name = f"quintet-bench-{os.getpid()}-{name}"
        self.path = folder(self.name)
        self.path.mkdir()

    def enter(self, pid):
        (self.path / "cgroup.procs").write_text(str(pid))

    def close(self):
        self.path.rmdir()


def keep(server, instance):
    """Starts the instance's keeper, whose work counts as the server's."""
    server.group.enter(instance.start_keeper().pid)
    server.resting += 1


def machine_busy_ms():
    """CPU time of the whole machine that was not idle, kernel threads included."""
    ticks = [int(n) for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) * 1000 / os.sysconf("SC_CLK_TCK")


def children_ms():
    """CPU time of the programs this process has run and waited for: the load."""
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (use.ru_utime + use.ru_stime) * 1e3


def _status(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def processes(group_name, program):
    """PIDs of a program in a cgroup or below it, without those that are parents of others."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"/{group_name}" in (entry / "cgroup").read_text():
                status = _status(entry.name)
                if status["Name"] == program:
                    found[int(entry.name)] = int(status["PPid"])
        except OSError:
            continue  # it has ended meanwhile
    return [pid for pid in found if pid not in found.values()]


def private_kib(pid):
    """What a process has for itself."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))
