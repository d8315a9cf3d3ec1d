"""A whole Quintet instance in a folder of its own, for tests.

Services run as an unprivileged user when the tests run as root, on free loopback ports, in wait mode
below systemd-socket-activate; all their paths are relative to the instance's folder, which nobody
else can enter. The keeper starts with the first service and its environment, of the same user, so
that it lets all do everything; QUINTET_KEEPER=none in the tests' environment does without. The
programs are those of build/release, or of the variant in QUINTET_TEST_VARIANT.
"""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "certs"))
VARIANT = os.environ.get("QUINTET_TEST_VARIANT", "release")
PROGRAMS = ("daytimed", "ftpd", "chatd", "maild", "cad", "cad-signer", "keeper", "metricsd",
            "quintetctl", "quintet")
KEPT = os.environ.get("QUINTET_KEEPER") != "none"
UID = 61234 if os.geteuid() == 0 else os.geteuid()
GID = 61234 if os.geteuid() == 0 else os.getegid()

# service: (program, door, name of the port)
SERVICES = {
    "daytimed": ("daytimed", "daytime", "daytime"),
    "daytimed-timestamp": ("daytimed", "timestamp", "timestamp"),
    "ftpd": ("ftpd", "ftps", "ftps"),
    "ftpd-explicit": ("ftpd", "ftp", "ftp"),
    "chatd": ("chatd", "ircs", "irc"),
    "maild": ("maild", "imaps", "imaps"),
    "maild-submission": ("maild", "submissions", "submissions"),
    "cad": ("cad", "ca", "ca"),
    "cad-plain": ("cad", "plain", "ca_plain"),
}
# not among those that make up the house
MORE = {"metricsd": ("metricsd", "metrics", "metrics")}


# Tests that run beside each other take ports of their own, below those that the kernel gives out.
PORTS_FIRST, PORTS_EACH = 12000, 2000
_ports = itertools.count(os.getpid())


def free_port():
    """A port that is free on both loopback addresses now, and not given out again soon."""
    group = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) + 4 * (VARIANT == "asan")
    while True:
        port = PORTS_FIRST + PORTS_EACH * group + next(_ports) % PORTS_EACH
        with socket.socket(socket.AF_INET) as four, socket.socket(socket.AF_INET6) as six:
            try:
                four.bind(("127.0.0.1", port))
                six.bind(("::1", port))
            except OSError:
                continue
            return port


