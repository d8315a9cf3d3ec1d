"""OCSP, CRL and what certificates look like to openssl and GnuTLS."""

import base64
import re
import secrets
import socket
import subprocess
import urllib.parse

import pytest

from cadtools import Person, fetch_crls, form, get, ocsp, run, verify
from instance import free_port, until


@pytest.fixture
def person(instance):
    return Person(instance, "st" + secrets.token_hex(6)).enroll()


def plain(instance, path=""):
    return f"http://localhost:{instance.ports['ca_plain']}{path}"


def revoke(instance, person, reason="keyCompromise"):
    status, _, body = form(instance, "/account/revoke", {"serial": person.serial(), "reason": reason},
                           user=person.auth)
    assert (status, body) == (200, b"revoked\n")


def test_ocsp_with_openssl(instance, person):
    assert ocsp(instance, person.cert) == "good"
    revoke(instance, person)
    assert ocsp(instance, person.cert) == "revoked"


def test_ocsp_answers_the_very_question(instance, person):
    """The nonce comes back; the delegated responder signs, not the issuing key."""
    request, answer = person.work / "n.req", person.work / "n.resp"
    run("openssl", "ocsp", "-issuer", instance.chain_pem, "-cert", person.cert, "-reqout", request)
    run("curl", "-sS", "--fail", "-H", "Content-Type: application/ocsp-request", "--data-binary",
        f"@{request}", "-o", answer, plain(instance, "/ocsp"))
    asked = run("openssl", "ocsp", "-reqin", request, "-req_text").stdout
    said = run("openssl", "ocsp", "-respin", answer, "-noverify", "-resp_text").stdout
    nonce = r"OCSP Nonce: \n\s+([0-9A-F]{20,})"
    assert re.search(nonce, asked).group(1) == re.search(nonce, said).group(1)
    assert "OCSP Signing" in said and "OCSP No Check" in said


def test_ocsp_on_the_tls_door(instance, person):
    request, answer = person.work / "o.req", person.work / "o.resp"
    run("openssl", "ocsp", "-issuer", instance.chain_pem, "-cert", person.cert, "-no_nonce", "-reqout",
        request)
    run("curl", "-sS", "--fail", "--cacert", instance.root_pem, "-H", "Content-Type: application/ocsp-request",
        "--data-binary", f"@{request}", "-o", answer, f"https://localhost:{instance.ports['ca']}/ocsp")
    done = run("openssl", "ocsp", "-respin", answer, "-issuer", instance.chain_pem, "-cert", person.cert,
               "-CAfile", instance.root_pem, "-verify_other", instance.chain_pem)
    assert ": good" in done.stdout


def test_ocsp_by_get(instance, person):
    request, answer = person.work / "g.req", person.work / "g.resp"
    run("openssl", "ocsp", "-issuer", instance.chain_pem, "-cert", person.cert, "-no_nonce", "-reqout", request)
    text = urllib.parse.quote(base64.b64encode(request.read_bytes()).decode(), safe="")
    run("curl", "-sS", "--fail", "-o", answer, plain(instance, "/ocsp/" + text))
    done = run("openssl", "ocsp", "-respin", answer, "-issuer", instance.chain_pem, "-cert", person.cert,
               "-CAfile", instance.root_pem, "-verify_other", instance.chain_pem)
    assert ": good" in done.stdout


def test_ocsp_with_gnutls(instance, person):
    trust = instance.root / "work/trust.pem"
    trust.write_bytes(instance.chain_pem.read_bytes() + instance.root_pem.read_bytes())
    done = run("ocsptool", f"--ask={plain(instance, '/ocsp')}", "--load-issuer", instance.chain_pem,
               "--load-cert", person.cert, "--load-trust", trust)
    assert "Verifying OCSP Response: Success" in done.stdout
    assert "Certificate Status: good" in done.stdout


def test_ocsp_of_an_unknown_serial(instance, person):
    done = run("openssl", "ocsp", "-issuer", instance.chain_pem, "-serial", "0x1234", "-url",
               plain(instance, "/ocsp"), "-CAfile", instance.root_pem, "-verify_other", instance.chain_pem)
    assert ": unknown" in done.stdout


def test_ocsp_garbage(instance):
    for body in (b"", b"garbage", b"\x30\x80" + bytes(3000)):
        done = subprocess.run(["curl", "-sS", "-H", "Content-Type: application/ocsp-request", "--data-binary",
                               "@-", plain(instance, "/ocsp")], input=body, capture_output=True, timeout=60)
        assert done.stdout == bytes.fromhex("30030a0101")


def test_crl_with_certtool(instance, person):
    fetch_crls(instance, person.work / "c.crl")
    revoke(instance, person, "superseded")
    run("curl", "-sS", "--fail", "-o", person.work / "1.crl", plain(instance, "/ca/1.crl"))
    pem = person.work / "1.crl.pem"
    pem.write_text(run("openssl", "crl", "-inform", "DER", "-in", person.work / "1.crl").stdout)
    done = run("certtool", "--verify-crl", "--load-ca-certificate", instance.chain_pem, "--infile", pem)
    assert "Verified" in done.stdout
    text = run("openssl", "crl", "-in", pem, "-noout", "-text").stdout
    assert person.serial().upper() in text and "Superseded" in text
    assert verify(instance, person.cert, check=False).returncode != 0


