"""Peers that misbehave, requests that nobody should get away with."""

import base64
import os
import secrets
import socket
import ssl
import subprocess
import time

import pytest

from cadtools import EST, Person, connection, get, new_csr, new_key, post, run
from instance import until
from talk import connect, context, raw, read_to_end


@pytest.fixture
def person(instance):
    return Person(instance, "bad" + secrets.token_hex(6))


def ask(instance, data, door="ca", pieces=None):
    """Sends bytes (in pieces of that size) and reads to the end; None when the peer cut."""
    tls = connect(instance, instance.ports["ca"]) if door == "ca" else raw(instance.ports["ca_plain"])
    with tls:
        step = pieces or len(data)
        for i in range(0, len(data), step):
            tls.sendall(data[i:i + step])
        return read_to_end(tls)


def enroll(instance, person, csr, **more):
    return post(instance, EST + "/simpleenroll", base64.b64encode(csr.read_bytes()), user=person.auth, **more)


@pytest.mark.parametrize("kind", ["rsa1024", "p224"])
def test_weak_keys(instance, person, kind):
    status, _, body = enroll(instance, person, new_csr(new_key(person.work / kind, kind), f"/CN={person.name}"))
    assert status == 400 and b"key" in body


@pytest.mark.parametrize("extension", ["basicConstraints=critical,CA:TRUE", "keyUsage=keyCertSign",
                                       "subjectAltName=DNS:localhost", "subjectAltName=IP:127.0.0.1",
                                       "subjectAltName=email:root@quintet.test"])
def test_greedy_requests(instance, person, extension):
    status, _, body = enroll(instance, person, new_csr(person.key, f"/CN={person.name}", "-addext", extension))
    assert status == 400 and len(body) > 20, body


@pytest.mark.parametrize("name", ["root", "localhost", "somebodyelse"])
def test_other_names(instance, person, name):
    status, _, body = enroll(instance, person, new_csr(person.key, f"/CN={name}"))
    assert status == 400 and b"own name" in body


def test_bad_proof_of_possession(instance, person):
    der = bytearray(new_csr(person.key, f"/CN={person.name}").read_bytes())
    der[-1] ^= 1
    status, _, body = post(instance, EST + "/simpleenroll", base64.b64encode(der), user=person.auth)
    assert status == 400 and (b"signature" in body.lower() or b"possession" in body.lower()), body


@pytest.mark.parametrize("body", [b"", b"!!!!", b"AAAA", b"-----BEGIN CERTIFICATE REQUEST-----\n", b"0" * 60000])
def test_no_request_at_all(instance, person, body):
    status, _, reason = post(instance, EST + "/simpleenroll", body, user=person.auth)
    assert status in (400, 413) and reason


def test_wrong_passwords_in_a_loop(make_instance):
    own = make_instance()
    own.ctl("set", "throttle_account", "5")
    own.ctl("set", "throttle_source", "1000")
    own.account("dave", "the right password")
    own.start("cad-signer")
    own.start("cad")
    statuses = {}
    for name in ("dave", "nobodyhere"):
        statuses[name] = []
        for i in range(9):
            status, headers, body = get(own, "/account", user=f"{name}:wrong{i}")
            statuses[name].append((status, body))
    assert statuses["dave"] == statuses["nobodyhere"]
    assert statuses["dave"][0][0] == 401 and statuses["dave"][-1][0] == 429


def test_the_right_password_has_to_wait_too(make_instance):
    own = make_instance()
    own.ctl("set", "throttle_source", "1000")
    own.account("dave", "the right password")
    own.start("cad-signer")
    own.start("cad")
    # The first wait is a second, too short for a slow machine; far above the limit it is minutes.
    for limit, tries in (("1000", 9), ("2", 1)):
        own.ctl("set", "throttle_account", limit)
        for i in range(tries):
            assert get(own, "/account", user=f"dave:wrong{i}")[0] == 401
    status, headers, _ = get(own, "/account", user="dave:the right password")
    assert status == 429 and int(headers["Retry-After"]) > 60
    # one setting for all doors: EST's goes through the signer
    person = Person(own, "dave", "the right password", make=False)
    assert enroll(own, person, new_csr(person.key, "/CN=dave"))[0] == 429


@pytest.mark.release_only
def test_an_unknown_name_costs_the_same(make_instance):
    own = make_instance()
    own.ctl("set", "throttle_account", "1000")
    own.ctl("set", "throttle_source", "1000")
    own.account("dave", "the right password")
    own.start("cad-signer")
    own.start("cad")
    times = {"dave": [], "nobodyhere": []}
    for _ in range(15):
        for name in times:
            start = time.monotonic()
            assert get(own, "/account", user=f"{name}:wrong")[0] == 401
            times[name].append(time.monotonic() - start)
    known, unknown = (min(t) for t in times.values())  # load only adds
    assert 0.6 < known / unknown < 1.6, times