def until(condition, seconds=60.0, what="it"):
    """Polls until condition() is true and returns what it returned; patient with a busy machine."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)


class Service:
    """A running listener: its process group holds the sessions too."""

    def __init__(self, name, process, log, port=None):
        self.name = name
        self.process = process
        self.log = log
        self.port = port
        self.stopped = False

    @property
    def pid(self):
        return self.process.pid

    def text(self):
        return self.log.read_text(errors="replace")

    def sessions(self):
        """The processes of its connections."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in children.read_text().split()] if children.exists() else []

    def stop(self):
        """Ends the listener and every session of it."""
        self.stopped = True
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(timeout=5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


class Instance:
    """See above. Everything it starts is ended by close()."""

    def __init__(self, domain="quintet.test", host="localhost", init=True, variant=VARIANT,
                 kept=KEPT):
        self.root = Path(tempfile.mkdtemp(prefix="quintet-"))
        self.ports = {name: free_port() for _, _, name in SERVICES.values()}
        self.services = []
        self.kept, self.keeper, self.keeper_socket = kept, None, None
        self.domain, self.host = domain, host
        self.env = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "HOME": "home",
            "QUINTET_DOMAIN": domain,
            "QUINTET_HOST": host,
            "QUINTET_STATE": "state",
            "QUINTET_RUNTIME": "runtime",
            "QUINTET_CONF": "conf",
            "QUINTET_PLAIN_URL": f"http://{host}:{self.ports['ca_plain']}",
            "QUINTET_ADMIN_USER": "",
            "QUINTET_LOG": "stderr",
            "ASAN_OPTIONS": "abort_on_error=0:exitcode=77:detect_stack_use_after_return=0",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        }
        if not kept:
            self.env["QUINTET_KEEPER"] = "none"
        for name, port in self.ports.items():
            self.env["QUINTET_PORT_" + name.upper()] = str(port)
        for folder in ("bin", "home", "log", "work"):
            (self.root / folder).mkdir()
        for program in PROGRAMS:
            built = TOP / "build" / variant / "bin" / program
            if built.exists():
                shutil.copy(built, self.root / "bin" / program)
        os.chmod(self.root, 0o700)
        self.give(self.root)
        if init:
            self.ctl("init", "--domain", domain, "--host", host, "--host-name", "127.0.0.1",
                     "--host-name", "::1")

    def give(self, top):
        """Hands a folder or file to the user of the services."""
        for path in [top, *top.rglob("*")] if top.is_dir() else [top]:
            os.chown(path, UID, GID)

    def path(self, name):
        return self.root / name

    @property
    def root_pem(self):
        return self.root / "conf/pki/root.pem"

    @property
    def chain_pem(self):
        return self.root / "conf/pki/chain.pem"

    # -- programs ---------------------------------------------------------------------------------

    def options(self, env=None):
        """What every process of the instance is started with."""
        options = {"cwd": self.root, "env": {**self.env, **(env or {})}}
        if os.geteuid() == 0:
            options.update(user=UID, group=GID, extra_groups=[])
        return options

    def run(self, *args, check=True, env=None, timeout=120, **more):
        """Runs a program of the instance as its user; text comes back in .stdout and .stderr."""
        program = args[0] if "/" in args[0] else f"./bin/{args[0]}"
        more.setdefault("stdin", None if "input" in more else subprocess.DEVNULL)
        done = subprocess.run([program, *map(str, args[1:])], text=True, capture_output=True,
                              timeout=timeout, **self.options(env), **more)
        if check:
            assert done.returncode == 0, f"{args}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def ctl(self, *args, **more):
        return self.run("quintetctl", *args, **more)

    def client(self, *args, **more):
        return self.run("quintet", *args, **more)

    # -- services ---------------------------------------------------------------------------------

    def start(self, name, *options, env=None, port=None):
        """Starts a listener by its unit's name; options as in its unit (--max=20 ...)."""
        if name == "cad-signer":
            return self.start_signer(env)
        program, door, port_name = {**SERVICES, **MORE}[name]
        port = port or self.ports.get(port_name) or free_port()
        whole = {**self.env, **(env or {})}
        command = ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "-l", f"[::1]:{port}"]
        for key, value in whole.items():
            command += ["-E", f"{key}={value}"]
        command += [f"./bin/{program}", f"--door={door}", "--idle-exit=0", *options]
        service = self.spawn(name, command, env, port)
        until(lambda: service.text().count("Listening on") == 2, what=f"{name} listening")
        return service

    def start_signer(self, env=None):
        """The signer listens on a socket that is its standard input, as under inetd's wait."""
        with self.listen("signer.sock") as listener:
            return self.spawn("cad-signer", ["./bin/cad-signer", "--idle-exit=0"], env, stdin=listener)

    def listen(self, name):
        path = self.root / "runtime" / name
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        os.chmod(path, 0o660)
        self.give(path)
        listener.listen(1024)
        return listener

    def start_keeper(self, env=None):
        """Where it is killed it starts again: who dials meanwhile waits in the socket's queue."""
        self.keeper_socket = self.keeper_socket or self.listen("keeper.sock")
        self.keeper = self.spawn("keeper", ["./bin/keeper", "--idle-exit=0"], env, stdin=self.keeper_socket)
        threading.Thread(target=self.nurse, args=(self.keeper, env), daemon=True).start()
        return self.keeper

    def nurse(self, keeper, env):
        if keeper.process.wait() < 0 and not keeper.stopped and self.keeper is keeper:
            self.start_keeper(env)

    def stop_keeper(self):
        """Nobody listens any more: quintetctl writes for itself."""
        if self.keeper is not None:
            keeper, self.keeper = self.keeper, None
            keeper.stop()
            self.keeper_socket.close()
            self.path("runtime/keeper.sock").unlink(missing_ok=True)
            self.keeper_socket = None

    def spawn(self, name, command, env=None, port=None, stdin=subprocess.DEVNULL):
        if self.kept and name != "keeper" and (self.keeper is None or self.keeper.stopped):
            self.start_keeper(env)
        log = self.root / f"log/{name}-{len(self.services)}.log"
        with open(log, "ab") as err:
            process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=err,
                                       start_new_session=True, **self.options(env))
        service = Service(name, process, log, port)
        self.services.append(service)
        return service

    def start_all(self):
        for name in ("cad-signer", *SERVICES):
            self.start(name)

    def log_text(self):
        """Everything the services have said."""
        return "".join(p.read_text(errors="replace") for p in sorted(self.root.glob("log/*.log")))

    # -- people -----------------------------------------------------------------------------------

    def account(self, name, password):
        """Makes an account with a password."""
        secret = self.root / f"work/{name}.password"
        secret.write_text(password + "\n")
        secret.chmod(0o600)
        self.give(secret)
        self.ctl("user", "add", name, "--password-file", secret.relative_to(self.root))

    def enroll(self, name, password):
        """A certificate for an account by EST, with stock tools. Paths of key and certificate."""
        work = self.root / "work"
        key, csr, p7, cert = (work / f"{name}.{kind}" for kind in ("key", "csr", "p7", "pem"))
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", key,
                        "-outform", "DER", "-out", csr], check=True, capture_output=True)
        subprocess.run(["sh", "-c", f"base64 -w0 {csr} > {csr}.b64"], check=True)
        subprocess.run(["curl", "-sS", "--fail-with-body", "--cacert", self.root_pem, "-u",
                        f"{name}:{password}", "-H", "Content-Type: application/pkcs10",
                        "--data-binary", f"@{csr}.b64", "-o", p7,
                        f"https://{self.host}:{self.ports['ca']}/.well-known/est/simpleenroll"],
                       check=True, capture_output=True)
        subprocess.run(["sh", "-c", f"base64 -d {p7} | openssl pkcs7 -inform DER -print_certs "
                                    f"| openssl x509 -out {cert}"], check=True)
        return key, cert

    # -- end --------------------------------------------------------------------------------------

    def close(self):
        """Ends all services, removes the folder, and fails when a sanitizer has found something."""
        for service in reversed(self.services):
            service.stop()
        self.stop_keeper()
        text = self.log_text()
        shutil.rmtree(self.root, ignore_errors=True)
        for mark in ("ERROR: AddressSanitizer", "runtime error:", "ERROR: LeakSanitizer"):
            assert mark not in text, text
