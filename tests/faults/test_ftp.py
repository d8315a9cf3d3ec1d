"""Uploads: kill -9 in every phase, a full disk, a silent client. A file is what it was before or what
was sent, whole; what was acknowledged is there; what is left over is swept."""

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import threading
import time

import pytest
from audit import check_store, rows
from counters import FILE_PHASES, STORE_PHASES, Counters
from ftps import PASSWORD, Ftps
from instance import until

KILLS = {**{phase: 12 for phase in FILE_PHASES}, **{phase: 5 for phase in STORE_PHASES}, "session": 15}
WRITERS = 4


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Writer(threading.Thread):
    """Overwrites its own files over and over, and remembers what each may hold."""

    def __init__(self, instance, name, seed):
        super().__init__(daemon=True)
        self.instance, self.name_of_account = instance, name
        self.rng = random.Random(seed)
        self.halt = threading.Event()
        self.folder = instance.path("state/files/shared")
        self.acknowledged = {}  # path -> digest
        self.pending = {}  # path -> digests that were sent whole and not answered since
        self.uploads = 0

    def run(self):
        while not self.halt.is_set():
            with contextlib.suppress(OSError, AssertionError), Ftps(self.instance) as client:
                client.login(self.name_of_account)
                while not self.halt.is_set():
                    self.upload(client)

    def upload(self, client):
        path = f"{self.name_of_account}-{self.rng.randrange(3)}"
        content = self.rng.randbytes(self.rng.choice((0, 100, 70_000, 1_500_000)))
        self.pending.setdefault(path, set()).add(digest(content))
        reply = client.put(path, content)
        assert reply.code == 226, reply
        self.acknowledged[path] = digest(content)
        self.pending[path] = set()
        self.uploads += 1

    def verify(self):
        """Every file is whole, and not older than what was acknowledged."""
        for path, pending in self.pending.items():
            allowed = pending | ({self.acknowledged[path]} if path in self.acknowledged else set())
            try:
                found = digest((self.folder / path).read_bytes())
            except FileNotFoundError:
                assert path not in self.acknowledged, f"{path} is lost"
                continue
            assert found in allowed, f"{path} is neither old nor new"


def test_kill_uploads(make_instance, capsys):
    seed = int(os.environ.get("QUINTET_TEST_SEED", random.SystemRandom().randrange(2**32)))
    rng = random.Random(seed)
    instance = make_instance()
    counters = Counters(instance)
    names = [f"writer{i}" for i in range(WRITERS)]
    for name in names:
        instance.account(name, PASSWORD)
    ftpd = instance.start("ftpd", "--max=64", "--per-source=0", env={"QUINTET_TEST_FAULTS": "runtime/faults"})
    writers = [Writer(instance, name, rng.random()) for name in names]
    for writer in writers:
        writer.start()
    plan = [phase for phase, times in KILLS.items() for _ in range(times)]
    rng.shuffle(plan)
    try:
        for phase in plan:
            if phase == "session":
                children = until(ftpd.sessions, what="a session")
                time.sleep(rng.random() * 0.05)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(rng.choice(children), signal.SIGKILL)
            else:
                counters.strike(phase, rng.randint(1, 2))
    finally:
        for writer in writers:
            writer.halt.set()
    for writer in writers:
        writer.join(150)
        assert not writer.is_alive()
    for writer in writers:
        writer.verify()
    # Still in service, and what a member sees agrees with what the store says of it.
    for writer in writers:
        with Ftps(instance) as client:
            client.login(writer.name_of_account)
            for path in writer.pending:
                if not (writer.folder / path).exists():
                    continue
                content = client.get(f"RETR {path}")
                assert digest(content) in client.expect(f"HASH {path}", 213).text.lower()
                writer.pending[path].add(digest(content))
            writer.upload(client)
        writer.verify()
    ftpd.stop()
    left = list(writers[0].folder.glob(".quintet-*"))
    for path in left:
        os.utime(path, (time.time() - 3 * 86400,) * 2)
    instance.ctl("sweep")
    check_store(instance)
    assert not list(writers[0].folder.glob(".quintet-*"))
    with capsys.disabled():
        print(f"\nseed {seed}: {len(plan)} kills {KILLS}; {sum(w.uploads for w in writers)} uploads "
              f"acknowledged and found, {len(left)} temporaries swept")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a file system of its own")
def test_disk_full_in_mid_upload(make_instance):
    instance = make_instance()
    files = instance.path("state/files")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=2770", "tmpfs", files], check=True)
    try:
        instance.give(files)
        instance.ctl("set", "files_keep_free", "1M")
        instance.account("anna", PASSWORD)
        instance.start("ftpd")
        old, new = os.urandom(8_000_000), os.urandom(40_000_000)
        with Ftps(instance) as client:
            client.login("anna")
            assert client.put("x", old).code == 226
            data = client.begin_transfer("STOR x")
            with contextlib.suppress(OSError):
                data.sendall(new)
                client.finish(data)
            data.close()
            assert client.reply().code in (452, 426)
            assert client.get("RETR x") == old
            client.expect("ALLO 100000000", 452, 552)
            client.ask("SITE DROP x")
            assert client.put("y", old[:1000]).code == 226
            stat = os.statvfs(files)
            assert stat.f_bavail * stat.f_frsize >= 1 << 20
        check_store(instance)
    finally:
        for service in instance.services:
            service.stop()
        subprocess.run(["umount", "-l", files], check=True)


def test_frozen_client_costs_nobody(make_instance):
    """One who stops in mid-upload holds no lock that others wait for."""
    instance = make_instance()
    for name in ("anna", "berta"):
        instance.account(name, PASSWORD)
    instance.start("ftpd")
    with Ftps(instance) as frozen, Ftps(instance) as other:
        frozen.login("anna")
        data = frozen.begin_transfer("STOR x")
        data.sendall(b"x" * 100_000)
        other.login("berta")
        started = time.monotonic()
        for i in range(20):
            assert other.put(f"y{i}", b"y" * 10_000).code == 226
        assert time.monotonic() - started < 45
        data.close()
        assert frozen.reply().code == 426
    assert {row["name"] for row in rows(instance, "user", "list")} >= {"anna", "berta"}