def test_the_roots_crl_outlives_the_issuing_ca(instance):
    run("curl", "-sS", "--fail", "-o", instance.root / "work/0.crl", plain(instance, "/ca/0.crl"))
    text = run("openssl", "crl", "-inform", "DER", "-in", instance.root / "work/0.crl", "-noout",
               "-nextupdate", "-dateopt", "iso_8601").stdout
    end = run("openssl", "x509", "-in", instance.chain_pem, "-noout", "-enddate", "-dateopt",
              "iso_8601").stdout
    assert text.split("=")[1] > end.split("=")[1]


def test_ca_issuers(instance):
    for number, pem in ((0, instance.root_pem), (1, instance.chain_pem)):
        der = instance.root / f"work/{number}.cer"
        run("curl", "-sS", "--fail", "-o", der, plain(instance, f"/ca/{number}.cer"))
        sha = ["openssl", "x509", "-noout", "-fingerprint", "-sha256"]
        assert run(*sha, "-inform", "DER", "-in", der).stdout == run(*sha, "-in", pem).stdout


def test_what_certificates_point_to_is_there(instance, person):
    text = run("openssl", "x509", "-in", person.cert, "-noout", "-text").stdout
    for path in ("/ca/1.crl", "/ca/1.cer", "/ocsp"):
        assert plain(instance, path) in text


def test_the_profile(instance, person):
    text = run("openssl", "x509", "-in", person.cert, "-noout", "-text").stdout
    assert "Version: 3" in text
    assert f"email:{person.name}@{instance.domain}" in text
    assert "Digital Signature, Key Agreement" in text
    assert "TLS Web Client Authentication, E-mail Protection, 2.25." in text
    assert "TLS Web Server Authentication" not in text
    serial = int(person.serial(), 16)
    assert 64 < serial.bit_length() < 128
    verify(instance, person.cert, "-purpose", "sslclient")
    verify(instance, person.cert, "-purpose", "smimesign")
    assert verify(instance, person.cert, "-purpose", "sslserver", check=False).returncode != 0


@pytest.mark.parametrize("name", ["cad/tls", "daytimed/tls", "daytimed/tsa"])
def test_the_chains_of_services(instance, name):
    """Each certificate of each chain is looked up in its list: the issuing CA's in the root's."""
    verify(instance, instance.path(f"conf/credentials/{name}.pem"))
    issuing = fetch_crls(instance, instance.root / "work/lacking.crl")
    end = "-----END X509 CRL-----\n"
    issuing.write_text(issuing.read_text().split(end)[1] + end)
    done = run("openssl", "verify", "-x509_strict", "-crl_check_all", "-CRLfile", issuing, "-CAfile",
               instance.root_pem, "-untrusted", instance.chain_pem,
               instance.path(f"conf/credentials/{name}.pem"), check=False)
    assert "unable to get certificate CRL" in done.stdout + done.stderr


def test_the_plain_door_serves_nothing_else(instance):
    for method, path in (("GET", "/.well-known/est/cacerts"), ("POST", "/.well-known/est/simpleenroll"),
                         ("POST", "/.well-known/cmp"), ("GET", "/.well-known/quintet"), ("GET", "/account"),
                         ("POST", "/account/create"), ("GET", "/"), ("GET", "/ca/"), ("GET", "/ca/1.pem"),
                         ("GET", "/ca/7.crl"), ("GET", "/ca/7.cer"), ("GET", "/ca/../../etc/passwd")):
        done = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--path-as-is", "-X", method,
                   *(["-d", ""] if method == "POST" else []), plain(instance, path))
        assert done.stdout == "404", path


def test_head_and_keep_alive(instance):
    done = run("curl", "-sS", "-v", "-I", plain(instance, "/ca/1.crl"), plain(instance, "/ca/1.crl"))
    assert done.stdout.count("200 OK") == 2
    assert "Re-using existing connection" in done.stderr
    assert get(instance, "/ca/1.cer")[0] == 200


@pytest.mark.parametrize("name", ["localhost", "srv-0"])
def test_a_user_certificate_serves_nobody(instance, name):
    """Nobody can sign up as localhost; were it made by the administrator, its certificate is no server's."""
    person = Person(instance, name).enroll()
    port = free_port()
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", person.cert,
                               "-key", person.key, "-cert_chain", instance.chain_pem, "-www"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _open(port), what="s_server")
        done = run("curl", "-sS", "--cacert", instance.root_pem, "--resolve", f"{name}:{port}:127.0.0.1",
                   f"https://{name}:{port}/", check=False)
        assert done.returncode == 60 and "purpose" in done.stderr, (done.returncode, done.stderr)
    finally:
        server.terminate()
        server.wait()


def _open(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0
