"""quintetctl with a signer: host certificates, revocation, renewal, the roll-over."""
import datetime
import re
import shutil
import stat

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from ctlhost import openssl
from instance import until

def test_issue_list_show_revoke(signing):
    signing.ctl("cert", "issue", "host", "mail.example.org", "192.0.2.7", "--out", "mail")
    root, chain = signing.path("conf/pki/root.pem"), signing.path("conf/pki/chain.pem")
    openssl("verify", "-x509_strict", "-CAfile", root, "-untrusted", chain, "-verify_hostname",
            "mail.example.org", signing.path("mail.pem"))
    assert signing.path("mail.key").stat().st_mode & 0o777 == 0o600
    serial = openssl("x509", "-in", signing.path("mail.pem"), "-noout", "-serial").split("=")[1]
    serial = serial.strip().lower()
    shown = signing.json("cert", "show", serial)
    assert shown["names"] == "mail.example.org 192.0.2.7" and shown["state"] == "valid"
    assert signing.ctl("cert", "show", "--pem", serial) in signing.path("mail.pem").read_text()
    assert serial in {r["serial"] for r in signing.json("cert", "list", "--expires-within", "100d")}
    assert signing.json("cert", "list", "--expires-within", "7d") == []
    signing.ctl("cert", "revoke", "--reason", "superseded", serial)
    shown = signing.json("cert", "show", serial)
    assert (shown["state"], shown["reason"]) == ("revoked", "superseded")
    signing.ctl("cert", "revoke", serial, status=1)
    assert "already" in signing.complaint
    assert serial in {r["serial"] for r in signing.json("cert", "list", "--state", "revoked")}
    signing.ctl("cert", "revoke", "0" * 32, status=1)
    signing.ctl("cert", "revoke", "--reason", "boredom", serial, status=100)
    assert signing.json("cert", "list", "--account", "nobody") == []
    assert serial in {r["serial"] for r in signing.json("cert", "list", "--account", "quintet")}


def test_issue_from_a_request(signing):
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=evil.example.org", "-keyout", signing.path("x.key"), "-out",
            signing.path("x.csr"))
    signing.give_file("x.csr")
    signing.ctl("cert", "issue", "host", "good.example.org", "--csr", "x.csr", "--out", "x")
    text = openssl("x509", "-in", signing.path("x.pem"), "-noout", "-text")
    assert "good.example.org" in text and "evil" not in text
    signing.ctl("cert", "issue", "host", "good.example.org", "--csr", "missing", status=1)


def credentials(host):
    return {p: p.read_bytes() for p in host.path("conf/credentials").rglob("*") if p.is_file()}


def test_renew_only_what_is_due(signing):
    before = credentials(signing)
    rows = signing.json("renew")
    assert {r["what"] for r in rows} == {"kept"} and credentials(signing) == before
    assert signing.json("ca", "show")[1]["crl"] >= 1
    rows = signing.json("renew", "--force")
    assert {r["what"] for r in rows} == {"renewed"}
    after = credentials(signing)
    changed = {str(p.relative_to(signing.path("conf/credentials"))) for p in after
               if after[p] != before.get(p)}
    assert changed == {"daytimed/tls.key", "daytimed/tls.pem", "daytimed/tsa.key",
                       "daytimed/tsa.pem", "ftpd/tls.key", "ftpd/tls.pem", "chatd/tls.key",
                       "chatd/tls.pem", "maild/tls.key", "maild/tls.pem", "cad/tls.key",
                       "cad/tls.pem"}
    for name in ("daytimed/tls", "daytimed/tsa", "ftpd/tls", "chatd/tls", "maild/tls", "cad/tls"):
        pem, key = (signing.path(f"conf/credentials/{name}.{kind}") for kind in ("pem", "key"))
        openssl("verify", "-x509_strict", "-CAfile", signing.path("conf/pki/root.pem"),
                "-untrusted", signing.path("conf/pki/chain.pem"), pem)
        assert (openssl("x509", "-in", pem, "-noout", "-pubkey")
                == openssl("pkey", "-in", key, "-pubout"))
    names = openssl("x509", "-in", signing.path("conf/credentials/cad/tls.pem"), "-noout", "-ext",
                    "subjectAltName")
    assert "DNS:localhost" in names and "IP Address:127.0.0.1" in names


def aged(host, name, days):
    """The certificate there is, made again as if it had been issued that many of its 90 days ago."""
    path = host.path(f"conf/credentials/{name}.pem")
    leaf, issuer = (x509.load_pem_x509_certificate(block.encode()) for block in re.findall(
        "-----BEGIN.*?END CERTIFICATE-----\n", path.read_text(), re.S))
    signer = serialization.load_pem_private_key(
        host.path("conf/credentials/cad-signer/issuing.pem").read_bytes(), None)
    begin = datetime.datetime.utcnow() - datetime.timedelta(days=days)
    new = (x509.CertificateBuilder().subject_name(leaf.subject).issuer_name(leaf.issuer)
           .public_key(leaf.public_key()).serial_number(leaf.serial_number)
           .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=90)))
    for extension in leaf.extensions:
        new = new.add_extension(extension.value, extension.critical)
    pem = serialization.Encoding.PEM
    path.write_bytes(new.sign(signer, hashes.SHA256()).public_bytes(pem)
                     + issuer.public_bytes(pem))


