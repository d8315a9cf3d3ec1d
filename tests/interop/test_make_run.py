"""make run, make stop, make clean-run: a demo instance in ./run of a checkout of its own.

The checkout has the project's units/run.mk and units/demo, and programs that are already built. It
lies below a folder that only its owner can enter, as /root is.
"""
import contextlib
import imaplib
import json
import os
import random
import re
import shutil
import smtplib
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path

import pytest

from instance import TOP, VARIANT, until
from terminal import Terminal

PROGRAMS = TOP / "build" / VARIANT / "bin"
DOORS = {"daytimed": 13, "timestamp": 318, "ftpd": 990, "ftp": 21, "chatd": 697, "maild": 993,
         "submission": 465, "cad": 443, "plain": 80}
SPARE_UID = 61715
MAKEFILE = f"""MAIN_VARIANT := {VARIANT}
all packages-run:
include units/run.mk
"""

pytestmark = pytest.mark.release_only


def free_base():
    """A PORT_BASE whose ports nobody has."""
    while True:
        base = random.randrange(20000, 60000)
        try:
            for offset in DOORS.values():
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", base + offset))
            return base
        except OSError:
            continue


class Checkout:
    def __init__(self, uid=None):
        self.outer = Path(tempfile.mkdtemp(prefix="quintet-run-"))
        self.top = self.outer / "checkout"
        (self.top / "units").mkdir(parents=True)
        shutil.copytree(TOP / "units" / "demo", self.top / "units" / "demo")
        shutil.copy(TOP / "units" / "run.mk", self.top / "units")
        (self.top / "Makefile").write_text(MAKEFILE)
        (self.top / "build" / VARIANT).mkdir(parents=True)
        shutil.copytree(PROGRAMS, self.top / "build" / VARIANT / "bin")
        self.run_folder = self.top / "run"
        self.base = free_base()
        self.identity = {}
        if uid is not None:
            subprocess.run(["chown", "-R", f"{uid}:{uid}", self.outer], check=True)
            self.identity = {"user": uid, "group": uid, "extra_groups": []}
        self.out = ""

    def make(self, *args, status=0, wrapper=()):
        """No terminal, both outputs in a pipe: a service that kept one open would hang this."""
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("QUINTET_", "MAKE", "SUDO_"))}
        done = subprocess.run([*wrapper, "make", "-C", self.top, *args], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=300, env=env, check=False, **self.identity)
        self.out = done.stdout
        assert (done.returncode == 0) == (status == 0), done.stdout
        return done.stdout

    def run(self, **more):
        return self.make("run", f"PORT_BASE={self.base}", **more)

    def port(self, door):
        return self.base + DOORS[door]

    def pids(self):
        return {p.name: int(p.read_text().split()[0])
                for p in self.run_folder.glob("pids/*")}

    def path(self, name):
        return self.run_folder / name

    def curl(self, path, *more, door="cad"):
        scheme = "http" if door == "plain" else "https"
        done = subprocess.run(
            ["curl", "-sS", "--fail-with-body", "--max-time", "60", "--cacert",
             self.path("root.pem"), *more, f"{scheme}://localhost:{self.port(door)}{path}"],
            capture_output=True, timeout=90, check=False)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    def close(self):
        if (self.run_folder / "settings").exists():
            self.make("clean-run")
        shutil.rmtree(self.outer)


@pytest.fixture(name="checkout")
def fixture_checkout():
    made = Checkout()
    yield made
    made.close()


def greeting(checkout, address):
    context = ssl.create_default_context(cafile=str(checkout.path("root.pem")))
    with socket.create_connection((address, checkout.port("daytimed")), 10) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as tls:
            return tls.recv(200)


@contextlib.contextmanager
def chat_session(checkout, address, *lines):
    """A session of demo by its certificate, and a file of what chatd says in it."""
    context = ssl.create_default_context(cafile=str(checkout.path("root.pem")))
    context.load_cert_chain(checkout.path("demo.pem"), checkout.path("demo.key"))
    with socket.create_connection((address, checkout.port("chatd")), 60) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as tls, tls.makefile() as said:
            tls.sendall("".join(line + "\r\n" for line in ("NICK demo", "USER demo 0 * :Demo", *lines)).encode())
            yield said


