"""The keeper under real users: one writes the store for all, each service its own part of it only,
and nothing that was answered is lost when it is killed."""

import subprocess
import threading
import time

import pytest
from house import PASSWORD, ask
from irc import Irc
from mail import Imap, submit

STORE = "/var/lib/quintet/store"
SOCKET = "/run/quintet/keeper.sock"
SERVICES = ["daytimed", "ftpd", "chatd", "maild", "cad", "signer"]
# what belongs to each alone, and what each does for its log-ins and sessions
OWN = {"daytimed": (), "ftpd": ("file-", "partial-"), "chatd": ("chat-",), "maild": ("mail-",),
       "cad": ("account-password", "cert-revoke"),
       "signer": ("account-password", "cert-", "crl-put", "cmp-consume")}
SHARED = ("session-", "bell-")
LOG_INS = ("throttle-", "audit-append")
SIGN_UPS = ("account-create",)


@pytest.fixture(scope="module", name="probe")
def fixture_probe(house):
    """Runs the probe inside the machine as a service's user; its answers by what was tried."""
    lib = house.top / "build/release/lib"
    subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", f"-I{house.top}/lib", "-o",
                    house.machine.root / "usr/local/bin/probe", house.top / "tests/systemd/probe.c",
                    lib / "libstore.a", lib / "libbase.a", "-llmdb", "-lcrypto"], check=True, timeout=60)

    def run(service, *arguments):
        user = f"quintet-{service}"
        done = house.machine.run("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups",
                                 "/usr/local/bin/probe", *arguments).stdout
        return dict(line.rsplit(" ", 1) if " " in line else (line, "") for line in done.splitlines())

    return run


def test_only_its_user_writes_the_store(house, probe):
    modes = {STORE: "2750", f"{STORE}/data.mdb": "640", f"{STORE}/settled": "640", f"{STORE}/lock.mdb": "660",
             f"{STORE}/guard": "660"}
    for path, mode in modes.items():
        found = house.machine.run("stat", "-c", "%a %U %G", path).stdout.strip()
        assert found == f"{mode} quintet-keeper quintet", path
    closed = [f"{STORE}/data.mdb", f"{STORE}/settled"]
    for service in SERVICES:
        assert probe(service, "write", *closed) == {path: "EACCES" for path in closed}, service
        assert probe(service, "make", f"{STORE}/new") == {f"{STORE}/new": "EACCES"}, service
        assert probe(service, "move", STORE, f"{STORE}2") == {STORE: "EACCES"}, service
        assert probe(service, "make", SOCKET + "2", "/run/quintet/signer") == {
            SOCKET + "2": "EACCES", "/run/quintet/signer": "EACCES"}, service


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_not_its_own_is_refused(house, probe, service):
    allowed = OWN[service] + SHARED + (() if service == "daytimed" else LOG_INS)
    allowed += () if service in ("daytimed", "maild") else SIGN_UPS
    foreign = [name for name in probe(service, "ops") if not name.startswith(allowed)]
    answers = probe(service, "ask", SOCKET, *foreign)
    assert len(answers) > 30 and answers == {name: "EPERM" for name in answers}
    assert "a caller may not do that" in house.machine.journal("-u", "keeper.service")
    # not for want of a keeper: the administrator is told that there is no such account
    assert probe("admin", "ask", SOCKET, "account-flags") == {"account-flags": "ENOENT"}


def test_a_certificate_is_revoked_by_cad_alone(house, probe, tmp_path):
    house.enrol(tmp_path, "mine")
    serial = house.serial_of("mine")
    for service in ("daytimed", "ftpd", "chatd", "maild"):
        assert probe(service, "revoke", SOCKET, serial, "mine") == {"revoke": "EPERM"}
    assert house.serial_of("mine") == serial
    assert probe("cad", "revoke", SOCKET, serial, "mine") == {"revoke": "ok"}
    assert '"mine"' not in house.ctl("--json", "cert", "list", "--account", "mine", "--state", "valid")


def test_others_are_nobody(house):
    run = house.machine.run
    refused = run("setpriv", "--reuid=daemon", "--regid=daemon", "--groups=quintet", "/usr/local/bin/probe", "ask",
                  SOCKET, "session-remove", "account-flags").stdout
    assert refused == "session-remove EPERM\naccount-flags EPERM\n"
    refused = run("setpriv", "--reuid=daemon", "--regid=daemon", "--clear-groups", "/usr/local/bin/probe", "write",
                  SOCKET, f"{STORE}/lock.mdb").stdout
    assert refused == f"{SOCKET} EACCES\n{STORE}/lock.mdb EACCES\n"


