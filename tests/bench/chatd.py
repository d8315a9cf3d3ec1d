"""chatd beside InspIRCd and ngIRCd from Debian: 100 TLS clients in one channel, the same C client, the
same run. Theirs keep everything in memory; every message of ours is on disk before anybody sees it."""

import json
import os
import subprocess
import sys

from chatservers import Chat, Ours, Room, inspircd, ngircd
from ftpservers import TOP, inherited
from table import Figure, ratio, show

from instance import Instance, free_port

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
CLIENTS = 100
PACED, BURST = 200, 2000
IDLE = 100
CLIENT = str(TOP / "build/release/tests/bench/chat")
# Ergo 2.19.1, the best server known, cannot be had from Debian: what it did on a 2-core machine.
ERGO_P99_MS, ERGO_BURST = 6.2, 156_000


def client(server, what, count, clients=CLIENTS):
    return subprocess.Popen([CLIENT, "127.0.0.1", str(server.port), str(clients), what, str(count)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result(server, *args):
    with client(server, *args) as process:
        out, err = process.communicate(timeout=120)
    if process.returncode != 0:
        sys.exit(f"bench: {server.name}: {args}: {err}")
    server.rest()
    return json.loads(out)


def idle(server, clients):
    """Private memory of an idle connection, KiB: what so many of them add."""
    _, before = server.memory_kib()
    with client(server, "idle", 1, clients) as process:
        if process.stdout.readline() != "READY\n":
            sys.exit(f"bench: {server.name}: {process.stderr.read()}")
        _, after = server.memory_kib()
        process.communicate("\n", timeout=60)
    server.rest()
    return (after - before) / clients


def measure(server):
    server.start()
    try:
        rows = {"paced": [], "burst": [], "idle": []}
        for _ in range(ROUNDS):
            rows["paced"].append(result(server, "paced", PACED))
            rows["burst"].append(result(server, "burst", BURST))
            rows["idle"].append(idle(server, IDLE))
        return rows
    finally:
        server.stop()


def waiting(program):
    return lambda port: ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", *inherited(), program,
                         "--door=ircs", "--idle-exit=0", "--max=512", "--per-source=0"]


def row(server, figures):
    paced, burst = figures["paced"], figures["burst"]
    lost = sum(r["lost"] + r["wrong"] for r in paced + burst)
    return [server.name, Figure(r["p50_us"] / 1000 for r in paced), Figure(r["p99_us"] / 1000 for r in paced),
            Figure(r["per_s"] / 1000 for r in burst), lost, Figure(figures["idle"])]


def main():
    if os.geteuid() != 0:
        sys.exit("bench: chatd: to be run as root")
    subprocess.run([str(TOP / "tests/bench/anchors")], check=True)
    instance = Instance()
    room = Room(instance)
    try:
        for name, value in (("chat_accounts", "optional"), ("chat_flood_rate", "0"), ("chat_quota_day", "0"),
                            ("chat_lag", "1000000")):
            instance.ctl("set", name, value)
        subprocess.run(["cp", str(TOP / "build/static/bin/chatd"), instance.root / "bin/chatd-static"],
                       check=True)
        servers = [Ours("chatd (durable)", room, waiting("./bin/chatd")),
                   Ours("chatd, static", room, waiting("./bin/chatd-static")),
                   Chat("InspIRCd", room, inspircd(room)),
                   Chat("ngIRCd", room, ngircd(room, free_port))]
        figures = {server.name: measure(server) for server in servers}
    finally:
        room.close()
        instance.close()
    show(f"chat: {CLIENTS} TLS clients in one channel; medians of {ROUNDS}",
         ["server", "last of 99, ms p50", "p99", f"burst of {BURST}, 1000 deliveries/s", "lost or twice",
          "KiB private per idle client"], [row(s, figures[s.name]) for s in servers])
    ours = figures["chatd, static"]
    p99 = Figure(r["p99_us"] / 1000 for r in ours["paced"]).median
    burst = Figure(r["per_s"] for r in ours["burst"]).median
    ratio("p99 of the last receiver, against Ergo's 6.2 ms", p99 / ERGO_P99_MS, 1)
    ratio("burst, against Ergo's 156,000 deliveries/s", burst / ERGO_BURST, 1, at_least=True)
    ratio("private memory of an idle client, against 500 kB", Figure(ours["idle"]).median * 1.024 / 500, 1)


if __name__ == "__main__":
    main()
