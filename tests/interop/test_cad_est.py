"""EST (RFC 7030, RFC 8951): curl, strongSwan's pki and what libest's client does."""

import base64
import secrets
import shutil
import subprocess
import textwrap

import pytest

from cadtools import EST, Person, get, new_csr, new_key, post, run, save_p7, verify

pytestmark = pytest.mark.skipif(shutil.which("pki") is None, reason="strongswan-pki is missing")


@pytest.fixture
def person(instance):
    return Person(instance, "est" + secrets.token_hex(6))


def url(instance, rest):
    return f"https://localhost:{instance.ports['ca']}{EST}/{rest}"


def test_cacerts_with_curl(instance):
    status, headers, body = get(instance, EST + "/cacerts")
    assert status == 200
    assert headers["Content-Type"] == "application/pkcs7-mime"
    assert headers["Content-Transfer-Encoding"] == "base64"
    assert b"\n" not in body and b"\r" not in body
    assert save_p7(body, instance.root / "work/cacerts.pem") == 2


def test_cacerts_with_strongswan(instance):
    done = run("pki", "--estca", "--url", f"https://localhost:{instance.ports['ca']}", "--cacert",
               instance.root_pem, "--outform", "pem", cwd=instance.root / "work")
    assert "BEGIN CERTIFICATE" in done.stdout
    assert "Root CA cert is trusted" in done.stderr


def test_csrattrs(instance):
    status, headers, body = get(instance, EST + "/csrattrs")
    assert (status, headers["Content-Type"]) == (200, "application/csrattrs")
    dump = run("openssl", "asn1parse", "-inform", "DER", "-in", "/dev/stdin",
               input=None, stdin=_bytes_file(instance, base64.b64decode(body))).stdout
    assert "id-ecPublicKey" in dump and "prime256v1" in dump and "ecdsa-with-SHA256" in dump


def _bytes_file(instance, data):
    path = instance.root / "work/bytes.bin"
    path.write_bytes(data)
    return open(path, "rb")


def bodies(der):
    """A request in all the dresses that clients use."""
    b64 = base64.b64encode(der)
    lines = "\n".join(textwrap.wrap(b64.decode(), 64))
    pem = f"-----BEGIN CERTIFICATE REQUEST-----\n{lines}\n-----END CERTIFICATE REQUEST-----\n"
    return {
        "unbroken": b64,
        "broken": lines.encode() + b"\n",
        "crlf": lines.replace("\n", "\r\n").encode() + b"\r\n",
        "spaced": b" \t" + lines.replace("\n", " \n\t").encode() + b" \r\n",
        "pem": pem.encode(),
        "der": der,
    }


@pytest.mark.parametrize("dress", ["unbroken", "broken", "crlf", "spaced", "pem", "der"])
def test_enroll_takes_every_dress(instance, person, dress):
    csr = new_csr(person.key, f"/CN={person.name}").read_bytes()
    status, headers, body = post(instance, EST + "/simpleenroll", bodies(csr)[dress], user=person.auth)
    assert status == 200, body
    assert headers["Content-Type"] == "application/pkcs7-mime; smime-type=certs-only"
    assert b"\n" not in body
    assert save_p7(body, person.cert) == 1
    verify(instance, person.cert, "-purpose", "sslclient")


@pytest.mark.parametrize("kind", ["ec", "p384", "rsa", "ed25519"])
def test_enroll_takes_every_good_key(instance, person, kind):
    csr = new_csr(new_key(person.work / f"k-{kind}", kind), f"/CN={person.name}").read_bytes()
    status, _, body = post(instance, EST + "/simpleenroll", base64.b64encode(csr), user=person.auth)
    assert status == 200, body
    save_p7(body, person.cert)
    verify(instance, person.cert)