def test_renew_at_two_thirds_of_life(signing):
    aged(signing, "daytimed/tls", 59.9)
    aged(signing, "daytimed/tsa", 60.1)
    aged(signing, "ftpd/tls", 61)
    aged(signing, "cad/tls", 95)
    rows = [(r["service"], r["credential"], r["what"]) for r in signing.json("renew")]
    assert rows == [("daytimed", "tls", "kept"), ("daytimed", "tsa", "renewed"),
                    ("ftpd", "tls", "renewed"), ("chatd", "tls", "kept"), ("maild", "tls", "kept"),
                    ("cad", "tls", "renewed")]
    assert {r["what"] for r in signing.json("renew")} == {"kept"}


def test_renew_when_the_host_has_another_name(signing):
    signing.env["QUINTET_HOST"] = "new.example.org"
    rows = {(r["service"], r["credential"]): r["what"] for r in signing.json("renew")}
    assert rows == {("daytimed", "tls"): "renewed", ("daytimed", "tsa"): "kept",
                    ("ftpd", "tls"): "renewed",
                    ("chatd", "tls"): "renewed",
                    ("maild", "tls"): "renewed", ("cad", "tls"): "renewed"}
    assert "DNS:new.example.org" in openssl(
        "x509", "-in", signing.path("conf/credentials/cad/tls.pem"), "-noout", "-ext",
        "subjectAltName")


def test_renew_makes_what_a_newer_version_needs(signing):
    """A house that was made before ftpd came."""
    folder = signing.path("conf/credentials/ftpd")
    names = openssl("x509", "-in", folder / "tls.pem", "-noout", "-ext", "subjectAltName")
    shutil.rmtree(folder)
    rows = {(r["service"], r["credential"]): r["what"] for r in signing.json("renew")}
    assert rows.pop(("ftpd", "tls")) == "renewed" and set(rows.values()) == {"kept"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert names == openssl("x509", "-in", folder / "tls.pem", "-noout", "-ext", "subjectAltName")
    openssl("verify", "-x509_strict", "-CAfile", signing.path("conf/pki/root.pem"), "-untrusted",
            signing.path("conf/pki/chain.pem"), folder / "tls.pem")


def test_renew_without_a_signer_is_temporary_and_changes_nothing(host):
    before = credentials(host)
    host.ctl("renew", "--force", status=111)
    assert credentials(host) == before


def check_rolled(host):
    root, first, second = host.json("ca", "show")
    assert (first["state"], second["state"], root["crl"]) == ("retired", "current", 2)
    assert root["crl_next_update"] > second["not_after"]
    chain = host.path("conf/pki/chain.pem")
    assert chain.read_text().count("BEGIN CERTIFICATE") == 2
    keys = host.path("conf/credentials/cad-signer/issuing.pem").read_text()
    assert keys.count("BEGIN PRIVATE KEY") == 2
    for leaf in (host.path("old.pem"), host.path("conf/credentials/cad/tls.pem")):
        openssl("verify", "-x509_strict", "-CAfile", host.path("conf/pki/root.pem"),
                "-untrusted", chain, leaf)
    assert "issuing CA 2" in openssl(
        "x509", "-in", host.path("conf/credentials/cad/tls.pem"), "-noout", "-issuer")
    host.ctl("audit", "--verify")


def test_roll_over(host):
    """With a signer per connection, as the default units have it."""
    listener = ["systemd-socket-activate", "--accept", "-l", "/proc/self/cwd/runtime/signer.sock",
                *[f"-E{key}={value}" for key, value in host.env.items()], "./bin/cad-signer"]
    host.spawn("cad-signer", listener)
    until(host.path("runtime/signer.sock").exists)
    shutil.copy(host.path("conf/credentials/cad/tls.pem"), host.path("old.pem"))
    host.ctl("ca", "roll", "--root-key", "conf/root.key")
    check_rolled(host)


def test_roll_over_with_a_signer_that_stays(signing):
    """It reads its keys when it starts: the roll says so, and renew finishes it."""
    shutil.copy(signing.path("conf/credentials/cad/tls.pem"), signing.path("old.pem"))
    signing.ctl("ca", "roll", "--root-key", "conf/root.key", status=111)
    assert "restart" in signing.complaint
    signing.signer.stop()
    signing.sign()
    assert {r["what"] for r in signing.json("renew")} == {"renewed"}
    check_rolled(signing)


def test_roll_over_needs_the_key_of_our_root(signing):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
            signing.path("foreign.key"))
    signing.give_file("foreign.key")
    signing.ctl("ca", "roll", "--root-key", "foreign.key", status=1)
    assert "not the key" in signing.complaint
    signing.ctl("ca", "roll", "--root-key", "missing.key", status=1)
    assert len(signing.json("ca", "show")) == 2
