"""The mail programs that people use, as Debian has them, against maild: they log in, see what is there,
and what they change is what others see."""

import imaplib
import os
import re
import ssl
import subprocess

import pytest
from imaps import PASSWORD, Imap, message
from instance import until
from mailers import letter, smtp_send
from terminal import Terminal

MBSYNC = """
IMAPAccount house
Host localhost
Port {port}
User {name}
Pass "{password}"
SSLType IMAPS
SystemCertificates no
CertificateFile {root}

IMAPStore far
Account house

MaildirStore near
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
Remove Both
SyncState *
"""

INTERIMAP = """
database = {home}/interimap.db
list-mailbox = *
[local]
type = imaps
host = localhost
port = {port}
username = {name}
password = {password}
SSL_CAfile = {root}
[remote]
type = imaps
host = localhost
port = {port}
username = {other}
password = {password}
SSL_CAfile = {root}
"""

OFFLINEIMAP = """
[general]
accounts = house
metadata = {home}/offline
ui = basic
[Account house]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {home}/off
[Repository far]
type = IMAP
remotehost = localhost
remoteport = {port}
remoteuser = {name}
remotepass = {password}
ssl = yes
sslcacertfile = {root}
"""

FETCHMAIL = """
poll localhost protocol IMAP port {port} user "{name}" password "{password}" ssl sslcertck sslcertfile {root}
  keep mda "cat >> {home}/fetched"
"""

MSMTP = """
account house
host localhost
port {submission}
tls on
tls_starttls off
tls_trust_file {root}
auth plain
user {name}
password {password}
from {name}@quintet.test
"""

MUTT = """
set folder = "imaps://{name}@localhost:{port}/"
set spoolfile = "imaps://{name}@localhost:{port}/INBOX"
set imap_pass = "{password}"
set ssl_ca_certificates_file = "{root}"
set certificate_file = "{root}"
set ssl_starttls = no
set ssl_verify_host = yes
set imap_idle = yes
set imap_condstore = yes
set imap_qresync = yes
set imap_check_subscribed = no
set record = ""
set postponed = ""
set header_cache = "{home}/cache"
set message_cachedir = "{home}/cache"
set timeout = 1
set mail_check = 1
set sort = mailbox-order
set beep = no
set charset = utf-8
"""


