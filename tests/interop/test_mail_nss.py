"""What quintet mail signs and encrypts opens in Thunderbird's own cryptography (its NSS, by cmsutil), with
the key that quintet exports for it; and what that signs and encrypts opens in quintet mail."""

import base64
import email
import os
import re
import secrets
import subprocess
from pathlib import Path

import pytest
from device import Device
from imaps import PASSWORD, Imap
from mailers import Smtp

LIBRARIES = "/usr/lib/thunderbird"
NOON = "The boat leaves at noon.\n"


@pytest.fixture
def two(instance):
    made = []
    for name in ("nann", "nbob"):
        device = Device()
        device.name = name + secrets.token_hex(4)
        instance.account(device.name, PASSWORD)
        device.enroll(instance, device.name, PASSWORD)
        device.profile = next(p for p in device.profiles.iterdir() if p.is_dir())
        made.append(device)
    yield made
    for device in made:
        device.close()


class Nss:
    """A folder with certificates and keys, as Thunderbird has one."""

    def __init__(self, folder, instance):
        self.folder = folder
        folder.mkdir()
        self.run("certutil", "-N", "--empty-password")
        self.run("certutil", "-A", "-n", "root", "-t", "CT,C,C", "-i", instance.root_pem)
        self.run("certutil", "-A", "-n", "issuing", "-t", ",,", "-i", instance.chain_pem)

    def run(self, tool, *args):
        """certutil and pk12util are Debian's own, cmsutil works on Thunderbird's libraries."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        if tool == "cmsutil":
            env["LD_LIBRARY_PATH"] = LIBRARIES
        command = [tool, *map(str, args), "-d", f"sql:{self.folder}"]
        done = subprocess.run(command, capture_output=True, timeout=60, env=env, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, (command, done.stdout[-1000:], done.stderr)
        return done.stdout

    def cms(self, *args, data):
        source = self.folder / "in"
        source.write_bytes(data)
        return self.run("cmsutil", *args, "-i", source)


def fetched(instance, device):
    with Imap(instance, device.name) as imap:
        imap.ok("EXAMINE INBOX")
        (answer,) = imap.ok("FETCH * BODY.PEEK[]")
        size = int(re.search(rb"\{(\d+)\}\r\n", answer)[1])
        start = answer.index(b"}\r\n") + 3
        return answer[start:start + size]


def body_of(raw):
    return base64.b64decode(email.message_from_bytes(raw).get_payload())


def parts_of(entity):
    """What is signed, byte by byte, and the signature, of multipart/signed."""
    boundary = b"--" + email.message_from_bytes(entity).get_boundary().encode()
    _, content, signature, _ = entity.split(b"\r\n" + boundary)
    return content[2:], body_of(signature[2:])


@pytest.mark.release_only
def test_thunderbird_reads_ours(instance, two, tmp_path):
    ann, bob = two
    nss = Nss(tmp_path / "nss", instance)
    secret = bob.file("secret", "for the file\n")
    bob.run("mail", "key", "export", "bob.p12", "--password-file", secret)
    nss.run("pk12util", "-i", bob.folder / "bob.p12", "-W", "for the file", "-K", "")
    letter = ann.file("letter", NOON)
    ann.run("mail", "send", "--encrypt", "-s", "the boat", "-f", letter, bob.name)
    inside = nss.cms("-D", data=body_of(fetched(instance, bob)))
    content, signature = parts_of(inside)
    assert b"Subject: the boat" in content and NOON.strip().encode() in content
    (tmp_path / "content").write_bytes(content)
    told = nss.cms("-D", "-h", "0", "-n", "-c", tmp_path / "content", data=signature)
    assert b'signer0.id="%s"' % ann.name.encode() in told and b"signer0.status=GoodSignature" in told
    (tmp_path / "content").write_bytes(content.replace(b"noon", b"nine"))
    told = subprocess.run(["cmsutil", "-D", "-d", f"sql:{nss.folder}", "-h", "0", "-n", "-c", tmp_path / "content",
                           "-i", nss.folder / "in"], capture_output=True, timeout=60,
                          env={"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": LIBRARIES})
    assert b"GoodSignature" not in told.stdout


def crlf(text):
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def lines64(data):
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


@pytest.mark.release_only
def test_we_read_thunderbirds(instance, two, tmp_path):
    ann, bob = two
    nss = Nss(tmp_path / "nss", instance)
    secret = ann.file("secret", "for the file\n")
    ann.run("mail", "key", "export", "ann.p12", "--password-file", secret)
    nss.run("pk12util", "-i", ann.folder / "ann.p12", "-W", "for the file", "-K", "")
    nss.run("certutil", "-A", "-n", "bob", "-t", ",,", "-i", bob.profile / "cert.pem")
    (nick,) = re.findall(r"^(\S.*?) +u,u,u", nss.run("certutil", "-L").decode(), re.M)
    entity = crlf(b"Content-Type: text/plain\n\n" + NOON.encode())
    signature = nss.cms("-S", "-T", "-G", "-P", "-N", nick, data=entity)
    signed = (b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; '
              b"boundary=sep\r\n\r\n--sep\r\n" + entity + b"\r\n--sep\r\n"
              b"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n"
              b"Content-Transfer-Encoding: base64\r\n\r\n" + lines64(signature) + b"\r\n--sep--\r\n")
    encrypted = nss.cms("-E", "-r", f"{bob.name}@quintet.test", data=signed)
    wrapped = (b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n"
               b"Content-Transfer-Encoding: base64\r\n\r\n" + lines64(encrypted))
    head = crlf(f"From: {ann.name}@quintet.test\nTo: {bob.name}@quintet.test\nSubject: x\n".encode())
    for message, was_encrypted in ((signed, False), (wrapped, True)):
        with Smtp(instance, ann.name) as smtp:
            smtp.sendmail(f"{ann.name}@quintet.test", [f"{bob.name}@quintet.test"], head + message)
        (read,) = bob.json("mail", "read", "--no", bob.json("mail", "list")[-1]["uid"])
        assert (read["encrypted"], read["signature_good"]) == (was_encrypted, True), read
        assert NOON.strip() in str(read)
