"""What one connection costs a process: ours against the smallest program with OpenSSL, dynamic and static,
and against stunnel in inetd mode. CPU by wait4, private memory of the idle session."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from table import Figure, Plot, ratio, show

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/interop"))

from instance import Instance, until  # noqa: E402

PLOTS = (Plot("CPU ms", "What CPU does one connection in a process of its own cost?", "ms", ("daytimed",), less=True),
         Plot("private KiB, idle", "How much memory has an idle TLS session to itself?", "KiB", ("daytimed",),
              less=True))
REPETITIONS = 5
RUNS = 40
KIB = 1.024e-3  # what /proc calls kB, in MB


def built(variant, name):
    return TOP / "build" / variant / name


def stunnel(instance, program=None, arguments="greet"):
    """stunnel4 in inetd mode; without program before a shell that prints one line and waits. What is
    behind it is not counted."""
    stunnel4 = shutil.which("stunnel4")
    if stunnel4 is None:
        sys.exit("bench: the peer stunnel4 is missing: make packages-bench")
    script = instance.path("work/greet")
    script.write_text("#!/bin/sh\necho Saturday\nread end\n")
    script.chmod(0o755)
    config = instance.path(f"work/stunnel-{arguments.split()[0]}.conf")
    credentials = f"{instance.root}/conf/credentials/daytimed"
    config.write_text(f"syslog = no\noutput = {instance.root}/work/stunnel.log\ndebug = 3\n"
                      f"TIMEOUTclose = 0\nkey = {credentials}/tls.key\ncert = {credentials}/tls.pem\n"
                      f"exec = {program or script}\nexecArgs = {arguments}\n")
    instance.give(instance.path("work"))
    return [stunnel4, str(config)]


def programs(instance):
    """Rows of the table: name and command, all found in the instance's folder."""
    credentials = "conf/credentials/daytimed"
    rows = []
    for name, source in (("daytimed", built("release", "bin/daytimed")),
                         ("daytimed-static", built("static", "bin/daytimed")),
                         ("minimal", built("release", "tests/bench/minimal")),
                         ("minimal-static", built("static", "tests/bench/minimal")),
                         ("cost", built("release", "tests/bench/cost"))):
        shutil.copy(source, instance.path(f"bin/{name}"))
    for name in ("minimal", "daytimed", "minimal-static", "daytimed-static"):
        command = [f"./bin/{name}"]
        if name.startswith("minimal"):
            command += [f"{credentials}/tls.key", f"{credentials}/tls.pem"]
        rows.append((name, command))
    rows.append(("stunnel, inetd mode", stunnel(instance)))
    return rows


def idle_in_wait_mode(instance):
    """Private memory of one of 40 idle sessions that were forked from one listener."""
    import socket
    import ssl
    service = instance.start("daytimed", "--max=100", "--per-source=0")
    context = ssl.create_default_context(cafile=str(instance.root_pem))
    links = []
    for _ in range(40):
        raw = socket.create_connection(("127.0.0.1", service.port))
        links.append(context.wrap_socket(raw, server_hostname="localhost"))
        links[-1].recv(100)
    until(lambda: len(service.sessions()) == 40)
    sizes = []
    for pid in service.sessions():
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        sizes.append(sum(int(line.split()[1]) for line in text.splitlines()
                         if line.startswith("Private_")))
    for link in links:
        link.close()
    service.stop()
    return Figure(sizes)


def measure():
    instance = Instance()
    try:
        rows = programs(instance)
        samples = {name: [] for name, _ in rows}
        # In turn, so that a slow moment meets all of them.
        for _ in range(REPETITIONS):
            for name, command in rows:
                done = instance.run("cost", RUNS, "conf/pki/root.pem", "localhost", *command,
                                    timeout=60, env={"QUINTET_LOG": "work/log"})
                samples[name].append(json.loads(done.stdout))
        return {name: {key: Figure(s[key] for s in of) for key in of[0]}
                for name, of in samples.items()}, idle_in_wait_mode(instance)
    finally:
        instance.close()


def main():
    figures, idle = measure()
    show(f"one connection, one process ({REPETITIONS} x {RUNS} runs; median (min..max))",
         ["program", "CPU ms", "wall ms", "private KiB, idle"],
         [[name, f["cpu_ms"], f["wall_ms"], f["private_kb"]] for name, f in figures.items()] +
         [["daytimed, wait mode", "", "", idle]], PLOTS)
    cpu = {name: f["cpu_ms"].median for name, f in figures.items()}
    memory = {name: f["private_kb"].median for name, f in figures.items()}
    ratio("CPU, dynamic: ours / smallest", cpu["daytimed"] / cpu["minimal"], 1.25)
    ratio("CPU, STATIC=1: ours / smallest", cpu["daytimed-static"] / cpu["minimal-static"], 1.25)
    ratio("private MB of an idle session, nowait", memory["daytimed"] * KIB, 1.2)
    ratio("private MB of an idle session, STATIC=1", memory["daytimed-static"] * KIB, 0.5)
    ratio("private MB of an idle session, wait mode", idle.median * KIB, 0.3)


if __name__ == "__main__":
    main()
