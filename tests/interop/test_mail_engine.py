"""quintet mail below its surface: letters go out once whatever happens to line and process, encrypted
mail is read on every device and by old keys, and by others' S/MIME; what is not good is said."""

import random
import secrets
import socket
import struct
import subprocess
import threading
import time

import pytest
from cadtools import run
from device import Device
from imaps import PASSWORD, Imap
from mailers import Smtp

NOON = "The boat leaves at noon.\n"


@pytest.fixture
def devices(instance):
    """Makes enrolled devices: device("ann") has an account of that name with something random behind."""
    made, names = [], {}

    def make(name, again=None):
        device = Device()
        made.append(device)
        if name not in names:
            names[name] = name + secrets.token_hex(4)
            instance.account(names[name], PASSWORD)
        device.enroll(instance, names[name], PASSWORD)
        device.name = names[name]
        device.profile = next(p for p in device.profiles.iterdir() if p.is_dir())
        return device

    yield make
    for device in made:
        device.close()


def subjects(instance, name, mailbox):
    with Imap(instance, name) as imap:
        imap.ok(f"EXAMINE {mailbox}")
        answers = imap.ok("FETCH 1:* BODY.PEEK[HEADER.FIELDS (Subject)]") if has_any(imap) else []
        found = []
        for line in answers:
            if b"Subject: " in bytes(line):
                found.append(bytes(line).split(b"Subject: ")[1].split(b"\r\n")[0].decode())
        return sorted(found)


def has_any(imap):
    return any(len(bytes(a).split()) > 2 for a in imap.ok("SEARCH ALL") if b"SEARCH" in bytes(a))


def last(device):
    """The newest message, as it is read."""
    uid = device.json("mail", "list")[-1]["uid"]
    read, = device.json("mail", "read", "--no", uid)
    return read


# -- once ---------------------------------------------------------------------------------------------------


class Relay:
    """Stands before the submission door. cut(n): once, when so many bytes went to the server, nothing
    comes back any more, and a moment later the line is gone."""

    def __init__(self, port):
        self.port, self.after = port, None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.own_port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.port))
            line = {"sent": 0, "dead": False, "limit": self.after}
            self.after = None
            threading.Thread(target=self.copy, args=(near, far, line, True), daemon=True).start()
            threading.Thread(target=self.copy, args=(far, near, line, False), daemon=True).start()

    def copy(self, a, b, line, up):
        try:
            while data := a.recv(65536):
                if up:
                    line["sent"] += len(data)
                elif line["limit"] is not None and line["sent"] >= line["limit"]:
                    line["dead"] = True
                    time.sleep(0.3)
                    b.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                b.sendall(data)
        except OSError:
            pass
        finally:
            for s in (a, b):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                s.close()