def test_foreign_and_wrong_purpose_certificates(instance, person):
    """They give no identity, the reason is told, and the session goes on."""
    key = new_key(person.work / "f.key")
    cert = person.work / "f.pem"
    run("openssl", "req", "-x509", "-config", "/dev/null", "-key", key, "-subj", f"/CN={person.name}", "-days",
        "5", "-out", cert)
    stranger = Person(instance, person.name, make=False)
    stranger.key, stranger.cert = key, cert
    status, _, body = get(instance, "/account", person=stranger)
    assert status == 401 and body.strip() != b"name and password, please"
    assert get(instance, "/account", person=stranger, user=person.auth)[0] == 200
    # the CA's own server certificate is no person's
    for name in ("tls.key", "tls.pem"):
        assert (instance.root / "conf/credentials/cad" / name).exists()
    stranger.key = instance.root / "conf/credentials/cad/tls.key"
    stranger.cert = instance.root / "conf/credentials/cad/tls.pem"
    status, _, body = get(instance, "/account", person=stranger)
    assert status == 401 and body.strip() != b"name and password, please"


def test_an_expired_certificate(instance, person):
    """Made behind the authority's back, with its own key: only the date is wrong."""
    csr = new_csr(person.key, f"/CN={person.name}")
    run("openssl", "x509", "-req", "-inform", "DER", "-in", csr, "-CA", instance.chain_pem, "-CAkey",
        instance.root / "conf/credentials/cad-signer/issuing.pem", "-set_serial", "0x1234", "-days", "-1",
        "-out", person.cert)
    status, _, body = get(instance, "/account", person=person)
    assert status == 401 and b"expired" in body


