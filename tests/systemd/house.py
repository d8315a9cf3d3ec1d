"""The installed Quintet of the test machine, as its clients and its administrator see it."""

import json
import re
import ssl
import time

PORTS = {
    "daytimed": 13,
    "daytimed-timestamp": 318,
    "ftpd": 990,
    "ftpd-explicit": 21,
    "chatd": 6697,
    "maild": 993,
    "maild-submission": 465,
    "cad": 8443,
    "cad-plain": 8080,
}
PASSWORD = "correct horse battery staple"
HOST = "localhost"


class House:
    def __init__(self, machine, top):
        self.machine = machine
        self.top = top
        self.conf = machine.root / "etc/quintet"
        self.root_pem = self.conf / "pki/root.pem"

    # -- clients -------------------------------------------------------------------------------

    def tls(self, door="daytimed", source="127.0.0.1", identity=None, alpn=None):
        """A verified TLS connection; identity: folder with cert.pem and key.pem."""
        context = ssl.create_default_context(cafile=str(self.root_pem))
        if identity:
            context.load_cert_chain(identity / "cert.pem", identity / "key.pem")
        if alpn:
            context.set_alpn_protocols([alpn])
        plain = self.machine.connect(PORTS[door], source)
        try:
            if door == "ftpd-explicit":
                ask_for_tls(plain)
            return context.wrap_socket(plain, server_hostname=HOST)
        except BaseException:
            plain.close()
            raise

    def daytime(self, source="127.0.0.1", identity=None):
        """A live daytime session, its banner read."""
        session = self.tls("daytimed", source, identity)
        assert_time(read_line(session))
        return session

    def ftp(self, door="ftpd", name=None, identity=None):
        """A session of ftpd, greeted; logged in by password when a name is given."""
        session = self.tls(door, identity=identity)
        if door == "ftpd":
            assert read_line(session).startswith("220 ")
        if name:
            assert ask(session, f"USER {name}").startswith("331 ")
            assert ask(session, f"PASS {PASSWORD}").startswith("230")
        return session

    def curl(self, name, *arguments, **more):
        """curl as a person would call it, on the machine's network."""
        command = ["curl", "-sS", "--cacert", str(self.root_pem), "-u", f"{name}:{PASSWORD}"]
        return self.machine.outside(*command, *map(str, arguments), **more)

    def assert_answers(self, door):
        """Something of the door's own protocol comes back."""
        if door == "daytimed":
            self.daytime().close()
            return
        if door.startswith("ftpd"):
            with self.ftp(door) as session:
                assert ask(session, "NOOP").startswith("200 ")
            return
        if door == "chatd":
            with self.tls(door, alpn="irc") as session:
                assert ask(session, "PING :here") == ":host.quintet.test PONG host.quintet.test :here\r\n"
            return
        if door.startswith("maild"):
            with self.tls(door) as session:
                assert read_line(session).startswith("* OK " if door == "maild" else "220 ")
            return
        if door == "cad-plain":
            session = self.machine.connect(PORTS[door])
        else:
            session = self.tls(door, alpn="http/1.1")
        with session:
            session.sendall(
                b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            assert read_line(session).startswith("HTTP/1.1 40")

    def is_served(self, source="127.0.0.1"):
        try:
            self.daytime(source).close()
        except (ssl.SSLError, ConnectionError):
            return False
        return True

    def is_refused(self, source):
        """Whether a new daytime connection is closed without a byte."""
        with self.machine.connect(PORTS["daytimed"], source) as s:
            s.settimeout(30)
            try:
                return s.recv(100) == b""
            except TimeoutError:
                return False
            except ConnectionResetError:
                return True

    def enrol(self, folder, name):
        """A new account with a certificate, made by the client as a person would."""
        token = self.ctl("invite", "create", "--name", name).split()
        token = max(token, key=len)
        password = folder / "password"
        password.write_text(PASSWORD + "\n")
        password.chmod(0o600)
        self.client(
            folder,
            "enroll",
            f"{HOST}:{PORTS['cad']}",
            "--user",
            name,
            "--root",
            str(self.root_pem),
            "--invite",
            token,
            "--password-file",
            str(password),
            "--as",
            name,
        )
        return folder / name

    def client(self, folder, *arguments):
        """The installed client, with its files in folder, on the machine's network."""
        program = str(self.machine.root / "usr/bin/quintet")
        env = {"QUINTET_CLIENT_DIR": str(folder)}
        return self.machine.outside(program, *arguments, env=env).stdout

    def assert_client_is_content(self, folder, name):
        """Enrol, see every service, ask the time, stamp a file and verify the stamp."""
        self.enrol(folder, name)
        services = json.loads(self.client(folder, "--json", "status"))["services"]
        assert [s["state"] for s in services] == ["ok"] * len(PORTS)
        assert f"user:              {name}" in self.client(folder, "whoami")
        assert_time(self.client(folder, "daytime").replace("\n", "\r\n"))
        document = folder / "document"
        document.write_text("stamped under systemd\n")
        self.client(folder, "daytime", "--stamp", str(document))
        assert "document" in self.client(folder, "daytime", "--verify", str(document))

    # -- the administrator ---------------------------------------------------------------------

    def ctl(self, *arguments, check=True):
        return self.machine.run("quintetctl", *arguments, check=check).stdout

    def serial_of(self, account):
        text = self.ctl("--json", "cert", "list", "--account", account, "--state", "valid")
        return re.search(r'"serial":\s*"([0-9a-fA-F]+)"', text).group(1)

    def sessions(self, service):
        """Units of live sessions, those that are about to start or just ended included."""
        return self.loaded(f"{service}@*.service")

    def loaded(self, pattern):
        text = self.machine.run(
            "systemctl", "list-units", "--all", "--plain", "--no-legend", pattern
        ).stdout
        return [line.split()[0] for line in text.splitlines() if line.strip()]

    def main_pid(self, unit):
        return int(self.machine.property(unit, "MainPID"))

    def kill(self, pid, signal="KILL"):
        self.machine.run("sh", "-c", f"kill -{signal} {pid}")

    def status_of(self, pid):
        """Lines of /proc/PID/status as a table."""
        text = self.machine.run("cat", f"/proc/{pid}/status").stdout
        return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)

    def processes(self):
        """PIDs of all processes of Quintet's accounts but the keeper, which stays for ten seconds."""
        uids = self.machine.run("sh", "-c", "getent passwd | grep ^quintet- | grep -v keeper | cut -d: -f3").stdout
        pattern = "|".join(uids.split())
        text = self.machine.run(
            "sh", "-c", f"grep -lE '^Uid:[[:space:]]({pattern})[[:space:]]' /proc/[0-9]*/status",
            check=False,
        ).stdout
        return [int(p.split("/")[2]) for p in text.split()]

    def wait_until(self, condition, seconds=60.0, every=0.05):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(every)


def ask_for_tls(plain):
    """AUTH TLS, as RFC 4217 has it."""
    assert read_line(plain).startswith("220 ")
    assert ask(plain, "AUTH TLS").startswith("234 ")


def read_line(session):
    line = b""
    while not line.endswith(b"\n"):
        byte = session.recv(1)
        if byte == b"":
            break
        line += byte
    return line.decode()


def ask(session, command="daytime"):
    session.sendall(command.encode() + b"\r\n")
    return read_line(session)


def assert_time(line):
    assert re.fullmatch(r"[A-Z][a-z]+day \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d\r\n", line)


def seconds_until_closed(session, limit=60.0):
    """How long the other side keeps the connection."""
    start = time.monotonic()
    session.settimeout(limit)
    try:
        while session.recv(4096) != b"":
            pass
    except (ssl.SSLError, ConnectionError):
        pass
    return time.monotonic() - start