def test_enroll_with_curl_by_label(instance, person):
    csr = new_csr(person.key, f"/CN={person.name}")
    run("sh", "-c", f"base64 -w0 {csr} > {csr}.b64")
    done = run("curl", "-sS", "--fail", "--cacert", instance.root_pem, "-u", person.auth, "-H",
               "Content-Type: application/pkcs10", "--data-binary", f"@{csr}.b64",
               url(instance, "user/simpleenroll"))
    assert save_p7(done.stdout, person.cert) == 1
    assert post(instance, EST + "/nonsense/simpleenroll", b"x", user=person.auth)[0] == 404


def test_enroll_with_strongswan(instance, person):
    csr = new_csr(person.key, f"/CN={person.name}", "-addext",
                  f"subjectAltName=email:{person.name}@{instance.domain}")
    done = run("pki", "--est", "--url", f"https://localhost:{instance.ports['ca']}", "--in", csr, "--cacert",
               instance.root_pem, "--userpass", person.auth, "--interval", "1", "--maxpolltime", "10",
               "--outform", "pem")
    person.cert.write_text(done.stdout)
    verify(instance, person.cert)
    # and again, by the certificate and with the same key
    done = run("pki", "--est", "--url", f"https://localhost:{instance.ports['ca']}", "--in", csr, "--cacert",
               instance.root_pem, "--cacert", instance.chain_pem, "--cert", person.cert, "--key", person.key,
               "--interval", "1", "--maxpolltime", "10", "--outform", "pem")
    person.cert.write_text(done.stdout)
    verify(instance, person.cert)


def test_the_challenge_comes_first_for_libest(instance, person):
    csr = base64.b64encode(new_csr(person.key, f"/CN={person.name}").read_bytes())
    agent = {"User-Agent": "libest 1.0", "Accept": "*/*"}
    status, headers, body = post(instance, EST + "/simpleenroll", csr, headers=agent)
    assert status == 401
    assert headers["WWW-Authenticate"].startswith("Basic realm=")
    status, headers, body = post(instance, EST + "/simpleenroll", csr, user=person.auth, headers=agent)
    assert status == 200
    lines = body.split(b"\n")
    assert len(lines) > 5 and max(map(len, lines)) == 64
    assert save_p7(body, person.cert) == 1
    _, _, body = get(instance, EST + "/cacerts", headers=agent)
    assert max(map(len, body.split(b"\n"))) == 64


def test_an_invite_makes_account_and_certificate(instance):
    token = instance.ctl("invite").stdout.split()[1]
    person = Person(instance, "inv" + secrets.token_hex(6), token, make=False)
    person.enroll()
    verify(instance, person.cert)
    status, _, body = get(instance, "/account", person=person)
    assert status == 200 and f"name {person.name}\n".encode() in body
    # used up
    other = Person(instance, "inv" + secrets.token_hex(6), token, make=False)
    csr = base64.b64encode(new_csr(other.key, f"/CN={other.name}").read_bytes())
    assert post(instance, EST + "/simpleenroll", csr, user=other.auth)[0] == 401


@pytest.mark.parametrize("name, status", [("root", 400), ("WebMaster", 400), ("postmaster", 400), ("1abc", 401),
                                          ("a" * 33, 401), ("a b", 401), ("taken-est", 401)])
def test_an_invite_makes_no_such_account(instance, name, status):
    """Malformed and taken names look like a wrong password. The token is not used up by any of them."""
    if name == "taken-est":
        instance.account(name, "a password of some length")
    before = instance.ctl("user", "list").stdout
    token = instance.ctl("invite").stdout.split()[1]
    csr = new_csr(new_key(instance.root / "work/no.key"), f"/CN={name}").read_bytes()
    got, _, body = post(instance, EST + "/simpleenroll", base64.b64encode(csr), user=f"{name}:{token}")
    assert got == status and (status != 400 or b"reserved" in body), body
    assert instance.ctl("user", "list").stdout == before
    Person(instance, "inv" + secrets.token_hex(6), token, make=False).enroll()


