"""chatd beside InspIRCd and ngIRCd from Debian: 100 TLS clients in one channel, the same C client, the
same run. Theirs keep everything in memory; every message of ours is on disk before anybody sees it."""

import json
import os
import subprocess
import sys

import cpu
from chatservers import Chat, Ours, Room, inspircd, ngircd
from ftpservers import TOP, inherited
from table import Figure, Plot, ratio, show

from instance import Instance, free_port

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
CLIENTS = 100
PACED, BURST = 300, 2000
IDLE = 100
ALONE = 10
NICE = -20
CLIENT = str(TOP / "build/release/tests/bench/chat")
# Ergo 2.19.1, the best server known, cannot be had from Debian: what it did on a 2-core machine.
ERGO_P99_MS, ERGO_BURST = 6.2, 156_000


def client(server, what, count, clients=CLIENTS):
    return subprocess.Popen([CLIENT, "127.0.0.1", str(server.port), str(clients), what, str(count)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result(server, *args):
    """What the client says, and the CPU time of the server from the first connection to the last's end."""
    before_ms = cpu.used_ms(server.group.path)
    with client(server, *args) as process:
        out, err = process.communicate(timeout=120)
    if process.returncode != 0:
        sys.exit(f"bench: {server.name}: {args}: {err}")
    server.rest()
    return json.loads(out) | {"cpu_ms": cpu.used_ms(server.group.path) - before_ms}


def idle(server, clients):
    """Private memory of an idle connection, KiB: what so many of them add. And the CPU time of coming,
    joining and going."""
    before_ms = cpu.used_ms(server.group.path)
    _, before = server.memory_kib()
    with client(server, "idle", 1, clients) as process:
        if process.stdout.readline() != "READY\n":
            sys.exit(f"bench: {server.name}: {process.stderr.read()}")
        _, after = server.memory_kib()
        process.communicate("\n", timeout=60)
    server.rest()
    return {"kib": (after - before) / clients, "cpu_ms": cpu.used_ms(server.group.path) - before_ms}


def alone(server):
    """CPU time of one client that joins the empty channel and leaves: no quadratic part."""
    return Figure(idle(server, 1)["cpu_ms"] for _ in range(ALONE))


def measure(server):
    server.start()
    try:
        rows = {"paced": [], "burst": [], "idle": [], "alone": alone(server)}
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


def per_delivery(figures, what):
    """CPU us of a delivery: without what the clients' coming and going costs, as idle ones show it."""
    come_ms = Figure(r["cpu_ms"] for r in figures["idle"]).median
    return Figure(max(r["cpu_ms"] - come_ms, 0) * 1000 / r["deliveries"] for r in figures[what])


def row(server, figures):
    paced, burst = figures["paced"], figures["burst"]
    lost = sum(r["lost"] + r["wrong"] for r in paced + burst)
    return [server.name, Figure(r["p50_us"] / 1000 for r in paced), Figure(r["p99_us"] / 1000 for r in paced),
            per_delivery(figures, "paced"), Figure(r["per_s"] / 1000 for r in burst),
            per_delivery(figures, "burst"), lost, Figure(r["kib"] for r in figures["idle"]),
            figures["alone"]]


OURS = ("chatd",)
PLOTS = (Plot(1, "How long until the last of 99 has a message? (median)", "ms", OURS, less=True),
         Plot(2, "How long until the last of 99 has a message? (the slowest of a hundred)", "ms", OURS, less=True),
         Plot(4, "How many messages are delivered when all is said at once?", "1000 deliveries/s", OURS),
         Plot(7, "What does an idle chatter keep?", "KiB, private", OURS, less=True))


def main():
    if os.geteuid() != 0:
        sys.exit("bench: chatd: to be run as root")
    os.nice(NICE)  # all rows alike: what else the machine does is not to be measured
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
    show(f"chat: {CLIENTS} TLS clients in one channel, {PACED} messages at 100/s, then {BURST} at once; "
         f"medians of {ROUNDS}",
         ["server", "last of 99: ms, p50", "p99", "CPU us", "at once: 1000 deliveries/s", "CPU us",
          "lost or twice", "idle: private KiB", "come and go: CPU ms"],
         [row(s, figures[s.name]) for s in servers], PLOTS)
    ours = figures["chatd, static"]
    p99 = Figure(r["p99_us"] / 1000 for r in ours["paced"]).median
    burst = Figure(r["per_s"] for r in ours["burst"]).median
    idle_kb = Figure(r["kib"] for r in ours["idle"]).median * 1.024
    ratio("p99 of the last receiver, against Ergo's 6.2 ms", p99 / ERGO_P99_MS, 1)
    ratio("burst, against Ergo's 156,000 deliveries/s", burst / ERGO_BURST, 1, at_least=True)
    ratio("private memory of an idle client, against 500 kB", idle_kb / 500, 1)


if __name__ == "__main__":
    main()