def test_a_certificate_that_is_not_in_the_inventory(instance, person):
    csr = new_csr(person.key, f"/CN={person.name}")
    extensions = person.work / "user.ext"
    extensions.write_text("extendedKeyUsage=clientAuth\nkeyUsage=critical,digitalSignature\n"
                          f"subjectAltName=email:{person.name}@{instance.domain}\n"
                          "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
    run("openssl", "x509", "-req", "-inform", "DER", "-in", csr, "-CA", instance.chain_pem, "-CAkey",
        instance.root / "conf/credentials/cad-signer/issuing.pem", "-set_serial", "0x1235", "-days", "5",
        "-extfile", extensions, "-out", person.cert)
    status, _, body = get(instance, "/account", person=person)
    assert status == 401 and body.strip() != b"name and password, please"


def test_plain_text_instead_of_a_handshake(instance):
    with raw(instance.ports["ca"]) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        data = s.recv(4096)
        assert b"HTTP" not in data
    assert get(instance, EST + "/cacerts")[0] == 200


def test_a_client_that_rejects_us(instance):
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(raw(instance.ports["ca"]), server_hostname="localhost")
    assert get(instance, EST + "/cacerts")[0] == 200


@pytest.mark.parametrize("door", ["ca", "plain"])
@pytest.mark.parametrize("data, status", [
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 9000 + b"\r\n\r\n", b"431"),
    (b"GET /" + b"y" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"414"),
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100 + b"\r\n", b"431"),
    (b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n", b"413"),
    (b"POST /ocsp HTTP/1.1\r\nHost: a\r\n\r\n", b"411"),
    (b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", b"400"),
    (b"POST /ocsp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"501"),
    (b"GET / HTTP/1.1\nHost: a\n\n", b"400"),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", b"505"),
    (b"GET / HTTP/1.1\r\n\r\n", b"400"),
    (b"garbage\r\n\r\n", b"400"),
])
def test_broken_http(instance, door, data, status):
    answer = ask(instance, data, door)
    assert answer.split(b" ")[1] == status, answer[:100]


@pytest.mark.parametrize("pieces", [1, 7, 100])
def test_byte_by_byte(instance, person, pieces):
    body = base64.b64encode(new_csr(person.key, f"/CN={person.name}").read_bytes())
    auth = base64.b64encode(person.auth.encode())
    data = (b"POST " + EST.encode() + b"/simpleenroll HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Content-Type: application/pkcs10\r\nAuthorization: Basic " + auth +
            b"\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)
    assert ask(instance, data, pieces=pieces).startswith(b"HTTP/1.1 200 ")


def test_many_requests_in_one_record(instance):
    one = b"GET " + EST.encode() + b"/csrattrs HTTP/1.1\r\nHost: localhost\r\n"
    data = (one + b"\r\n") * 9 + b"\r\n" + one + b"Connection: close\r\n\r\n"
    assert ask(instance, data).count(b"HTTP/1.1 200 ") == 10


def test_header_and_body_in_one_record(instance):
    with connect(instance, instance.ports["ca"]) as tls:
        tls.sendall(b"GET " + EST.encode() + b"/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n")
        first = tls.recv(16384)
    head, body = first.split(b"\r\n\r\n", 1)
    length = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length")]
    assert len(head) < 1024 and len(body) == length[0]


@pytest.mark.release_only  # it only waits
def test_silence(instance):
    """Silent peers cost a session each until its deadline, and disturb nobody."""
    silent = []
    for data in (b"", b"GET / HTTP/1.1\r\nHost: a\r\n",
                 b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"):
        tls = connect(instance, instance.ports["ca"], timeout=60)
        tls.sendall(data)
        silent.append(tls)
    for data in (b"", b"\x16\x03\x01\x02\x00\x01\x00"):
        silent.append(raw(instance.ports["ca"], timeout=60))
        silent[-1].sendall(data)
    assert get(instance, EST + "/csrattrs")[0] == 200
    start = time.monotonic()
    for peer in silent:
        with peer:
            try:
                data = read_to_end(peer)
            except (ssl.SSLError, ConnectionError):
                data = b""
        assert b"200" not in data[:20]
    assert time.monotonic() - start < 55


def test_leaving_in_the_middle(instance):
    for data in (b"", b"GET / HT", b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"):
        s = raw(instance.ports["ca"])
        tls = context(instance).wrap_socket(s, server_hostname="localhost")
        tls.sendall(data)
        tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        tls.close()
    assert get(instance, EST + "/csrattrs")[0] == 200


def test_the_signer_is_away(make_instance):
    own = make_instance()
    person = Person(own, "eve")
    own.start("cad")
    own.start("cad-plain")
    status, headers, body = enroll(own, person, new_csr(person.key, "/CN=eve"))
    assert status == 503 and int(headers["Retry-After"]) > 0
    assert get(own, EST + "/cacerts")[0] == 200
    assert get(own, "/account", user=person.auth)[0] == 200
    done = subprocess.run(["curl", "-sS", "-H", "Content-Type: application/ocsp-request", "--data-binary", "@-",
                           f"http://localhost:{own.ports['ca_plain']}/ocsp"], capture_output=True, timeout=60,
                          input=_ocsp_request(own))
    assert done.stdout == bytes.fromhex("30030a0103")
    own.start("cad-signer")
    assert enroll(own, person, new_csr(person.key, "/CN=eve"))[0] == 200


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a PID namespace")
def test_a_second_pid_namespace(make_instance):
    """Who is in another one is refused by name while the store is open here, and may have it afterwards."""
    own = make_instance()
    person = Person(own, "eve")
    own.start("cad")
    live = connection(own)
    basic = {"Authorization": "Basic " + base64.b64encode(person.auth.encode()).decode()}
    live.request("GET", "/account", headers=basic)
    assert live.getresponse().read().startswith(b"name eve")
    here = own.options()
    inside = ["unshare", "--pid", "--fork", "setpriv", f"--reuid={here.pop('user')}",
              f"--regid={here.pop('group')}", "--clear-groups"]
    del here["extra_groups"]

    def there(*command):
        return subprocess.run([*inside, *command], capture_output=True, timeout=30, **here)

    refused = there("./bin/quintetctl", "user", "list")
    assert refused.returncode == 100 and b"PID namespace" in refused.stderr
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = raw(listener.getsockname()[1])
        ours, _ = listener.accept()
    with ours:
        service = subprocess.Popen([*inside, "./bin/cad"], stdin=ours, stderr=subprocess.PIPE, **here)
    with context(own).wrap_socket(peer, server_hostname="localhost") as tls:
        tls.sendall(b"GET /account HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    b"Authorization: " + basic["Authorization"].encode() + b"\r\n\r\n")
        assert read_to_end(tls).startswith(b"HTTP/1.1 503 ")
    assert b"PID namespace" in service.communicate(timeout=60)[1]
    live.close()
    own.stop_keeper()
    until(lambda: there("./bin/quintetctl", "user", "list").returncode == 0, what="an open store")


def _ocsp_request(own):
    path = own.root / "work/x.req"
    run("openssl", "ocsp", "-issuer", own.chain_pem, "-cert", own.chain_pem, "-reqout", path)
    return path.read_bytes()


def test_garbage_at_the_signers_socket(make_instance):
    own = make_instance()
    own.start("cad")
    signer = own.start("cad-signer")
    path = own.root / "runtime/signer.sock"
    for data in (b"", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\5abcde", b"\0\0\x10\0" + b"x" * 10,
                 secrets.token_bytes(5000)):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(str(path))
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            while s.recv(4096):
                pass
    person = Person(own, "eve")
    assert enroll(own, person, new_csr(person.key, "/CN=eve"))[0] == 200
    assert signer.process.poll() is None
