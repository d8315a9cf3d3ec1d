"""Who starts the process of a connection, and what that costs: daytimed by systemd's Accept=yes
(bare, and our template), units/wait, xinetd and tcpserver, and stunnel in inetd mode before echo."""

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import booted
import cpu
from process import KIB, TOP, stunnel
from table import Figure, Plot, ratio, show

from instance import Instance, free_port, until

REPETITIONS = 5
CLIENTS = 8
ALONE = 25
IDLE = 6
LOAD = str(TOP / "build/release/tests/bench/load")
PEERS = ("xinetd", "tcpserver", "stunnel4", "systemd-nspawn", "mmdebstrap", "nsenter")


class Row:
    """One way of activation. start() and stop() surround each repetition."""

    program = "daytimed"

    def __init__(self, name, connections):
        self.name, self.connections = name, connections
        self.samples = []

    def measure(self):
        self.start()
        try:
            self.load(CLIENTS, CLIENTS)
            alone = self.load(ALONE, 1)
            busy, load, used = cpu.machine_busy_ms(), cpu.children_ms(), self.used_ms()
            many = self.load(self.connections, CLIENTS)
            # Ends of sessions belong to them.
            time.sleep(0.2)
            own = self.used_ms() - used
            whole = cpu.machine_busy_ms() - busy - (cpu.children_ms() - load)
            self.samples.append({
                "rate": many["per_second"], "p50": many["p50_ms"], "p99": many["p99_ms"],
                "alone": alone["p50_ms"], "cpu": own / self.connections,
                "machine": whole / self.connections, "idle": self.idle_kib(),
            })
        finally:
            self.stop()

    def load(self, connections, clients):
        done = self.run(LOAD, "127.0.0.1", str(self.port), str(self.root_pem), "localhost",
                        str(connections), str(clients))
        if done.returncode != 0:
            sys.exit(f"bench: {self.name}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def idle_kib(self):
        """Median over some sessions that have had their line and wait."""
        context = ssl.create_default_context(cafile=str(self.root_pem))
        with contextlib.ExitStack() as stack:
            for _ in range(IDLE):
                tls = context.wrap_socket(self.connect(), server_hostname="localhost")
                stack.enter_context(tls).recv(100)
            pids = until(lambda: self.sessions(IDLE), what=f"{IDLE} sessions of {self.name}")
            return Figure(cpu.private_kib(pid) for pid in pids).median

    def sessions(self, count):
        pids = cpu.processes(self.group_name, self.program)
        return pids if len(pids) == count else None

    def figures(self):
        return {key: Figure(s[key] for s in self.samples) for key in self.samples[0]}


class Systemd(Row):
    """A socket unit of the container."""

    def __init__(self, name, connections, machine, house, socket_unit, port):
        super().__init__(name, connections)
        self.machine, self.unit, self.port = machine, socket_unit, port
        self.root_pem = house.root_pem
        self.group_name = machine.name
        self.group = cpu.folder(machine.name)

    def start(self):
        self.machine.run("systemctl", "start", self.unit)

    def stop(self):
        name = self.unit.removesuffix(".socket")
        service = f"{name}.service" if name.endswith("-wait") else f"{name}@*.service"
        self.machine.run("systemctl", "stop", self.unit, service)

    def run(self, *command):
        return self.machine.outside(*command, check=False)

    def connect(self):
        return self.machine.connect(self.port)

    def used_ms(self):
        return cpu.used_ms(self.group)


class Host(Row):
    """A super-server of this machine."""

    def __init__(self, name, connections, instance, command, program="daytimed", idle=None):
        super().__init__(name, connections)
        self.instance, self.command, self.idle_command = instance, command, idle or command
        self.program = program
        self.root_pem = instance.root_pem
        self.service = self.group = None

    @property
    def group_name(self):
        return self.group.name

    def start(self, command=None):
        self.port = free_port()
        root = str(self.instance.root)
        env = {"QUINTET_LOG": f"{root}/work/log", "QUINTET_CONF": f"{root}/conf",
               "QUINTET_STATE": f"{root}/state", "QUINTET_RUNTIME": f"{root}/runtime"}
        self.group = cpu.Group(str(len(self.instance.services)))
        self.service = self.instance.spawn("bench", (command or self.command)(self.port), env)
        self.group.enter(self.service.pid)
        until(self.listens, what=f"{self.name} listening")

    def listens(self):
        """By the kernel's table: a try would be a connection."""
        return f"0100007F:{self.port:04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text()

    def stop(self):
        self.service.stop()
        until(lambda: not (self.group.path / "cgroup.procs").read_text(), what="the end of all")
        self.group.close()

    def run(self, *command):
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def used_ms(self):
        return cpu.used_ms(self.group.path)

    def idle_kib(self):
        """Before echo nothing stays idle: another program then."""
        if self.idle_command is not self.command:
            self.stop()
            self.start(self.idle_command)
        return super().idle_kib()


def xinetd(instance):
    def command(port):
        config = instance.path("work/xinetd.conf")
        config.write_text(
            f"service bench\n{{\n type = UNLISTED\n port = {port}\n bind = 127.0.0.1\n"
            " socket_type = stream\n protocol = tcp\n wait = no\n instances = UNLIMITED\n"
            " per_source = UNLIMITED\n cps = 100000 1\n log_type = FILE /dev/null\n"
            f" user = {instance.path('work').stat().st_uid}\n flags = NODELAY KEEPALIVE\n"
            f" server = {instance.root}/bin/daytimed\n}}\n")
        return [shutil.which("xinetd"), "-dontfork", "-f", str(config),
                "-pidfile", str(instance.path("work/xinetd.pid"))]
    return command


def tcpserver(program):
    def command(port):
        return ["tcpserver", "-HRl", "localhost", "-c", "512", "-b", "256", "127.0.0.1", str(port),
                *program]
    return command


def rows(machine, house, instance):
    echo = stunnel(instance, "/bin/echo", "echo Saturday")
    return [
        Systemd("systemd, bare Accept=yes", 300, machine, house, "bare.socket", booted.BARE_PORT),
        Systemd("systemd, our template", 150, machine, house, "daytimed.socket", 13),
        Systemd("systemd, units/wait", 1500, machine, house, "daytimed-wait.socket", 13),
        Host("xinetd", 300, instance, xinetd(instance)),
        Host("tcpserver", 300, instance, tcpserver(["./bin/daytimed"])),
        Host("stunnel, inetd mode (tcpserver)", 250, instance, tcpserver(echo), "stunnel4",
             tcpserver(stunnel(instance))),
    ]


def measure():
    with contextlib.ExitStack() as stack:
        machine, house = stack.enter_context(booted.machine())
        instance = Instance()
        stack.callback(instance.close)
        all_rows = rows(machine, house, instance)
        # In turn, so that a slow moment meets all of them.
        for _ in range(REPETITIONS):
            for row in all_rows:
                row.measure()
        return {row.name: row.figures() for row in all_rows}


OURS = ("systemd, our", "systemd, units", "bare", "xinetd", "tcpserver")
PLOTS = (Plot("conn/s", "How many connections a second, by who starts the process?", "connections/s", OURS),
         Plot("p50 ms, 1 client", "How long until the first byte, for one client?", "ms", OURS, less=True),
         Plot("private KiB, idle", "What does an idle session keep, by who starts the process?", "KiB", OURS,
              less=True))


def main():
    missing = [p for p in PEERS if shutil.which(p) is None]
    if missing:
        sys.exit(f"bench: missing: {' '.join(missing)}: make packages-bench packages-systemd")
    if os.geteuid() != 0:
        sys.exit("bench: booting a systemd needs root")
    figures = measure()
    show(f"activation: {CLIENTS} clients, {REPETITIONS} repetitions, medians (min..max); first byte "
         "after connect(), handshake included; CPU without the load's own",
         ["started by", "conn/s", "p50 ms", "p99 ms", "p50 ms, 1 client", "CPU ms", "CPU ms, machine",
          "private KiB, idle"],
         [[name, f["rate"], f["p50"], f["p99"], f["alone"], f["cpu"], f["machine"], f["idle"]]
          for name, f in figures.items()], PLOTS)
    rate = {name: f["rate"].median for name, f in figures.items()}
    idle = {name: f["idle"].median * KIB for name, f in figures.items()}
    wait, nowait = "systemd, units/wait", "systemd, our template"
    ratio("conn/s, wait / nowait (our template)", rate[wait] / rate[nowait], 5, at_least=True)
    ratio("conn/s, wait / stunnel in inetd mode",
          rate[wait] / rate["stunnel, inetd mode (tcpserver)"], 2, at_least=True)
    ratio("private MB of an idle session, our template", idle[nowait], 1.2)
    ratio("private MB of an idle session, units/wait", idle[wait], 0.3)
    print(f"  for information: conn/s, wait / fastest nowait (bare, xinetd, tcpserver): "
          f"{rate[wait] / max(r for n, r in rate.items() if n != wait):.2f}; first byte by our template, "
          f"1 client: {figures[nowait]['alone'].median:.1f} ms")


if __name__ == "__main__":
    main()
