"""Encrypted and signed mail between quintet mail and other S/MIME programs: OpenSSL's cms, NSS's
cmsutil, gpgsm as far as it goes."""

import os
import re
import shutil
import subprocess

import pytest

from imaps import Imap
from mailhouse import MailHouse

TEXT = "Content-Type: text/plain; charset=utf-8\r\n\r\nZwölf Boxkämpfer.\r\n"


@pytest.fixture(scope="module")
def house():
    own = MailHouse("ann", "bob")
    yield own
    own.close()


@pytest.fixture
def work(tmp_path):
    return tmp_path


def profile(house, name):
    (folder,) = [p for p in house[name].profiles.iterdir() if p.is_dir()]
    return folder


def sh(*args, status=0, **more):
    done = subprocess.run([*map(str, args)], capture_output=True, timeout=60, **more)
    assert done.returncode == status, (args, done.stdout, done.stderr)
    return done.stdout


def raw(house, name, subject, path, mailbox="INBOX"):
    """A message as it came, in a file."""
    house.mail(name, "export", "--raw", "-m", mailbox, "-o", path, house.uid(name, subject, mailbox))
    return path


def append(house, name, content):
    """Puts a message of another program into an account's mailbox; its UID."""
    content = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    with Imap(house.instance, name, password=f"secret of {name}") as imap:
        said = imap.append(content)
    return int(re.search(rb"APPENDUID \d+ (\d+)", said)[1])


def head(sender, recipient, subject):
    return [*("-from", f"{sender}@quintet.test"), *("-to", f"{recipient}@quintet.test"), *("-subject", subject)]


def signature_and_content(path):
    """Of a multipart/signed: its CMS as DER, and the very bytes that are signed."""
    data = path.read_bytes()
    line = b"--" + re.search(rb'multipart/signed;[^\x00]*?boundary="([^"]+)"', data)[1]
    content = data.partition(line + b"\r\n")[2].partition(b"\r\n" + line)[0]
    return sh("openssl", "cms", "-cmsout", "-in", path, "-outform", "DER"), content


def leaf(house, name, work):
    """Only the first certificate: some programs want no more in a file."""
    path = work / f"{name}.leaf.pem"
    path.write_bytes(sh("openssl", "x509", "-in", profile(house, name) / "cert.pem"))
    return path


# -- OpenSSL --------------------------------------------------------------------------------------


def test_openssl_opens_ours(house, work):
    house.send("ann", "bob", subject="to openssl", text="Zwölf Boxkämpfer.\n")
    bob = profile(house, "bob")
    path = raw(house, "bob", "to openssl", work / "m.eml")
    inner = sh("openssl", "cms", "-decrypt", "-in", path, "-inkey", bob / "key.pem", "-recip", bob / "cert.pem")
    (work / "inner.eml").write_bytes(inner)
    assert b"multipart/signed" in inner
    shown = sh("openssl", "cms", "-verify", "-in", work / "inner.eml", "-CAfile", bob / "root.pem", "-certsout",
               work / "certs.pem")
    # The subject is inside, the text is whole, and the signer's certificate came along.
    assert b"Subject: to openssl" in shown and "Zw=C3=B6lf Boxk=C3=A4mpfer." in shown.decode()
    assert (work / "certs.pem").read_text().count("BEGIN CERTIFICATE") >= 2
    algorithms = sh("openssl", "cms", "-cmsout", "-print", "-in", path).decode()
    assert "aes-256-cbc" in algorithms and "dhSinglePass-stdDH-sha256kdf-scheme" in algorithms
    # The writer's own copy opens with the writer's key.
    ann = profile(house, "ann")
    own = raw(house, "ann", "to openssl", work / "own.eml", "Sent")
    sh("openssl", "cms", "-decrypt", "-in", own, "-inkey", ann / "key.pem", "-recip", ann / "cert.pem")