def lead(device, door, port):
    """The profile's directory tells another port for a door."""
    path = device.profile / "directory"
    lines = [f"door {door} {line.split()[2]} {port}" if line.startswith(f"door {door} ") else line
             for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")


def test_a_lost_word(instance, devices):
    """The server has the letter, its word is lost: it is sent again, and is there once."""
    ann, bob = devices("ann"), devices("bob")
    relay = Relay(instance.ports["submissions"])
    lead(ann, "submissions", relay.own_port)
    letter = ann.file("letter", NOON * 20000)
    relay.after = 300000
    ann.run("mail", "send", "--plain", "-s", "once", "-f", letter, bob.name)
    assert relay.after is None
    assert subjects(instance, bob.name, "INBOX") == ["once"]
    assert subjects(instance, ann.name, "Sent") == ["once"]
    assert ann.json("mail", "outbox") == []


def test_no_line_at_all(instance, devices):
    ann, bob = devices("ann"), devices("bob")
    lead(ann, "submissions", 1)
    letter = ann.file("letter", NOON)
    for number in range(3):
        ann.run("mail", "send", "--plain", "-s", f"later {number}", "-f", letter, bob.name)
    assert len(list((ann.profile / "outbox").glob("*.wait"))) == 3
    # what waits goes on in a profile that is made anew
    ann.enroll(instance, ann.name, PASSWORD)
    ann.run("mail", "send", "--plain", "-s", "later 3", "-f", letter, bob.name)
    assert [row["subject"] for row in bob.json("mail", "list")] == [f"later {n}" for n in range(4)]
    assert ann.json("mail", "outbox") == []


def test_killed_at_any_moment(instance, devices):
    ann, bob = devices("ann"), devices("bob")
    letter = ann.file("letter", NOON)
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    start = time.monotonic()
    ann.run("mail", "send", "--plain", "-s", "first", "-f", letter, bob.name)
    usual = time.monotonic() - start
    done = {"first"}
    for number in range(25):
        process = ann.start("mail", "send", "--plain", "-s", f"n{number}", "-f", str(letter), bob.name)
        try:
            process.communicate(timeout=chance.uniform(0, 1.2 * usual))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        if process.returncode == 0:
            done.add(f"n{number}")
    ann.run("mail", "send", "--plain", "-s", "last", "-f", letter, bob.name)
    got = subjects(instance, bob.name, "INBOX")
    assert len(got) == len(set(got)) and done | {"last"} <= set(got), (seed, got)
    assert subjects(instance, ann.name, "Sent") == got, seed
    assert ann.json("mail", "outbox") == []


def test_refused(instance, devices):
    ann, bob = devices("ann"), devices("bob")
    letter = ann.file("letter", NOON)
    ann.run("mail", "send", "--plain", "-s", "typo", "-f", letter, bob.name, "nobody" + bob.name, status=1)
    assert subjects(instance, bob.name, "INBOX") == []
    row, = ann.json("mail", "outbox")
    assert row["state"] == "refused" and "nobody" in str(row)
    ann.run("mail", "send", "--plain", "-s", "fine", "-f", letter, bob.name)
    assert subjects(instance, bob.name, "INBOX") == ["fine"]
    # a profile goes with all of that
    ann.run("renew", "--new-key")
    assert {"old", "outbox"} <= {p.name for p in ann.profile.iterdir()}
    ann.run("profile", "remove", ann.profile.name)
    assert not ann.profile.exists()


# -- end to end ---------------------------------------------------------------------------------------------


def test_every_device_and_old_keys(instance, devices):
    ann, bob, second = devices("ann"), devices("bob"), devices("bob")
    letter = ann.file("letter", NOON)
    ann.run("mail", "send", "--encrypt", "-s", "the boat", "-f", letter, bob.name)
    with Imap(instance, bob.name) as imap:
        imap.ok("EXAMINE INBOX")
        raw = b"".join(bytes(a) for a in imap.ok("FETCH 1 BODY.PEEK[]"))
    assert b"boat" not in raw and b"Subject: ..." in raw
    for device in (bob, second):
        read = last(device)
        assert (read["subject"], read["encrypted"], read["signature_good"]) == ("the boat", True, True)
        assert NOON.strip() in str(read)
    assert NOON.strip() in str(ann.json("mail", "read", "-m", "Sent", 1))
    # another key, another certificate, another enrolment: what was written before is still read
    bob.run("renew", "--new-key")
    assert last(bob)["signature_good"]
    bob.run("renew")
    second.enroll(instance, bob.name, PASSWORD)
    assert last(bob)["signature_good"] and last(second)["signature_good"]
    ann.run("mail", "send", "--encrypt", "-s", "another", "-f", letter, bob.name)
    assert last(bob)["subject"] == last(second)["subject"] == "another"


def test_who_has_no_certificate(instance, devices):
    ann = devices("ann")
    name = "cid" + secrets.token_hex(4)
    instance.account(name, PASSWORD)
    letter = ann.file("letter", NOON)
    assert name in ann.err("mail", "send", "--encrypt", "-s", "x", "-f", letter, name, status=1)
    assert subjects(instance, name, "INBOX") == []
    ann.run("mail", "send", "-s", "x", "-f", letter, name)
    assert subjects(instance, name, "INBOX") == ["x"]


def test_a_secret_is_not_quoted_in_clear(instance, devices):
    """To somebody without a certificate what came encrypted goes on only when that is asked for."""
    ann, bob = devices("ann"), devices("bob")
    name = "cid" + secrets.token_hex(4)
    instance.account(name, PASSWORD)
    letter = ann.file("letter", NOON)
    ann.run("mail", "send", "--encrypt", "-s", "the boat", "--receipt", "-f", letter, bob.name)
    note = bob.file("note", "Look at this.\n")
    assert name in bob.err("mail", "forward", "-f", note, 1, name, status=1)
    assert subjects(instance, name, "INBOX") == []
    bob.run("mail", "reply", "-f", note, 1)
    assert last(ann)["encrypted"] and last(ann)["subject"] == "Re: the boat"
    bob.run("mail", "forward", "--sign", "-f", note, 1, name)
    assert subjects(instance, name, "INBOX") == ["Fwd: the boat"]
    # nor does the receipt tell the subject
    bob.json("mail", "read", "--yes", 1)
    with Imap(instance, ann.name) as imap:
        imap.ok("EXAMINE INBOX")
        everything = b"".join(imap.ok("FETCH 1:* BODY.PEEK[]"))
    assert b"disposition-notification" in everything and b"boat" not in everything


def test_a_revoked_signer(instance, devices):
    ann, bob = devices("ann"), devices("bob")
    letter = ann.file("letter", NOON)
    ann.run("mail", "send", "--sign", "-s", "signed", "-f", letter, bob.name)
    assert last(bob)["signature_good"]
    serial = ann.json("ca", "list")[0]["serial"]
    ann.run("ca", "revoke", serial, "keyCompromise")
    read = last(bob)
    assert not read["signature_good"] and "revoked" in str(read)


def openssl_cms(*args, data):
    done = subprocess.run(["openssl", "cms", *map(str, args)], input=data, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_openssl_reads_ours(instance, devices):
    ann, bob = devices("ann"), devices("bob")
    letter = ann.file("letter", NOON)
    ann.run("mail", "send", "--encrypt", "-s", "for all", "-f", letter, bob.name)
    raw = bob.run("mail", "read", "--raw", bob.json("mail", "list")[-1]["uid"]).stdout.encode()
    inside = openssl_cms("-decrypt", "-recip", bob.profile / "cert.pem", "-inkey", bob.profile / "key.pem", data=raw)
    text = openssl_cms("-verify", "-CAfile", instance.root_pem, "-purpose", "smimesign", data=inside)
    assert b"Subject: for all" in text and NOON.strip().encode() in text


def test_we_read_openssls(instance, devices):
    ann, bob = devices("ann"), devices("bob")
    key, cert = ann.profile / "key.pem", ann.profile / "cert.pem"
    chain = instance.chain_pem
    data = b"Content-Type: text/plain\r\n\r\n" + NOON.encode().replace(b"\n", b"\r\n")
    signed = openssl_cms("-sign", "-binary", "-signer", cert, "-inkey", key, "-certfile", chain, data=data)
    encrypted = openssl_cms("-encrypt", "-binary", "-aes128", bob.profile / "cert.pem", data=signed)
    head = f"From: {ann.name}@quintet.test\r\nTo: {bob.name}@quintet.test\r\nSubject: by others\r\n".encode()
    for message, was_encrypted in ((signed, False), (encrypted, True)):
        send(instance, ann, bob, head + message)
        read = last(bob)
        assert (read["encrypted"], read["signed"], read["signature_good"]) == (was_encrypted, True, True)
        assert NOON.strip() in str(read)
    # and what was altered on the way is told
    send(instance, ann, bob, head + signed.replace(b"noon", b"nine"))
    read = last(bob)
    assert read["signed"] and not read["signature_good"] and "altered" in str(read)
    assert "SIGNATURE NOT GOOD" in bob.run("mail", "read", "--no", read["uid"]).stdout
    # as is a signature of ann's on words that go by another's name
    carol = devices("carol")
    send(instance, carol, bob, head.replace(ann.name.encode(), carol.name.encode()) + signed)
    assert not last(bob)["signature_good"]


def send(instance, sender, recipient, data):
    lines = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    with Smtp(instance, sender.name) as smtp:
        smtp.sendmail(f"{sender.name}@quintet.test", [f"{recipient.name}@quintet.test"], lines)


def test_pkcs12_by_openssl(instance, devices):
    ann = devices("ann")
    secret = ann.file("secret", "for the file\n")
    ann.run("mail", "key", "export", "ann.p12", "--password-file", secret)
    text = run("openssl", "pkcs12", "-in", ann.folder / "ann.p12", "-passin", "pass:for the file", "-nodes").stdout
    assert "PRIVATE KEY" in text and text.count("BEGIN CERTIFICATE") >= 2
