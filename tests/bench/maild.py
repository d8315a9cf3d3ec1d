"""maild beside Dovecot and Postfix from Debian, over TLS: the same C client, the same disk, the same
hash of passwords, in one run. All of ours is on disk before it is answered, flags too."""

import json
import os
import subprocess
import sys

from ftpservers import PASSWORD, TOP
from mailservers import USERS, Ours, Postfix, Room, anchors
from table import Figure, Plot, ratio, show

from instance import Instance

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "2"))
SECONDS = 4
IDLE = 50
NICE = -20
CLIENT = str(TOP / "build/release/tests/bench/mail")
# what, and by how many at once
IMAP = (("mix", 10), ("append", 1), ("append", 10), ("fetch", 10), ("login", 4))
SMTP = (("submit", 1), ("submit", 4))


def client(server, what, users, port):
    args = [CLIENT, "127.0.0.1", str(port), str(users), what, str(SECONDS), str(server.smtp_port)]
    return subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, env={**os.environ, "BENCH_PASSWORD": PASSWORD})


def result(server, what, users):
    """What the client says, and CPU ms of the server for each thing done."""
    port = server.smtp_port if what == "submit" else server.imap_port
    before_ms = server.used_ms()
    with client(server, what, users, port) as process:
        out, err = process.communicate(timeout=120)
    if process.returncode != 0:
        sys.exit(f"bench: {server.name}: {what}: {err}")
    answer = json.loads(out)
    answer["cpu_ms"] = (server.used_ms() - before_ms) / max(answer["done"], 1)
    return answer


def idle_kib(server):
    """PSS that each of so many idle connections adds."""
    before, _ = server.memory_kib()
    with client(server, "idle", IDLE, server.imap_port) as process:
        if process.stdout.readline() != "READY\n":
            sys.exit(f"bench: {server.name}: {process.stderr.read()}")
        after, _ = server.memory_kib()
        process.communicate("\n", timeout=60)
    return (after - before) / IDLE


def notified(server):
    with client(server, "notify", 1, server.imap_port) as process:
        out, err = process.communicate(timeout=120)
    if process.returncode != 0:
        sys.exit(f"bench: {server.name}: notify: {err}")
    return json.loads(out)


def measure(server, tasks, memory, notify):
    rows = {task: [] for task in tasks}
    rows |= {"idle": [], "notify": []}
    server.start()
    try:
        for _ in range(ROUNDS):
            for task in tasks:
                rows[task].append(result(server, *task))
            if memory:
                rows["idle"].append(idle_kib(server))
            if notify:
                rows["notify"].append(notified(server))
    finally:
        server.stop()
    return rows


def prepare(instance):
    """As many accounts as there may be clients, none held up by what guards real ones."""
    for i in range(1, USERS + 1):
        instance.account(f"user{i}", PASSWORD)
    instance.ctl("set", "mail_quota", "0")


def per_s(rows, task):
    return Figure(r["per_s"] for r in rows[task])


def imap_row(server, rows):
    row = [server.name]
    for task in IMAP:
        row += [per_s(rows, task), Figure(r["cpu_ms"] for r in rows[task])]
    return row + [Figure(rows["idle"])]


def smtp_row(server, rows):
    row = [server.name]
    for task in SMTP:
        row += [per_s(rows, task), Figure(r["cpu_ms"] for r in rows[task])]
    return row + [Figure(r["p50_us"] / 1000 for r in rows["notify"]),
                  Figure(r["p99_us"] / 1000 for r in rows["notify"])]


OURS = ("maild",)
IMAP_PLOTS = (
    Plot("mix, 10: /s", "How many IMAP commands a second, a usual mix by ten?", "commands/s", OURS),
    Plot("append, 1: /s", "How many messages are appended a second, by one?", "messages/s", OURS),
    Plot("append, 10: /s", "How many messages are appended a second, by ten?", "messages/s", OURS),
    Plot("fetch, 10: /s", "How many messages are fetched a second, by ten?", "messages/s", OURS),
    Plot("login, 4: /s", "How many IMAP log-ins a second, by four?", "log-ins/s", OURS),
    Plot("idle: KiB PSS", "What does an idle IMAP connection keep?", "KiB, shared pages by shares", OURS, less=True))
SMTP_PLOTS = (
    Plot("submit, 1: /s", "How many letters are submitted a second, by one?", "letters/s", OURS),
    Plot("submit, 4: /s", "How many letters are submitted a second, by four?", "letters/s", OURS),
    Plot("p50", "How long from a letter's 250 to another's screen?", "ms", OURS, less=True))


def show_imap(servers, figures):
    columns = ["server"]
    for what, users in IMAP:
        columns += [f"{what}, {users}: /s", "CPU ms"]
    show(f"IMAP: so many clients at once, {SECONDS} s; idle: {IDLE} connections; medians of {ROUNDS}",
         [*columns, "idle: KiB PSS"], [imap_row(s, figures[s.name]) for s in servers], IMAP_PLOTS)


def show_smtp(servers, figures):
    columns = ["server"]
    for what, users in SMTP:
        columns += [f"{what}, {users}: /s", "CPU ms"]
    show("submission with log-in, 4 KiB each; from its 250 to EXISTS in another connection's IDLE: ms",
         [*columns, "p50", "p99"], [smtp_row(s, figures[s.name]) for s in servers], SMTP_PLOTS)


def show_ratios(figures, ours, imap, postfix):
    def best(names, task):
        return max(per_s(figures[name], task).median for name in names)

    def mine(task):
        return best([s.name for s in ours], task)

    names = [s.name for s in imap]
    for task, goal in ((("mix", 10), 1.5), (("append", 1), 1.5), (("append", 10), 1.5)):
        ratio(f"{task[0]}, {task[1]} at once, against the better Dovecot", mine(task) / best(names, task), goal,
              at_least=True)
    ratio("log-in sessions, against Dovecot with a process per connection",
          mine(("login", 4)) / best(names[:1], ("login", 4)), 1, at_least=True)
    for task in SMTP:
        ratio(f"submission, {task[1]} at once, against Postfix", mine(task) / best([postfix.name], task), 2,
              at_least=True)
    idle = min(Figure(figures[s.name]["idle"]).median for s in ours)
    ratio("memory of an idle connection, against Dovecot's with a process per connection",
          idle / Figure(figures[names[0]]["idle"]).median, 0.33)


def main():
    if os.geteuid() != 0:
        sys.exit("bench: maild: to be run as root")
    os.nice(NICE)  # all rows alike: what else the machine does is not to be measured
    subprocess.run([str(TOP / "tests/bench/anchors")], check=True)
    instance = Instance()
    room = Room(instance)
    figures = {}
    try:
        prepare(instance)
        subprocess.run(["cp", str(TOP / "build/static/bin/maild"), instance.root / "bin/maild-static"],
                       check=True)
        ours = [Ours("maild", room, "./bin/maild"), Ours("maild, static", room, "./bin/maild-static")]
        imap, postfix = anchors(room), Postfix("Postfix, Dovecot", room)
        for server in ours:
            figures[server.name] = measure(server, (*IMAP, *SMTP), True, True)
        for server in imap:
            figures[server.name] = measure(server, IMAP, True, False)
        figures[postfix.name] = measure(postfix, SMTP, False, True)
    finally:
        room.close()
        instance.close()
    show_imap([*ours, *imap], figures)
    show_smtp([*ours, postfix], figures)
    show_ratios(figures, ours, imap, postfix)


if __name__ == "__main__":
    main()