def test_openssl_verifies_ours(house, work):
    house.send("ann", "bob", subject="only signed", text="Zwölf Boxkämpfer.\n", more=("--sign",))
    path = raw(house, "bob", "only signed", work / "m.eml")
    assert b"Boxk" in sh("openssl", "cms", "-verify", "-in", path, "-CAfile", profile(house, "bob") / "root.pem")
    path.write_bytes(path.read_bytes().replace(b"Boxk", b"Foxk"))
    sh("openssl", "cms", "-verify", "-in", path, "-CAfile", profile(house, "bob") / "root.pem", status=4)


def signed_by_openssl(house, work, *more):
    ann = profile(house, "ann")
    (work / "text").write_bytes(TEXT.encode())
    return sh("openssl", "cms", "-sign", "-in", work / "text", "-signer", ann / "cert.pem", "-inkey",
              ann / "key.pem", "-certfile", ann / "chain.pem", "-md", "sha256", "-crlfeol", *more)


@pytest.mark.parametrize("how", [(), ("-nodetach",)])
def test_we_verify_openssl(house, work, how):
    uid = append(house, "bob", signed_by_openssl(house, work, *head("ann", "bob", "by openssl"), *how))
    (letter,) = house.json("bob", "read", uid)
    assert letter["signature_good"], letter
    assert (letter["signer"], letter["text"]) == ("ann@quintet.test", "Zwölf Boxkämpfer.\n")


@pytest.mark.parametrize("kdf", ["sha1", "sha256", "sha384"])
@pytest.mark.parametrize("cipher", ["-aes-128-cbc", "-aes256"])
def test_we_open_openssl(house, work, kdf, cipher):
    (work / "signed").write_bytes(signed_by_openssl(house, work))
    sealed = sh("openssl", "cms", "-encrypt", "-in", work / "signed", cipher, *head("ann", "bob", "by openssl"),
                "-recip", leaf(house, "bob", work), "-keyopt", f"ecdh_kdf_md:{kdf}")
    (letter,) = house.json("bob", "read", append(house, "bob", sealed))
    assert (letter["encrypted"], letter["signature_good"]) == (True, True), letter
    assert letter["text"] == "Zwölf Boxkämpfer.\n"


def test_encrypted_without_signature_is_told(house, work):
    (work / "text").write_bytes(TEXT.encode())
    sealed = sh("openssl", "cms", "-encrypt", "-in", work / "text", "-aes256", *head("ann", "bob", "unsigned"),
                "-recip", leaf(house, "bob", work))
    assert house.mail("bob", "read", append(house, "bob", sealed)).startswith(
        "*** encrypted, NOT SIGNED: anybody can have written it ***")


def test_signed_by_a_stranger_is_loud(house, work):
    sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
       work / "key", "-out", work / "cert", "-subj", "/CN=ann", "-addext", "subjectAltName=email:ann@quintet.test",
       "-addext", "extendedKeyUsage=emailProtection", "-addext", "keyUsage=digitalSignature")
    (work / "text").write_bytes(TEXT.encode())
    made = sh("openssl", "cms", "-sign", "-in", work / "text", "-signer", work / "cert", "-inkey", work / "key",
              *head("ann", "bob", "stranger"))
    shown = house.mail("bob", "read", append(house, "bob", made))
    assert shown.startswith("*** SIGNATURE NOT GOOD: ") and "Zwölf" in shown


# -- NSS (Thunderbird's library) ------------------------------------------------------------------


@pytest.fixture
def nss(house, work):
    """A key database with bob's key, as Thunderbird would have it after importing our PKCS#12."""
    if not shutil.which("cmsutil"):
        pytest.skip("libnss3-tools is not installed")
    folder = work / "nss"
    folder.mkdir()
    (work / "pw").write_text("correct horse\n")
    (work / "no").write_text("\n")
    house.mail("bob", "key", "export", "--password-file", work / "pw", work / "bob.p12")
    sh("certutil", "-N", "-d", f"sql:{folder}", "-f", work / "no")
    sh("pk12util", "-i", work / "bob.p12", "-d", f"sql:{folder}", "-k", work / "no", "-w", work / "pw")
    sh("certutil", "-A", "-n", "root", "-t", "CT,C,C", "-i", profile(house, "bob") / "root.pem", "-d",
       f"sql:{folder}", "-f", work / "no")
    return folder


