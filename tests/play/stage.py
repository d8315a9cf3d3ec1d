"""The stage of the play: a machine that runs systemd, and three desks around it, each a network
namespace with a cable to that machine, which also forwards between them. Nothing of it is seen from
outside, and all of it ends with the test."""

import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests/systemd"), str(TOP / "tests/interop")]

from glass import CursesGlass  # noqa: E402

HOST = "home.quintet.test"
SERVER = "10.77.0.1"  # on the machine's loopback: reached from every desk
DESKS = ("ann", "bob", "olga")


def run(*command, check=True, timeout=120, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False,
                          timeout=timeout, stdin=subprocess.DEVNULL, **more)
    assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def package(name):
    """What `make deb` has made."""
    (path,) = (TOP / "build/deb").glob(f"{name}_*.deb")
    return path


class Desk:
    """A person's own machine: a network, /etc/hosts with the server's name, a home."""

    def __init__(self, machine, number, home, programs):
        self.home, self.programs = home, programs
        self.address = f"10.77.{number}.2"
        self.work = home / "work"
        self.work.mkdir(parents=True)
        hosts = home / "hosts"
        hosts.write_text(f"127.0.0.1 localhost\n{SERVER} {HOST}\n")
        # setpriv: it ends with the test, however that ends.
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "sh", "-c",
             f"mount --bind '{hosts}' /etc/hosts && ip link set lo up && echo ready && exec sleep 1800"],
            stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "ready\n"
        self.plug(machine, number)

    def plug(self, machine, number):
        here, there = f"q{number}-desk", f"q{number}-house"
        run("nsenter", "-t", machine.pid, "-n", "ip", "link", "add", there, "type", "veth", "peer", "name",
            here, "netns", self.holder.pid)
        run("nsenter", "-t", machine.pid, "-n", "sh", "-c",
            f"ip address add 10.77.{number}.1/24 dev {there} && ip link set {there} up")
        self.run("sh", "-c", f"ip address add {self.address}/24 dev {here} && ip link set {here} up && "
                             f"ip route add default via 10.77.{number}.1")

    def environment(self):
        return {"PATH": f"{self.programs}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.home),
                "LANG": "C.UTF-8", "TERM": "xterm-256color", "TZ": "UTC",
                "QUINTET_CLIENT_DIR": str(self.home / "quintet")}

    def inside(self, *command):
        return ["nsenter", "-t", str(self.holder.pid), "-n", "-m", f"--wd={self.work}", "--",
                *map(str, command)]

    def run(self, *command, check=True):
        return run(*self.inside(*command), check=check, env=self.environment())

    def quintet(self, *words, check=True):
        done = self.run("quintet", *words, check=check)
        return done.stdout if check else done

    def console(self, rows=30, columns=100):
        """quintet on a terminal of its own."""
        return CursesGlass(["/usr/bin/nsenter", *self.inside("quintet")[1:]], self.environment(), rows=rows,
                     columns=columns)

    def leave(self):
        self.holder.kill()
        self.holder.wait()


class Stage:
    def __init__(self, machine, folder):
        self.machine = machine
        machine.run("sh", "-c", f"ip address add {SERVER}/32 dev lo && ip link set lo up && "
                                "echo 1 >/proc/sys/net/ipv4/ip_forward")
        # What people have installed: the client's package, here in a folder for all three.
        run("dpkg-deb", "-x", package("quintet-client"), folder / "client")
        self.desks = {name: Desk(machine, number, folder / name, folder / "client/usr/bin")
                      for number, name in enumerate(DESKS, 1)}
        self.screens = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for screen in self.screens.values():
            screen.close()
        for desk in self.desks.values():
            desk.leave()

    def open_console(self, name):
        self.screens[name] = self.desks[name].console()
        return self.screens[name]

    def ctl(self, *words, check=True):
        """The administrator, at the server itself."""
        return self.machine.run("quintetctl", *words, check=check).stdout
