"""quintet mail and what others should not see, or not do to one's terminal and files."""

import re
import subprocess

import pytest

from imaps import Imap
from mailhouse import MailHouse


@pytest.fixture(scope="module")
def house():
    own = MailHouse("ann", "bob", "carol")
    yield own
    own.close()


def serial(house, name):
    (folder,) = [p for p in house[name].profiles.iterdir() if p.is_dir()]
    said = subprocess.run(["openssl", "x509", "-in", folder / "cert.pem", "-noout", "-serial"],
                          capture_output=True, check=True, text=True).stdout
    return int(said.strip().partition("=")[2], 16)


def readers(house, name, subject, path):
    """The serial numbers of those to whom a message is encrypted."""
    house.mail(name, "export", "--raw", "-o", path, house.uid(name, subject))
    said = subprocess.run(["openssl", "cms", "-cmsout", "-print", "-noout", "-in", path],
                          capture_output=True, check=True, text=True).stdout
    return {int(n, 0) for n in re.findall(r"serialNumber: (?:\d+ \()?(0x[0-9A-Fa-f]+|\d+)", said)}


def test_whom_it_is_encrypted_to_tells_of_nobody_in_bcc(house, tmp_path):
    house.send("ann", "bob", subject="a secret", more=("--encrypt", "--bcc", "carol"))
    ann, bob, carol = (serial(house, name) for name in ("ann", "bob", "carol"))
    assert readers(house, "bob", "a secret", tmp_path / "bob.eml") == {ann, bob}
    assert readers(house, "carol", "a secret", tmp_path / "carol.eml") == {ann, carol}
    assert b"carol" not in (tmp_path / "bob.eml").read_bytes()
    for name in ("bob", "carol"):
        letter = house.read(name, "a secret")
        assert letter["encrypted"] and letter["signature_good"] and letter["text"] == "Hello.\n"
    rows = house.json("ann", "list", "-m", "Sent")
    assert [row["subject"] for row in rows].count("a secret") == 1
    assert house.read("ann", "a secret", mailbox="Sent")["text"] == "Hello.\n"
    assert {row["to"] for row in house.json("ann", "receipts")} >= {"bob", "carol"}


ESCAPES = (
    b"From: =?utf-8?q?=1B]0;owned=07=C2=9B2J?= <bob@quintet.test>\r\n"
    b"To: \"\x1b[2J\" <ann@quintet.test>\r\n"
    b"Cc: x\x1b[31m@quintet.test\r\n"
    b"Subject: =?utf-8?q?bad_=1B[2J=E2=80=AE_=0D=0Asubject?=\r\n"
    b"Date: \x1b[2J\r\n"
    b"Message-ID: <\x1b[2J@x>\r\n"
    b"Disposition-Notification-To: \"\x1b[2J\"@quintet.test\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\n\r\n\x1b]52;c;AAAA\x07text \xc2\x9b2J\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n<p>&#27;[2J&#155;1m html</p>\r\n"
    b"--b\r\nContent-Type: application/x\x1b[2J; name=\"..\\..\\.ssh/../.bash\x1b[2Jrc\"\r\n"
    b"Content-Disposition: attachment\r\n\r\ndata\r\n"
    b"--b\r\nContent-Disposition: attachment; filename*=utf-8''%2e%2e%2f%2e%2e%2fetc%2f%1b%0apasswd\r\n\r\ndata\r\n"
    b"--b--\r\n")


def test_no_message_speaks_to_the_terminal(house, tmp_path):
    with Imap(house.instance, "ann", password="secret of ann") as imap:
        imap.append(ESCAPES)
    uid = house.json("ann", "list")[-1]["uid"]
    for args in (("list",), ("read", "--peek", uid), ("search", "subject")):
        said = house.mail("ann", *args)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", said), (args, said)
    house.mail("ann", "attach", "-o", tmp_path, uid)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert len(names) == 2 and not any(re.search(r"[\x00-\x1f/]|^\.", name) for name in names), names


def test_a_receipt_to_somebody_else_is_told(house):
    asks = (b"From: bob@quintet.test\r\nSubject: asking for another\r\nMessage-ID: <other@quintet.test>\r\n"
            b"Disposition-Notification-To: carol@quintet.test\r\n\r\nx\r\n")
    with Imap(house.instance, "ann", password="secret of ann") as imap:
        imap.append(asks)
    terminal = house["ann"].terminal("mail", "read", house.uid("ann", "asking for another"))
    try:
        terminal.expect("bob@quintet.test asks for a receipt TO SOMEBODY ELSE, carol@quintet.test. Send it?")
        terminal.send("n\n")
        assert terminal.status() == 0
    finally:
        terminal.close()