def nickname(nss):
    rows = sh("certutil", "-L", "-d", f"sql:{nss}").decode().splitlines()
    (name,) = [row.rsplit(None, 1)[0].strip() for row in rows if row.endswith("u,u,u")]
    return name


def test_nss_takes_the_key_and_verifies_ours(house, work, nss):
    assert nickname(nss)
    house.send("ann", "bob", subject="for nss", text="Zwölf Boxkämpfer.\n", more=("--sign",))
    path = raw(house, "bob", "for nss", work / "m.eml")
    signature, content = signature_and_content(path)
    (work / "sig.der").write_bytes(signature)
    (work / "content").write_bytes(content)
    said = sh("cmsutil", "-D", "-d", f"sql:{nss}", "-f", work / "no", "-i", work / "sig.der", "-c", work / "content",
              "-h", "0", "-n")
    assert b"signer0.status=GoodSignature" in said, said
    (work / "content").write_bytes(content.replace(b"Boxk", b"Foxk"))
    done = subprocess.run(["cmsutil", "-D", "-d", f"sql:{nss}", "-f", work / "no", "-i", work / "sig.der", "-c",
                           work / "content", "-h", "0", "-n"], capture_output=True, timeout=60)
    assert b"signer0.status=GoodSignature" not in done.stdout


def test_we_verify_nss(house, work, nss):
    """Signed there by bob's key, read by ann."""
    (work / "text").write_bytes(TEXT.encode())
    der = work / "signed.der"
    sh("cmsutil", "-S", "-d", f"sql:{nss}", "-f", work / "no", "-N", nickname(nss), "-i", work / "text", "-o", der, "-G",
       "-H", "SHA256")
    mime = sh("openssl", "cms", "-cmsout", "-inform", "DER", "-in", der, "-outform", "SMIME")
    body = mime.partition(b"\n\n")[2]
    made = (b"From: bob@quintet.test\nTo: ann@quintet.test\nSubject: by nss\nMIME-Version: 1.0\n"
            b"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\n"
            b"Content-Transfer-Encoding: base64\n\n" + body)
    (letter,) = house.json("ann", "read", append(house, "ann", made))
    assert letter["signature_good"], letter
    assert (letter["signer"], letter["text"]) == ("bob@quintet.test", "Zwölf Boxkämpfer.\n")


# -- gpgsm ----------------------------------------------------------------------------------------


@pytest.fixture
def gpgsm(house, work):
    if not shutil.which("gpgsm"):
        pytest.skip("gpgsm is not installed")
    home = work / "gnupg"
    home.mkdir(mode=0o700)
    bob = profile(house, "bob")
    fingerprint = sh("openssl", "x509", "-in", bob / "root.pem", "-noout", "-fingerprint", "-sha1").decode()
    (home / "trustlist.txt").write_text(fingerprint.partition("=")[2].strip() + " S relax\n")
    env = {**os.environ, "GNUPGHOME": str(home)}
    for name in ("root.pem", "chain.pem"):
        sh("gpgsm", "--batch", "--disable-crl-checks", "--import", bob / name, env=env)
    yield env
    subprocess.run(["gpgconf", "--kill", "all"], env=env, check=False, timeout=30)


def test_gpgsm_verifies_ours(house, work, gpgsm):
    """It cannot take keys on curves in (2.2), so signatures are what it can judge."""
    house.send("ann", "bob", subject="for gpgsm", text="Zwölf Boxkämpfer.\n", more=("--sign",))
    path = raw(house, "bob", "for gpgsm", work / "m.eml")
    signature, content = signature_and_content(path)
    (work / "sig.der").write_bytes(signature)
    (work / "content").write_bytes(content)
    command = ["gpgsm", "--batch", "--disable-crl-checks", "--verify", work / "sig.der", work / "content"]
    done = subprocess.run(command, env=gpgsm, capture_output=True, timeout=60)
    assert done.returncode == 0 and b"Good signature" in done.stderr, done.stderr
    (work / "content").write_bytes(b"x" + content)
    assert subprocess.run(command, env=gpgsm, capture_output=True, timeout=60).returncode != 0