def chat(checkout, address):
    """What chatd says to somebody who comes and goes."""
    with chat_session(checkout, address, "QUIT") as said:
        return said.read()


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def check_works(checkout, addresses=("127.0.0.1", "::1")):
    """Every door answers to stock clients, and the demo account's files are good."""
    for address in addresses:
        assert re.match(rb"\w+ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", greeting(checkout, address))
        assert re.search(r"^:localhost 001 demo .*demo@user\.demo", chat(checkout, address), re.M)
    assert b"domain localhost" in checkout.curl("/.well-known/quintet")
    assert checkout.curl("/ca/0.cer", door="plain")[:1] == b"\x30"
    mine = checkout.curl("/account", "--cert", checkout.path("demo.pem"), "--key",
                         checkout.path("demo.key"))
    assert b"demo" in mine
    password = checkout.path("demo.password").read_text().strip()
    assert b"demo" in checkout.curl("/account", "-u", f"demo:{password}")
    for url in (f"ftps://localhost:{checkout.port('ftpd')}/", f"ftp://localhost:{checkout.port('ftp')}/"):
        subprocess.run(["curl", "-sS", "--ssl-reqd", "--max-time", "60", "--cacert", checkout.path("root.pem"),
                        "-u", f"demo:{password}", url], check=True, timeout=90, stdout=subprocess.DEVNULL)
    send_and_fetch(checkout, password)


def send_and_fetch(checkout, password):
    """A message from demo to demo, by stock clients."""
    context = ssl.create_default_context(cafile=str(checkout.path("root.pem")))
    text = f"works{random.random()}"
    with smtplib.SMTP_SSL("localhost", checkout.port("submission"), timeout=60, context=context) as sending:
        sending.login("demo", password)
        sending.sendmail("demo@localhost", "demo@localhost", f"Subject: {text}\r\n\r\nit\r\n")
    with imaplib.IMAP4_SSL("localhost", checkout.port("maild"), ssl_context=context, timeout=60) as reading:
        reading.login("demo", password)
        reading.select("INBOX", readonly=True)
        assert reading.search(None, "SUBJECT", text)[1] != [b""]


def as_printed(checkout, said, *beginnings, typed=""):
    """Runs lines of the closing hint as a person would copy them; what they print."""
    lines = [line.strip() for line in said.splitlines()]
    script = [line for line in lines if line.startswith("export ")]
    for beginning in beginnings:
        (line,) = [line for line in lines if line.startswith(beginning)]
        script.append(re.sub(r"   +.*", "", line))
    done = subprocess.run(["sh", "-ec", "\n".join(script)], cwd=checkout.top, capture_output=True,
                          text=True, timeout=120, check=False, input=typed)
    assert done.returncode == 0, (script, done.stdout, done.stderr)
    return done.stdout


def test_the_hints_work_as_printed(checkout):
    said = checkout.run()
    readme = checkout.top / "README.md"
    readme.write_text("read me\n")
    as_printed(checkout, said, "quintet ftp put README.md", "quintet daytime", "quintet ca list")
    stored = checkout.path("state/files/shared/README.md")
    assert stored.read_text() == "read me\n"
    curl = "curl --cacert run/root.pem -u \"demo:$(cat run/demo.password)\" ftps://"
    assert "README.md" in as_printed(checkout, said, curl)
    ranges = re.search(r"^QUINTET_FTP_PASSIVE=(.*)$", checkout.path("conf/quintet.env").read_text(), re.M)[1]
    assert ranges == f"{checkout.base + 1000}-{checkout.base + 1199}"


def test_mail_as_printed(checkout):
    said = re.sub(r"\\\n +", "", checkout.run())
    as_printed(checkout, said, "printf 'Subject: hello")
    curl = "curl --cacert run/root.pem -u \"demo:$(cat run/demo.password)\" 'imaps://"
    assert "\r\n\r\nHello.\r\n" in as_printed(checkout, said, curl).replace("\n", "\r\n").replace("\r\r", "\r")
    told = as_printed(checkout, said, "echo Hello. | quintet mail send")
    assert told.startswith("sent, encrypted\n") and len(re.findall("demo@localhost", told)) == 2