@pytest.fixture
def house(instance, tmp_path, request):
    """An account of the test's own, and what the configurations name."""
    name = "c" + str(abs(hash(request.node.name)) % 10**9)
    instance.account(name, PASSWORD)
    words = {"port": instance.ports["imaps"], "submission": instance.ports["submissions"], "name": name,
             "password": PASSWORD, "root": instance.root_pem, "home": tmp_path}
    env = {"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "TERM": "xterm", "PATH": os.environ["PATH"], "TZ": "UTC"}

    class House:
        pass

    own = House()
    own.instance, own.name, own.home, own.env, own.words = instance, name, tmp_path, env, words

    def write(file, text, **more):
        path = tmp_path / file
        path.write_text(text.format(**words, **more))
        path.chmod(0o600)
        return str(path)

    def run(*args, **more):
        done = subprocess.run(args, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120,
                              stdin=None if "input" in more else subprocess.DEVNULL, **more)
        assert done.returncode == 0, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    own.write, own.run = write, run
    own.imap = lambda: Imap(instance, name)
    return own


def files(folder):
    return [p for sub in ("cur", "new") for p in (folder / sub).iterdir()]


def test_mbsync(house):
    """Both ways: messages, flags, new mailboxes, deletion."""
    config = house.write("mbsyncrc", MBSYNC)
    (house.home / "mail").mkdir()
    with house.imap() as imap:
        for n in range(20):
            imap.append(message(f"number {n}", f"n{n}"), "INBOX", "(\\Flagged)" if n == 3 else "")
        imap.ok("CREATE Projects/Boat")
        imap.append(message("in the boat", "boat"), "Projects/Boat")
        house.run("mbsync", "-c", config, "-a")
        inbox = house.home / "mail/INBOX"
        assert len(files(inbox)) == 20
        assert [p.name for p in files(inbox) if "F" in p.name.partition(":2,")[2]]
        assert len(files(house.home / "mail/Projects/Boat")) == 1
        # Here: one is read, one is deleted, one is new.
        first, second = sorted(files(inbox))[:2]
        first.rename(inbox / "cur" / (first.name.partition(":")[0] + ":2,S"))
        second.unlink()
        (inbox / "new" / "1.own").write_bytes(message("written here", "own").replace(b"\r\n", b"\n"))
        house.run("mbsync", "-c", config, "-a")
        imap.ok("SELECT INBOX")
        assert len(imap.ok("FETCH 1:* (UID)")) == 20
        assert imap.ok("SEARCH SEEN")[0] != b"* SEARCH"
        assert re.fullmatch(rb"\* SEARCH \d+", imap.ok('SEARCH SUBJECT "written here"')[0])
        before = sorted(p.name for p in files(inbox))
        house.run("mbsync", "-c", config, "-a")
        assert sorted(p.name for p in files(inbox)) == before


def test_interimap(house):
    """Two accounts kept alike by QRESYNC: each sees what happened at the other."""
    other = house.name + "x"
    house.instance.account(other, PASSWORD)
    config = house.write("interimap.conf", INTERIMAP, other=other)
    with house.imap() as here, Imap(house.instance, other) as there:
        for n in range(5):
            here.append(message(f"number {n}", f"n{n}"), "INBOX")
        there.append(message("from there", "there"), "INBOX")
        house.run("interimap", "--config", config, "--quiet")
        for imap in (here, there):
            imap.ok("SELECT INBOX")
            assert len(imap.ok("FETCH 1:* (UID)")) == 6
        here.ok("STORE 1 +FLAGS (\\Seen \\Answered)")
        here.ok("STORE 2 +FLAGS (\\Deleted)")
        here.ok("EXPUNGE")
        house.run("interimap", "--config", config, "--quiet")
        there.ok("NOOP")
        assert len(there.ok("FETCH 1:* (UID)")) == 5
        assert len(there.ok("SEARCH SEEN ANSWERED")[0].split()) == 3


def test_offlineimap(house):
    config = house.write("offlineimaprc", OFFLINEIMAP)
    with house.imap() as imap:
        for n in range(3):
            imap.append(message(f"number {n}", f"n{n}"), "INBOX")
        house.run("offlineimap", "-c", config, "-o", "-u", "basic")
        inbox = house.home / "off/INBOX"
        assert len(files(inbox)) == 3
        one = sorted(files(inbox))[0]
        one.rename(inbox / "cur" / (one.name.partition(":")[0] + ":2,S"))
        house.run("offlineimap", "-c", config, "-o", "-u", "basic")
        imap.ok("SELECT INBOX")
        assert len(imap.ok("SEARCH SEEN")[0].split()) == 3


def test_fetchmail(house):
    config = house.write("fetchmailrc", FETCHMAIL)
    with house.imap() as imap:
        for n in range(3):
            imap.append(message(f"number {n}", f"n{n}"), "INBOX")
        house.run("fetchmail", "-f", config, "--pidfile", str(house.home / "pid"), "-s")
        text = (house.home / "fetched").read_text()
        assert all(f"Subject: number {n}" in text for n in range(3))
        imap.ok("SELECT INBOX")
        assert len(imap.ok("SEARCH SEEN")[0].split()) == 5


def test_curl(house):
    """Lists, appends, fetches, searches, by the free commands too; and sends."""
    url = f"imaps://localhost:{house.words['port']}"
    base = ["curl", "-sS", "--cacert", str(house.words["root"]), "-u", f"{house.name}:{PASSWORD}"]
    (house.home / "letter").write_bytes(message("by curl", "curl"))
    house.run(*base, "-T", "letter", f"{url}/INBOX")
    assert "INBOX" in house.run(*base, f"{url}/").stdout
    assert "Subject: by curl" in house.run(*base, f"{url}/INBOX;UID=1").stdout
    assert "SEARCH 1" in house.run(*base, f"{url}/INBOX?ALL").stdout
    assert "STATUS" in house.run(*base, "-X", "STATUS INBOX (MESSAGES)", f"{url}/").stdout
    own = f"{house.name}@quintet.test"
    (house.home / "letter").write_text(letter(house.name, house.name, "sent by curl"))
    house.run(*base, "--mail-from", own, "--mail-rcpt", own, "-T", "letter",
              f"smtps://localhost:{house.words['submission']}")
    with house.imap() as imap:
        imap.ok("SELECT INBOX")
        assert len(imap.ok("FETCH 1:* (UID)")) == 2


def test_swaks_and_msmtp(house):
    own = f"{house.name}@quintet.test"
    house.run("swaks", "--tlsc", "--tls-ca-path", str(house.words["root"]), "--tls-verify", "--server", "localhost",
              "--port", str(house.words["submission"]), "--auth", "LOGIN", "--auth-user", house.name,
              "--auth-password", PASSWORD, "--from", own, "--to", own, "--header", "Subject: by swaks")
    config = house.write("msmtprc", MSMTP)
    house.run("msmtp", "-C", config, "-a", "house", own, input=letter(house.name, house.name, "by msmtp"))
    with house.imap() as imap:
        imap.ok("SELECT INBOX")
        found = b"".join(imap.ok("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Subject)])"))
        assert b"by swaks" in found and b"by msmtp" in found


@pytest.mark.parametrize("program", ["mutt", "neomutt"])
def test_mutt_in_idle_sees_new_mail_at_once(house, program):
    """Somebody reads at a terminal; mail comes while she looks; she opens it, and it is read for others."""
    config = house.write("muttrc", MUTT)
    with house.imap() as imap:
        imap.append(message("the first", "first"), "INBOX")
        terminal = Terminal([f"/usr/bin/{program}", "-F", config, "-n"], house.env, cwd=house.home)
        try:
            terminal.expect("the first")
            smtp_send(house.instance, house.name, house.name, "and a second")
            terminal.expect("and a second")
            terminal.send("\n")
            terminal.expect("Hello")
            terminal.send("q")
            imap.ok("SELECT INBOX")
            terminal.send("$")
            until(lambda: imap.ok("UID SEARCH SEEN")[-1] != b"* SEARCH", what="one that is read")
            terminal.send("q")
        finally:
            terminal.close()


def test_imaplib(house):
    """Python's own, which knows only the base: every command of it."""
    context = ssl.create_default_context(cafile=str(house.words["root"]))
    imap = imaplib.IMAP4_SSL("localhost", house.words["port"], ssl_context=context)
    assert imap.authenticate("PLAIN", lambda _: f"\0{house.name}\0{PASSWORD}".encode())[0] == "OK"
    for name in ("Work", "Work/2026"):
        assert imap.create(name)[0] == "OK"
    assert imap.append("Work", "\\Flagged", imaplib.Time2Internaldate(0), message())[0] == "OK"
    assert imap.select("Work") == ("OK", [b"1"])
    assert imap.check()[0] == imap.noop()[0] == imap.subscribe("Work")[0] == "OK"
    assert imap.lsub()[0] == imap.namespace()[0] == "OK"
    assert b"\\Flagged" in imap.fetch("1", "(FLAGS INTERNALDATE)")[1][0]
    assert imap.fetch("1", "(RFC822)")[1][0][1] == message()
    assert imap.copy("1", "INBOX")[0] == imap.store("1", "+FLAGS", "\\Deleted")[0] == "OK"
    assert imap.search(None, "DELETED") == ("OK", [b"1"])
    assert imap.sort("DATE", "UTF-8", "ALL") == ("OK", [b"1"])
    assert imap.thread("REFERENCES", "UTF-8", "ALL") == ("OK", [b"(1)"])
    assert imap.expunge() == ("OK", [b"1"])
    assert imap.getquotaroot("INBOX")[0] == "OK"
    assert imap.status("INBOX", "(MESSAGES)")[1] == [b"INBOX (MESSAGES 1)"]
    assert imap.close()[0] == imap.rename("Work/2026", "Play")[0] == imap.delete("Work")[0] == "OK"
    assert imap.logout()[0] == "BYE"


def test_by_certificate(house):
    """AUTHENTICATE EXTERNAL with what cad gave, by curl, which needs no password for it."""
    key, cert = house.instance.enroll(house.name, PASSWORD)
    done = house.run("curl", "-sS", "--cacert", str(house.words["root"]), "--cert", str(cert), "--key", str(key),
                     "--login-options", "AUTH=EXTERNAL", "-u", f"{house.name}:",
                     f"imaps://localhost:{house.words['port']}/INBOX", "-X", "NOOP")
    assert done.returncode == 0