class Load:
    """People who use a service over and over; what it acknowledged is in .done."""

    def __init__(self, act):
        self.act, self.done, self.trouble = act, [], []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        count = 0
        while not self.stop.is_set():
            count += 1
            try:
                self.act(count)
                self.done.append(count)
            except Exception as error:  # pylint: disable=broad-except
                self.trouble.append(error)
                return

    def end(self):
        self.stop.set()
        self.thread.join(60)


def test_killing_it_loses_nothing(house, tmp_path):
    """All services at work, the keeper killed every half second: nobody notices."""
    for name in ("busyann", "busybob"):
        house.enrol(tmp_path, name)
    irc = Irc(house, "busyann", tmp_path / "busyann")
    irc.join("#busy")
    upload = tmp_path / "upload"
    upload.write_bytes(b"x" * 1000)

    def say(n):
        irc.send(f"PRIVMSG #busy :number {n}.")
        irc.sync()

    def put(n):
        house.curl("busyann", "-T", upload, f"ftps://localhost/busy-{n}", timeout=60)

    loads = [Load(lambda n: submit(house, "busyann", "busybob", f"Subject: number {n}.\r\n\r\nIt.")),
             Load(say), Load(put), Load(lambda n: house.ctl("set", "chat_motd", f"number {n}"))]
    kills = 0
    for _ in range(8):
        time.sleep(0.5)
        kills += house.machine.run("systemctl", "kill", "-s", "KILL", "keeper.service", check=False).returncode == 0
    for load in loads:
        load.end()
    assert kills >= 4 and [load.trouble for load in loads] == [[]] * 4
    assert all(len(load.done) >= 3 for load in loads), [len(load.done) for load in loads]
    mail, chat, files, motd = (load.done for load in loads)
    with Imap(house, "busybob") as bob:
        subjects = "".join(bob.ask("FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]"))
    assert [subjects.count(f"number {n}.") for n in mail] == [1] * len(mail)
    irc.close()
    history = house.client(tmp_path, "--profile", "busyann", "chat", "history", "-n", "1000", "#busy")
    assert [history.count(f"number {n}.") for n in chat] == [1] * len(chat)
    owned = house.ctl("--json", "user", "show", "busyann")
    assert f'"files":{len(files)}' in owned.replace(" ", ""), owned
    assert f"number {motd[-1]}" in house.ctl("get", "chat_motd")
    house.ctl("check")


def test_it_leaves_when_nobody_writes(house):
    unit = "keeper.service"
    assert house.machine.units("keeper.socket") == ["keeper.socket"]
    house.wait_until(lambda: house.machine.units(unit) == [], 40, every=0.5)
    assert house.machine.property(unit, "Result") == "success"
    with house.ftp() as session:
        assert ask(session, "USER nobody").startswith("331 ")
        assert ask(session, f"PASS {PASSWORD}").startswith("530 ")  # a row of the audit
    assert house.machine.units(unit) == [unit]


def test_a_store_of_former_days_is_brought_over(house, probe):
    run = house.machine.run
    run("sh", "-c", f"chown root:quintet {STORE}; chmod 2770 {STORE} /var/lib/quintet; cd {STORE} && "
                    "chmod 660 * && chown quintet-admin:quintet *")
    run("systemd-tmpfiles", "--create")
    test_only_its_user_writes_the_store(house, probe)
    house.ctl("set", "chat_motd", "after the move")


def test_a_backup_comes_back(house):
    """As root, without the sockets: the keeper's user writes, and the keeper finds all in order."""
    run = house.machine.run
    house.ctl("backup", "/root/copy")
    run("systemctl", "stop", "quintet.target")
    house.wait_until(lambda: house.machine.units("keeper.socket") == [])
    house.ctl("set", "chat_motd", "by itself")
    run("sh", "-c", "mv /var/lib/quintet/store /root/store; mv /var/lib/quintet/files /root/files; "
                    "mv /var/lib/quintet/blobs /root/blobs")
    house.ctl("restore", "/root/copy")
    run("systemctl", "start", "quintet.target")
    assert "after the move" in house.ctl("get", "chat_motd")
    house.ctl("set", "chat_motd", "through the keeper")
    house.ctl("check")
    for path in ("store", "store/data.mdb", "store/lock.mdb"):
        assert run("stat", "-c", "%U %G", f"/var/lib/quintet/{path}").stdout == "quintet-keeper quintet\n", path