def reenroll(instance, person, key, subject=None, email=None):
    email = email or f"{person.name}@{instance.domain}"
    csr = new_csr(key, subject or f"/CN={person.name}", "-addext", f"subjectAltName=email:{email}")
    return post(instance, EST + "/simplereenroll", base64.b64encode(csr.read_bytes()), person=person)


def test_reenroll(instance, person):
    person.enroll()
    old = person.serial()
    status, headers, body = reenroll(instance, person, person.key)
    assert status == 200, body
    assert headers["Content-Type"] == "application/pkcs7-mime; smime-type=certs-only"
    assert save_p7(body, person.cert) == 1
    assert person.serial() != old
    verify(instance, person.cert)


def test_reenroll_with_a_new_key_needs_proof(instance, person):
    person.enroll()
    status, _, body = reenroll(instance, person, new_key(person.work / "new.key"))
    assert status == 400 and b"old" in body


def test_reenroll_keeps_names(instance, person):
    person.enroll()
    assert reenroll(instance, person, person.key, subject="/CN=root")[0] == 400
    assert reenroll(instance, person, person.key, email="root@example.com")[0] == 400
    csr = base64.b64encode(new_csr(person.key, f"/CN={person.name}").read_bytes())
    assert post(instance, EST + "/simplereenroll", csr, person=person)[0] == 400


def test_reenroll_needs_a_certificate(instance, person):
    csr = base64.b64encode(new_csr(person.key, f"/CN={person.name}").read_bytes())
    status, _, body = post(instance, EST + "/simplereenroll", csr, user=person.auth)
    assert status == 403 and b"certificate" in body


def bound_csr(person, material):
    """A request whose challenge password is that channel binding."""
    config = person.work / "challenge.cnf"
    config.write_text("[req]\nprompt=no\ndistinguished_name=dn\nattributes=at\n[dn]\n"
                      f"CN={person.name}\n[at]\nchallengePassword={base64.b64encode(material).decode()}\n")
    run("openssl", "req", "-new", "-key", person.key, "-config", config, "-outform", "DER", "-out",
        person.work / "challenge.csr")
    return base64.b64encode((person.work / "challenge.csr").read_bytes())


def test_a_binding_to_another_connection_is_refused(instance, person):
    csr = bound_csr(person, bytes(32))
    status, _, body = post(instance, EST + "/simpleenroll", csr, user=person.auth)
    assert status == 400 and b"another connection" in body


def test_a_binding_to_this_connection_is_taken(instance, person):
    """RFC 9266: the exporter of the very connection that carries the request."""
    client = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{instance.ports['ca']}", "-CAfile", instance.root_pem,
         "-tls1_3", "-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32", "-ign_eof"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    material = None
    while material is None:
        line = client.stdout.readline()
        assert line, "no keying material"
        if b"Keying material:" in line:
            material = bytes.fromhex(line.split()[-1].decode())
    csr = bound_csr(person, material)
    auth = base64.b64encode(person.auth.encode())
    client.stdin.write(b"POST " + EST.encode() + b"/simpleenroll HTTP/1.1\r\nHost: localhost\r\n"
                       b"Connection: close\r\nContent-Type: application/pkcs10\r\nAuthorization: Basic " +
                       auth + b"\r\nContent-Length: " + str(len(csr)).encode() + b"\r\n\r\n" + csr)
    client.stdin.flush()
    answer = client.stdout.read()
    client.wait()
    assert b"HTTP/1.1 200 OK" in answer


def test_only_what_est_has(instance, person):
    assert post(instance, EST + "/serverkeygen", b"x", user=person.auth)[0] == 404
    status, headers, _ = get(instance, EST + "/simpleenroll")
    assert status == 405 and headers["Allow"] == "POST"
    csr = new_csr(person.key, f"/CN={person.name}").read_bytes()
    assert post(instance, EST + "/simpleenroll", csr, user=person.auth, kind="text/plain")[0] == 415
