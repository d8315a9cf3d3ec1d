"""Durable writes of many processes, each for itself and through the keeper, in one run: how many in a
second, and how long one waits."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from table import Figure, Plot, ratio, show

TOP = Path(__file__).resolve().parents[2]
RELEASE = TOP / "build/release"
UID = 61234 if os.geteuid() == 0 else None
WRITERS = (1, 8, 64)
KINDS = {"audit": "a row of the audit table", "mail": "a message of 2 KiB to one mailbox"}
REPETITIONS, SECONDS = 5, 1
COLUMNS = ("writers", "how", "a second", "p50 ms", "p99 ms", "worst ms", "fewest of one", "most of one")


class Room:
    """A folder with a store, and a keeper for it behind a socket of ours."""

    def __init__(self):
        # On the disk where the tree is: what /tmp is made of differs.
        self.root = Path(tempfile.mkdtemp(dir=TOP / "build"))
        for program in ("bin/keeper", "tests/bench/keeper"):
            shutil.copy(RELEASE / program, self.root / program.replace("/", "-"))
        if UID is not None:
            os.chown(self.root, UID, UID)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.root / "sock"))
        os.chmod(self.root / "sock", 0o666)
        self.listener.listen(4096)
        self.bench("make", "state")
        env = {"QUINTET_STATE": "state", "QUINTET_ADMIN_USER": "", "QUINTET_LOG": "stderr", "PATH": "/usr/bin:/bin"}
        self.keeper = subprocess.Popen(["./bin-keeper", "--idle-exit=0"], cwd=self.root, env=env, user=UID,
                                       group=UID, extra_groups=None if UID is None else [],
                                       stdin=self.listener, stderr=open(self.root / "log", "w"))

    def bench(self, *arguments):
        done = subprocess.run(["./tests-bench-keeper", *arguments], cwd=self.root, user=UID, group=UID,
                              extra_groups=None if UID is None else [], capture_output=True, text=True,
                              timeout=60, check=False)
        if done.returncode != 0:
            sys.exit(f"bench: {arguments}: {done.stderr}{(self.root / 'log').read_text()}")
        return [int(n) for n in done.stdout.split()]

    def close(self):
        self.keeper.terminate()
        self.keeper.wait(timeout=10)
        print((self.root / "log").read_text().splitlines()[-1])
        shutil.rmtree(self.root)


def measure(room, kind):
    """{(writers, how): rows of figures}; the two ways take turns."""
    found = {}
    for _ in range(REPETITIONS):
        for writers in WRITERS:
            for how, path in (("direct", ""), ("keeper", "sock")):
                got = room.bench(kind, "state", path, str(writers), str(SECONDS))
                found.setdefault((writers, how), []).append(got)
    return found


def tell(kind, found):
    rows, rate = [], {}
    for (writers, how), runs in found.items():
        rate[writers, how] = Figure(run[0] / run[1] for run in runs)
        waits = [Figure(run[i] / 1000 for run in runs) for i in (2, 3, 4)]
        rows.append((f"{how} {writers}", how, rate[writers, how], *waits,
                     Figure(run[5] for run in runs), Figure(run[6] for run in runs)))
    question = f"How many durable commits in a second, {KINDS[kind]}?"
    show(f"Durable writes by processes at once: {KINDS[kind]}", COLUMNS, rows,
         (Plot("a second", question, "/s", ("keeper",)),))
    for writers, goal in ((1, 0.8), (8, None), (64, 8)):
        value = rate[writers, "keeper"].median / rate[writers, "direct"].median
        ratio(f"keeper to direct, {writers} writers", value, goal, at_least=True)
    worst = Figure(run[4] / 1000 for run in found[64, "keeper"])
    ratio("worst wait through the keeper at 64 writers, ms", worst.median, 50)


def main():
    room = Room()
    try:
        for kind in KINDS:
            tell(kind, measure(room, kind))
    finally:
        room.close()


if __name__ == "__main__":
    main()
