"""ftpd beside vsftpd, pure-ftpd and proftpd from Debian, and OpenSSH's sftp: the same C client, the
same run, TLS 1.3, one P-256 certificate, files on tmpfs."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import cpu
from table import Figure, Plot, ratio, show

# Before the instance is made: its files are on tmpfs.
tempfile.tempdir = "/dev/shm"

import ftpservers  # noqa: E402
from ftpservers import PASSWORD, TOP, Room  # noqa: E402
from process import KIB  # noqa: E402

from instance import Instance  # noqa: E402

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
MIB = 512
SMALL = 200
MANY = 5 * SMALL  # by sftp, whose own start is taken off
LOGINS = {"cheap": (40, 20), "dear": (12, 6)}
IDLE = 20
CLIENT = str(TOP / "build/release/tests/bench/ftp")
MB = 1.048576
SFTP = "sftp (OpenSSH, its own client)"


def client(server, what, count, clients=1, user=None, suites=None):
    user = user or server.cheap
    env = {"PATH": os.environ["PATH"], "BENCH_PASSWORD": PASSWORD}
    if user == "ann" and what == "cheap":
        env["BENCH_CERT"] = str(server.room.path / "ann.pem")
    if suites:
        env["BENCH_SUITES"] = suites
    command = [CLIENT, "127.0.0.1", str(server.port), str(server.root_pem), "localhost", user,
               "login" if what in ("cheap", "dear") else what, str(count), str(clients)]
    if server.folder:
        command.append(server.folder)
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=env)


def result(server, *args, **more):
    with client(server, *args, **more) as process:
        out, err = process.communicate(timeout=120)
    if process.returncode != 0:
        sys.exit(f"bench: {server.name}: {args}: {err}")
    return json.loads(out)


def rate(server, *args, **more):
    return result(server, *args, **more)["per_second"]


def moved(server, what):
    """MB/s and CPU seconds per GiB."""
    used = cpu.used_ms(server.group.path)
    speed = rate(server, what, MIB) * MB
    time.sleep(0.2)
    return speed, (cpu.used_ms(server.group.path) - used) / 1e3 * 1024 / MIB


def idle(server):
    server.rest()
    before = server.memory_kib()
    with client(server, "idle", IDLE) as process:
        if process.stdout.readline() != "READY\n":
            sys.exit(f"bench: {server.name}: idle: {process.stderr.read()}")
        time.sleep(0.3)
        during = server.memory_kib()
        process.communicate(timeout=30)
    return [(b - a) / IDLE for a, b in zip(before, during)]


def measure(server):
    server.start()
    try:
        sample = {}
        rate(server, "cheap", 3)
        sample["put"], sample["put_cpu"] = moved(server, "put")
        sample["get"], sample["get_cpu"] = moved(server, "get")
        for what, counts in LOGINS.items():
            user = server.dear if what == "dear" else server.cheap
            sample[what, 1] = rate(server, what, counts[0], user=user)
            sample[what, 4] = rate(server, what, counts[1], clients=4, user=user)
        stor, retr = result(server, "stor", SMALL), result(server, "retr", SMALL)
        sample["stor"], sample["retr"] = stor["per_second"], retr["per_second"]
        sample["resumed"] = 100 * retr["resumed"] / retr["transfers"]
        sample["pss"], sample["private"] = idle(server)
        return sample
    finally:
        server.stop()


class Sftp(ftpservers.Server):
    """By OpenSSH's client, whose start is taken off."""

    def __init__(self, room):
        super().__init__(SFTP, room, ftpservers.sshd(room))

    def batch(self, lines):
        batch = self.room.write("batch", "".join(f"{line}\n" for line in lines))
        began = time.monotonic()
        subprocess.run(["sftp", "-q", "-b", str(batch), "-F", "none", "-P", str(self.port),
                        "-i", str(self.room.path / "user"), "-o", "StrictHostKeyChecking=no",
                        "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                        "-c", "aes128-gcm@openssh.com", "cheap@127.0.0.1"],
                       check=True, timeout=120, stdout=subprocess.DEVNULL)
        return time.monotonic() - began

    def measure(self):
        here = self.room.path
        (here / "big").write_bytes(bytes(MIB << 20))
        (here / "small").write_bytes(bytes(1024))
        self.start()
        try:
            alone = min(self.batch([]) for _ in range(3))
            used = cpu.used_ms(self.group.path)
            put = self.batch([f"put {here}/big big"]) - alone
            middle = cpu.used_ms(self.group.path)
            get = self.batch([f"get big {here}/back"]) - alone
            end = cpu.used_ms(self.group.path)
            stor = self.batch(f"put {here}/small small{i % 100}" for i in range(MANY)) - alone
            retr = self.batch(f"get small{i % 100} {here}/back" for i in range(MANY)) - alone
            return {"put": MIB * MB / put, "get": MIB * MB / get, "stor": MANY / stor,
                    "retr": MANY / retr, ("cheap", 1): 1 / alone,
                    "put_cpu": (middle - used) / 1e3 * 1024 / MIB,
                    "get_cpu": (end - middle) / 1e3 * 1024 / MIB}
        finally:
            self.stop()


def variants():
    return [("exec", ftpservers.tcpserver("./bin/ftpd", "--door=ftp")),
            ("exec, STATIC=1", ftpservers.tcpserver("./bin/ftpd-static", "--door=ftp")),
            ("wait", ftpservers.waiting("./bin/ftpd"))]


def enroll(instance, room):
    """A certificate for ann: key and certificate in one file."""
    instance.account("ann", PASSWORD)
    started = [instance.start("cad-signer"), instance.start("cad")]
    key, cert = instance.enroll("ann", PASSWORD)
    for service in started:
        service.stop()
    both = room.write("ann.pem", key.read_text() + cert.read_text() + instance.chain_pem.read_text())
    both.chmod(0o600)


def gather():
    with contextlib.ExitStack() as stack:
        instance = Instance(variant="release")
        stack.callback(instance.close)
        shutil.copy(TOP / "build/static/bin/ftpd", instance.path("bin/ftpd-static"))
        room = Room(instance)
        stack.callback(room.close)
        enroll(instance, room)
        rows = ftpservers.servers(room, variants())
        sftp = Sftp(room)
        samples = {row.name: [] for row in [*rows, sftp]}
        # In turn, so that a slow moment meets all of them.
        for _ in range(ROUNDS):
            for row in rows:
                samples[row.name].append(measure(row))
            samples[sftp.name].append(sftp.measure())
        return {name: {key: Figure(s[key] for s in of) for key in of[0]}
                for name, of in samples.items()}


COLUMNS = [("get", "get MB/s"), ("put", "put MB/s"), (("cheap", 1), "log-ins/s"),
           (("cheap", 4), "4 clients"), (("dear", 1), "yescrypt"), (("dear", 4), "4 clients"),
           ("stor", "STOR/s"), ("retr", "RETR/s"), ("pss", "PSS KiB"), ("private", "private KiB"),
           ("get_cpu", "CPU s/GiB get"), ("put_cpu", "put"), ("resumed", "resumed %")]
LESS_IS_MORE = ("pss", "private", "get_cpu", "put_cpu")


def best(figures, key, anchors):
    known = [figures[name][key].median for name in anchors if key in figures[name]]
    return min(known) if key in LESS_IS_MORE else max(known)


def compare(figures):
    ours = {name: f for name, f in figures.items() if name.startswith("ftpd")}
    anchors = [name for name in figures if name not in ours and not name.startswith("sftp")]
    show("ratios: ours to the best FTP anchor of each column (memory, CPU: to the least)",
         ["", *(title for _, title in COLUMNS[:-1])],
         [[name, *(f"{f[key].median / best(figures, key, anchors):.2f}" for key, _ in COLUMNS[:-1])]
          for name, f in ours.items()])
    mine, waiting = figures["ftpd, exec"], figures["ftpd, wait"]
    static = figures["ftpd, exec, STATIC=1"]
    for key, title in COLUMNS[:-1]:
        ratio(f"exec / best FTP anchor, {title}", mine[key].median / best(figures, key, anchors), 1,
              at_least=key not in LESS_IS_MORE)
    for clients in (1, 4):
        key = "cheap", clients
        ratio(f"log-ins/s, {clients} clients: wait / best anchor",
              waiting[key].median / best(figures, key, anchors), 3, at_least=True)
    # One channel for all files, and nothing made durable: another trade.
    for key in ("get", "put", "stor", "retr"):
        ratio(f"exec / sftp, {key}", mine[key].median / best(figures, key, [SFTP]))
    for key, goal in (("get", 1250), ("put", 950), ("stor", 1000), ("retr", 1000),
                      (("cheap", 1), 160)):
        ratio(f"exec, {dict(COLUMNS)[key]}", mine[key].median, goal, at_least=True)
    ratio("PSS MB of an idle log-in, exec", mine["pss"].median * KIB, 1.3)
    ratio("PSS MB of an idle log-in, exec, STATIC=1", static["pss"].median * KIB, 0.8)


def hash_speed():
    """MB/s of SHA-256 alone, on one core."""
    data = bytes(64 << 20)
    began = time.monotonic()
    hashlib.sha256(data).digest()
    return len(data) / (time.monotonic() - began) / 1e6


OURS = ("ftpd",)
PLOTS = (Plot("get MB/s", "How fast is a file fetched by FTP over TLS?", "MB/s", OURS),
         Plot("put MB/s", "How fast is a file stored by FTP over TLS?", "MB/s", OURS),
         Plot("log-ins/s", "How many FTP log-ins a second, one client?", "log-ins/s", OURS),
         Plot("yescrypt", "How many FTP log-ins a second, by the hash of our accounts?", "log-ins/s", OURS),
         Plot("STOR/s", "How many small files are stored a second?", "files/s", OURS),
         Plot("RETR/s", "How many small files are fetched a second?", "files/s", OURS),
         Plot("PSS KiB", "What does an idle FTP log-in keep?", "KiB, shared pages by shares", OURS, less=True),
         Plot("CPU s/GiB get", "What CPU does a GiB fetched cost?", "s", OURS, less=True))


def main():
    if os.geteuid() != 0:
        sys.exit("bench: the anchors need root")
    subprocess.run([TOP / "tests/bench/anchors"], check=True)
    figures = gather()
    show(f"FTP over TLS 1.3: {MIB} MiB and {SMALL} x 1 KiB in one session, files on tmpfs, {ROUNDS} "
         "rounds, medians (min..max)",
         ["server", *(title for _, title in COLUMNS)],
         [[name, *(f.get(key, "-") for key, _ in COLUMNS)] for name, f in figures.items()], PLOTS)
    print("  ftpd: fsync of file, folder and store on (tmpfs makes it cheap), SHA-256 of every "
          f"upload ({hash_speed():.0f} MB/s alone); the anchors do neither.\n"
          "  log-ins/s: ftpd by client certificate (all else by password); the anchors by SHA-256 "
          "crypt of 1000 rounds; "
          "sftp by ed25519 key.\n"
          "  yescrypt: all by a password of crypt(5)'s $y$j9T$, the hash of our accounts.\n"
          "  PSS, private: of all processes of one idle log-in, those that listen left out.\n"
          "  ftpd takes TLS_AES_128_GCM_SHA256, the anchors TLS_AES_256_GCM_SHA384, from the same "
          "offer; sftp is given aes128-gcm.")
    compare(figures)


if __name__ == "__main__":
    main()