def test_chat_as_printed(checkout):
    said = checkout.run()
    as_printed(checkout, said, "quintet chat send --join '#lobby' hello")
    typed = "NICK demo\nUSER demo 0 * :Demo\nPRIVMSG #lobby :by hand\nQUIT\n"
    by_hand = as_printed(checkout, said, "openssl s_client -quiet -CAfile run/root.pem -cert", typed=typed)
    assert re.search(r"^:localhost 001 demo ", by_hand, re.M) and re.search(r"JOIN #lobby\b", by_hand)
    told = as_printed(checkout, said.replace("send --join '#lobby' hello", "history '#lobby'"), "quintet chat history")
    assert "hello" in told and "by hand" in told

    terminal = Terminal(["/usr/bin/irssi", f"--home={checkout.outer}/irssi"],
                        {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"}, cwd=checkout.top)
    try:
        (line,) = [line.strip() for line in said.splitlines() if line.startswith("    /connect ")]
        terminal.expect("[(status)]", 60)
        terminal.send("/set nick demo\r" + line + "\r")
        terminal.expect("Welcome to localhost, demo!", 60)
        terminal.send("/quit\r")
        assert terminal.status(60) == 0
    finally:
        terminal.close()


def test_who_is_in_chat_is_told_of_the_end(checkout):
    checkout.run()
    with chat_session(checkout, "127.0.0.1", "PING :here") as said:
        while "PONG" not in said.readline():
            pass
        assert "Stopped: 11." in checkout.make("stop")
        assert said.read() == "ERROR :Closing link: Service stops\n"
    checkout.run()
    rows = subprocess.run([checkout.path("quintetctl"), "--json", "chat", "people"], capture_output=True, check=True)
    assert json.loads(rows.stdout) == []


def test_an_instance_of_an_older_version_is_taken_along(checkout):
    """One that was made before ftpd, chatd and maild came."""
    checkout.run()
    checkout.make("stop")
    env = checkout.path("conf/quintet.env")
    newer = re.compile("_FTP|_IRC|_IMAPS|_SUBMISSIONS")
    env.write_text("".join(line for line in env.read_text().splitlines(True) if not newer.search(line)))
    for service in ("ftpd", "chatd", "maild"):
        shutil.rmtree(checkout.path(f"conf/credentials/{service}"))
    shutil.rmtree(checkout.path("state/files"))
    with open(checkout.path("bin/daytimed"), "ab") as program:
        program.write(b"\0")
    assert "amiss" not in checkout.run()
    check_works(checkout)


def test_life_of_an_instance(checkout):
    said = checkout.run()
    assert "quintet daytime" in said and "separation" in said and "amiss" not in said
    check_works(checkout)
    for name in ("demo.key", "demo.pem", "demo.password", "demo.cmp"):
        found = checkout.path(name).stat()
        assert found.st_mode & 0o777 == 0o600 and found.st_uid == os.geteuid(), name
    pids = checkout.pids()
    assert set(pids) == {*DOORS, "cad-signer", "keeper"}
    for pid in pids.values():
        uids = re.search(r"^Uid:(.*)$", Path(f"/proc/{pid}/status").read_text(), re.M).group(1)
        assert "0" not in uids.split()
    root = checkout.path("root.pem").read_bytes()
    reference = checkout.path("demo.cmp").read_text()

    checkout.make("run")  # resumes, and remembers its ports
    assert checkout.pids() == pids and checkout.path("root.pem").read_bytes() == root
    assert checkout.path("demo.cmp").read_text() != reference
    check_works(checkout)

    os.kill(pids["cad"], 9)
    until(lambda: not alive(pids["cad"]))
    checkout.run()
    now = checkout.pids()
    assert now.pop("cad") != pids["cad"] and now == {k: pids[k] for k in now}
    check_works(checkout)

    checkout.make("stop")
    assert not any(alive(pid) for pid in checkout.pids().values()) and not checkout.pids()
    with pytest.raises(OSError):
        greeting(checkout, "127.0.0.1")
    checkout.run()
    assert checkout.path("root.pem").read_bytes() == root
    check_works(checkout)
    pids = checkout.pids()
    checkout.make("clean-run")
    assert not checkout.run_folder.exists() and not any(map(alive, pids.values()))


def test_demo_files_serve_a_stock_cmp_client(checkout):
    checkout.run()
    reference, secret = checkout.path("demo.cmp").read_text().split()
    work = checkout.outer / "cmp"
    work.mkdir()
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-out", work / "new.key"], check=True)
    done = subprocess.run(
        ["openssl", "cmp", "-cmd", "ir", "-server", f"localhost:{checkout.port('cad')}",
         "-path", "/.well-known/cmp", "-tls_used", "-tls_trusted", checkout.path("root.pem"),
         "-trusted", checkout.path("root.pem"), "-ref", reference, "-secret", f"pass:{secret}",
         "-newkey", work / "new.key", "-subject", "/CN=demo", "-certout", work / "new.pem",
         "-implicit_confirm"],
        capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    subprocess.run(["openssl", "verify", "-CAfile", checkout.path("root.pem"), "-untrusted",
                    checkout.path("conf/pki/chain.pem"), work / "new.pem"], check=True)


def test_sign_up_is_open_and_top_shows_who_is_there(checkout):
    checkout.run()
    checkout.curl("/account/create", "-d", "name=newcomer&password=correct+horse+battery")
    ctl = [checkout.path("quintetctl"), "--json"]
    users = subprocess.run([*ctl, "user", "list"], capture_output=True, check=True).stdout
    assert b'"newcomer"' in users

    def top():
        return subprocess.run([*ctl, "top"], capture_output=True, text=True, check=True).stdout

    context = ssl.create_default_context(cafile=str(checkout.path("root.pem")))
    with socket.create_connection(("127.0.0.1", checkout.port("daytimed"))) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as tls:
            tls.recv(200)
            until(lambda: '"daytimed"' in top(), what="the session in top")
            assert '"peer":"127.0.0.1"' in top()
    until(lambda: '"daytimed"' not in top(), what="an empty top")


def test_the_limit_of_sessions_holds(checkout):
    checkout.run()
    held = [socket.create_connection(("127.0.0.1", checkout.port("daytimed"))) for _ in range(20)]
    with socket.create_connection(("127.0.0.1", checkout.port("daytimed"))) as late:
        late.settimeout(60)
        assert late.recv(1) == b""
    assert greeting_after_leaving(checkout, held)


def greeting_after_leaving(checkout, held):
    for one in held:
        one.close()

    def greeted():
        try:
            return greeting(checkout, "127.0.0.1")
        except OSError:
            return None

    return until(greeted, what="room")


def test_stop_ends_only_what_it_started(checkout):
    checkout.run()
    with subprocess.Popen(["sleep", "60"]) as bystander:
        recorded = checkout.path("pids/plain")
        checkout_plain = int(recorded.read_text().split()[0])
        start = recorded.read_text().split()[1]
        recorded.write_text(f"{bystander.pid} {int(start) + 1000000}\n")
        checkout.make("stop")
        assert bystander.poll() is None and alive(checkout_plain)
        bystander.terminate()
    os.kill(checkout_plain, 15)


def test_a_port_in_use_is_named(checkout):
    with socket.create_server(("127.0.0.1", checkout.port("cad"))):
        said = checkout.run(status=2)
        assert f"port {checkout.port('cad')} (for cad) is in use" in said and "PORT_BASE" in said
        assert not checkout.pids()
    checkout.run()
    check_works(checkout)


def test_make_alone_builds_all():
    said = subprocess.run(["make", "-npC", str(TOP)], capture_output=True, text=True, check=True, timeout=120).stdout
    assert "\n.DEFAULT_GOAL := all\n" in said


@pytest.mark.parametrize("base", ["x", "80", "64001", "9000x", "-9000", "09000"])
def test_a_bad_port_base_is_refused(checkout, base):
    assert "PORT_BASE is a number" in checkout.make("run", f"PORT_BASE={base}", status=2)
    assert not checkout.run_folder.exists()


def test_the_ports_of_an_instance_stay(checkout):
    checkout.run()
    said = checkout.make("run", f"PORT_BASE={checkout.base - 1}", status=2)
    assert "clean-run" in said


def test_clean_run_removes_nothing_else(checkout):
    checkout.run_folder.mkdir()
    (checkout.run_folder / "mine").write_text("precious")
    assert "no instance" in checkout.make("clean-run", status=2)
    assert (checkout.run_folder / "mine").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
def test_an_ordinary_user():
    checkout = Checkout(SPARE_UID)
    try:
        checkout.run()
        check_works(checkout)
        for pid in checkout.pids().values():
            assert os.stat(f"/proc/{pid}").st_uid in (SPARE_UID, 0)  # 0: not dumpable
        assert checkout.path("demo.key").stat().st_uid == SPARE_UID
        checkout.make("run")
        checkout.make("stop")
    finally:
        checkout.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a network namespace")
def test_without_ipv6(checkout):
    inside = ["unshare", "-n", "sh", "-c",
              "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 && ip link set lo up && "
              '"$@" && grep -c . /proc/net/tcp && make -C "$3" stop', "sh"]
    probe = subprocess.run([*inside[:4], "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 && "
                            "ip link set lo up"], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("no network namespace to be had here")
    said = checkout.run(wrapper=inside)
    assert "no IPv6" in said and "127.0.0.1 only" in said and "Stopped: 11." in said
    assert "amiss" not in said
