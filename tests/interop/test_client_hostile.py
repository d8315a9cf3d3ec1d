"""The client against servers that lie, stall, break off or talk nonsense."""

import base64
import json
import os
import shutil
import socket
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import load_der_x509_csr

from device import NO, TEMPORARY, UNTRUSTED, USAGE, Device
from forge import SERVER_AUTH, Authority
from hostile import Hostile, answer, certs_only, directory, write_profile

SECRET = "a secret of forty letters that no one gets"
BANNER = time.strftime("%A %Y-%m-%d %H:%M:%S +00:00", time.gmtime()).encode() + b"\r\n"


@pytest.fixture
def device():
    made = Device(timeout=3)  # which many of these tests wait for
    yield made
    made.close()


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def serve():
    made = []

    def start(handle=None, context=None, pages=None, **more):
        server = Hostile(handle, context, **more)
        made.append(server)
        if pages is not None:
            server.http(pages)
        return server

    yield start
    for server in made:
        server.close()


def ca_pages(authority, port=1, doors=(), **more):
    pages = {"/.well-known/est/cacerts": answer(certs_only(authority.root, authority.issuing)),
             "/.well-known/quintet": answer(directory(authority.fingerprint, doors))}
    return {**pages, **more}


def enroll(device, server, *args, **more):
    secret = device.file("secret", SECRET + "\n")
    return device.timed("enroll", f"localhost:{server.port}", "--user", "mallory", "--password-file", secret,
                        *args, **more)


def nothing_left(device):
    assert [n for n in device.names() if not n.startswith(".")] == []
    assert not any((device.profiles / n).is_dir() for n in device.names())


def told_nothing(server):
    text = server.everything()
    assert SECRET.encode() not in text and b"authorization" not in text.lower()
    assert base64.b64encode(f"mallory:{SECRET}".encode()) not in text


# -- whom to trust -------------------------------------------------------------------------------


def test_a_wrong_fingerprint_ends_it(device, authority, serve):
    server = serve(context=authority.host(), pages=ca_pages(authority))
    done, _ = enroll(device, server, "--fingerprint", "ab" * 32, status=UNTRUSTED)
    assert "nothing was sent" in done.stderr
    assert [r.split(b" ")[:2] for r in server.requests] == [[b"GET", b"/.well-known/est/cacerts"]]
    told_nothing(server)
    nothing_left(device)


def test_the_fingerprint_of_an_issuing_certificate_is_no_root(device, authority, serve):
    server = serve(context=authority.host(), pages=ca_pages(authority))
    done, _ = enroll(device, server, "--fingerprint", authority.issuing.fingerprint(hashes.SHA256()).hex(),
                     status=UNTRUSTED)
    assert "not a root" in done.stderr
    told_nothing(server)


def test_the_right_root_on_the_wrong_server(device, authority, serve):
    """It shows the root that was asked for, but its own certificate is another authority's."""
    foreign = Authority("other")
    server = serve(context=foreign.host(), pages=ca_pages(authority))
    done, _ = enroll(device, server, "--fingerprint", authority.fingerprint, status=UNTRUSTED)
    assert "is not trusted" in done.stderr and "other issuing" in done.stderr
    told_nothing(server)
    nothing_left(device)


def test_a_foreign_root_file(device, authority, serve):
    server = serve(context=authority.host(), pages=ca_pages(authority))
    root = device.file("root.pem", Authority("other").root.public_bytes(serialization.Encoding.PEM))
    done, _ = enroll(device, server, "--root", root, status=UNTRUSTED)
    assert "is not trusted" in done.stderr and server.requests == []


def test_an_expired_certificate_and_the_clock(device, authority, serve):
    server = serve(context=authority.host(start=-9, end=-2), pages=ca_pages(authority))
    done, _ = enroll(device, server, "--fingerprint", authority.fingerprint, status=UNTRUSTED)
    assert "expired" in done.stderr and "this machine's clock" in done.stderr
    told_nothing(server)


def test_a_wrong_host_name_is_not_the_clock(device, authority, serve):
    server = serve(context=authority.host("elsewhere"), pages=ca_pages(authority))
    done, _ = enroll(device, server, "--fingerprint", authority.fingerprint, status=UNTRUSTED)
    assert "hostname mismatch" in done.stderr and "clock" not in done.stderr
    told_nothing(server)


def test_issuing_certificates_that_the_root_does_not_know_are_dropped(device, authority, serve):
    foreign = Authority("other")
    pages = ca_pages(authority)
    pages["/.well-known/est/cacerts"] = answer(
        certs_only(foreign.root, foreign.issuing, authority.issuing, authority.root))
    seen = []

    def sign(body):
        csr = load_der_x509_csr(base64.b64decode(body))
        seen.append(csr.is_signature_valid)
        return answer(certs_only(authority.user("mallory", csr.public_key())))

    pages["/.well-known/est/simpleenroll"] = sign
    server = serve(context=authority.host(), pages=pages)
    enroll(device, server, "--fingerprint", authority.fingerprint)
    assert seen == [True]
    chain = device.content("localhost")["chain.pem"]
    assert chain == authority.issuing.public_bytes(serialization.Encoding.PEM)
    # No part of the private key has gone out.
    kept = serialization.load_pem_private_key(device.content("localhost")["key.pem"], None)
    secret = kept.private_numbers().private_value.to_bytes(32, "big")
    assert secret not in server.everything()
    assert base64.b64encode(secret)[:20] not in server.everything()


@pytest.mark.parametrize("kind, told", [
    ("another key", "another key"), ("another name", "another name"), ("foreign", "not acceptable"),
    ("a host's", "not acceptable"), ("two", "did not send a certificate"),
    ("nonsense", "did not send a certificate"), ("nothing", "did not send a certificate")])
def test_an_unacceptable_certificate(device, authority, serve, kind, told):
    def sign(body):
        key = load_der_x509_csr(base64.b64decode(body)).public_key()
        other = ec.generate_private_key(ec.SECP256R1()).public_key()
        good = authority.user("mallory", key)
        made = {
            "another key": lambda: certs_only(authority.user("mallory", other)),
            "another name": lambda: certs_only(authority.user("alice", key)),
            "foreign": lambda: certs_only(Authority("other").user("mallory", key)),
            "a host's": lambda: certs_only(authority.leaf(
                "mallory", key, [x509.DNSName("localhost")], [SERVER_AUTH])),
            "two": lambda: certs_only(good, good),
            "nonsense": lambda: b"TUlJ not base64 at all",
            "nothing": lambda: b"",
        }[kind]()
        return answer(made)

    pages = ca_pages(authority, **{"/.well-known/est/simpleenroll": sign})
    server = serve(context=authority.host(), pages=pages)
    status = TEMPORARY if "did not" in told else UNTRUSTED
    done, _ = enroll(device, server, "--fingerprint", authority.fingerprint, status=status)
    assert told in done.stderr
    nothing_left(device)


# -- renewal -------------------------------------------------------------------------------------


def renewable(device, authority, serve, renewed, **first):
    """An enrolled device; renewed(body) makes what simplereenroll answers. The bodies seen come back."""
    seen = []

    def enrol(body):
        key = load_der_x509_csr(base64.b64decode(body)).public_key()
        return answer(certs_only(authority.user("mallory", key, **first)))

    def renew(body):
        seen.append(body)
        return answer(renewed(body))

    pages = ca_pages(authority, **{"/.well-known/est/simpleenroll": enrol,
                                   "/.well-known/est/simplereenroll": renew})
    enroll(device, serve(context=authority.host(), pages=pages), "--fingerprint", authority.fingerprint)
    return seen


def test_renewal_is_due_at_two_thirds(device, authority, serve):
    def fresh(body):
        return certs_only(authority.user("mallory", load_der_x509_csr(base64.b64decode(body)).public_key()))

    seen = renewable(device, authority, serve, fresh, start=-19, end=11)
    assert device.json("renew", "--if-due")["renewed"] == "no" and seen == []
    device.run("profile", "remove", "localhost")
    seen = renewable(device, authority, serve, fresh, start=-21, end=9)
    assert device.json("renew", "--if-due")["renewed"] == "yes"
    # Subject and alternative name as before (RFC 7030 section 4.2.2).
    csr = load_der_x509_csr(base64.b64decode(seen[0]))
    names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert csr.is_signature_valid and csr.subject.rfc4514_string() == "CN=mallory"
    assert names.get_values_for_type(x509.RFC822Name) == ["mallory@hostile.test"]
    assert device.json("renew", "--if-due")["renewed"] == "no" and len(seen) == 1


def test_renewal_with_an_unacceptable_answer_leaves_the_old_pair(device, authority, serve):
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    renewable(device, authority, serve, lambda body: certs_only(authority.user("mallory", stranger)))
    before = device.content("localhost")
    for more in ([], ["--new-key"]):
        assert "another key" in device.err("renew", *more, status=UNTRUSTED)
        assert device.content("localhost") == before


# -- servers that are not there, or not quite ------------------------------------------------------


def test_nobody_listens(device):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        done, seconds = device.timed("enroll", f"127.0.0.1:{port}", "--user", "mallory", "--fingerprint",
                                     "00" * 32, status=TEMPORARY)
    assert "cannot reach 127.0.0.1:" in done.stderr and "refused" in done.stderr and seconds < 8


def test_no_such_host(device):
    done = device.run("enroll", "nowhere.invalid", "--user", "mallory", "--fingerprint", "00" * 32,
                      status=TEMPORARY)
    assert "cannot reach nowhere.invalid:8443" in done.stderr


def test_a_dead_host(device):
    """A listener whose queue is full takes no connection: as a host that drops packets."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        time.sleep(0.2)
        done, seconds = device.timed("enroll", f"127.0.0.1:{address[1]}", "--user", "mallory",
                                     "--fingerprint", "00" * 32, status=TEMPORARY)
        device.interrupted("--timeout", "30", "enroll", f"127.0.0.1:{address[1]}", "--user", "mallory",
                           "--fingerprint", "00" * 32, when=lambda: True)
        for filler in fillers:
            filler.close()
    assert "no answer in time" in done.stderr and 2.5 < seconds < 8


def drip(connection):
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789" * 2:
        connection.sendall(bytes([byte]))
        time.sleep(0.2)


PLAIN = {
    "silence": (lambda c: time.sleep(5), "no answer in time"),
    "plain text": (lambda c: (c.recv(1000), c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")), "protocol"),
    "garbage": (lambda c: (c.recv(1000), c.sendall(os.urandom(3000))), "no TLS"),
    "closing": (lambda c: None, "no TLS"),
    "closing later": (lambda c: c.recv(1000), "no TLS"),
}


@pytest.mark.parametrize("kind", PLAIN)
def test_no_tls(device, serve, kind):
    handle, told = PLAIN[kind]
    done, seconds = enroll(device, serve(handle), "--fingerprint", "00" * 32, status=TEMPORARY)
    assert told in done.stderr and "no TLS with localhost:" in done.stderr and seconds < 8
    nothing_left(device)


TLS = {
    "silence": (lambda c: time.sleep(5), "no answer in time"),
    "slow": (drip, "no answer in time"),
    "closing": (lambda c: c.recv(1000), "connection was cut"),
    "half a head": (lambda c: (c.recv(1000), c.sendall(b"HTTP/1.1 200 OK\r\nConte")), "connection was cut"),
    "half a body": (lambda c: (c.recv(1000), c.sendall(answer(b"TUlJ", length=900))), "connection was cut"),
    "too much": (lambda c: (c.recv(1000), c.sendall(answer(b"A" * 70000))), "too long"),
    "a huge promise": (lambda c: (c.recv(1000), c.sendall(answer(b"A", length=10 ** 15))), "authority"),
    "chunks": (lambda c: (c.recv(1000), c.sendall(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n\r\n")), "protocol"),
    "no http": (lambda c: (c.recv(1000), c.sendall(b"220 hello there\r\n\r\n")), "protocol"),
    "garbage": (lambda c: (c.recv(1000), c.sendall(os.urandom(5000))), "authority"),
    "another page": (lambda c: (c.recv(1000), c.sendall(answer(b"<html>"))), "malformed"),
    "not found": (lambda c: (c.recv(1000), c.sendall(answer(b"no", "404 Not Found"))), "protocol"),
    "a moved page": (lambda c: (c.recv(1000), c.sendall(answer(
        b"", "302 Found", extra="Location: https://localhost/\r\n"))), "protocol"),
}


@pytest.mark.parametrize("kind", TLS)
def test_no_authority(device, authority, serve, kind):
    handle, told = TLS[kind]
    done, seconds = enroll(device, serve(handle, authority.host()), "--fingerprint", authority.fingerprint,
                           status=TEMPORARY)
    assert told in done.stderr and seconds < 8, done.stderr
    nothing_left(device)


def test_a_directory_that_is_none(device, authority, serve):
    for text in (b"", b"domain\n", b"<html>\n", b"domain x\ndomain y\n", b"\x00" * 100):
        pages = ca_pages(authority, **{"/.well-known/quintet": answer(text)})
        server = serve(context=authority.host(), pages=pages)
        done, _ = enroll(device, server, "--fingerprint", authority.fingerprint, status=TEMPORARY)
        assert "does not answer as a certificate authority" in done.stderr
        told_nothing(server)


def test_refusals_are_shown_without_their_control_characters(device, authority, serve):
    pages = ca_pages(authority, **{"/.well-known/est/simpleenroll": answer(
        b"\x1b]0;owned\x07 no\xff\nsecond line\n", "403 Forbidden")})
    server = serve(context=authority.host(), pages=pages)
    done, _ = enroll(device, server, "--fingerprint", authority.fingerprint, status=NO)
    assert "\x1b" not in done.stderr and "\\x1b]0;owned\\x07 no\\xff (403)" in done.stderr
    assert "second" not in done.stderr


def test_a_busy_server_says_when(device, authority, serve):
    pages = ca_pages(authority, **{"/.well-known/est/simpleenroll": answer(
        b"too many\n", "429 Too Many Requests", extra="Retry-After: 17\r\n")})
    server = serve(context=authority.host(), pages=pages)
    done, _ = enroll(device, server, "--fingerprint", authority.fingerprint, status=TEMPORARY)
    assert "too many (429); try again in 17 s" in done.stderr


def test_an_account_without_its_certificate(device, authority, serve):
    """Sign-up worked and enrolment did not: the person learns where things stand."""
    pages = ca_pages(authority, **{"/account/create": answer(b"created\n", "201 Created"),
                                   "/.well-known/est/simpleenroll": answer(b"not now\n", "503 Service Unavailable")})
    server = serve(context=authority.host(), pages=pages)
    done, _ = enroll(device, server, "--fingerprint", authority.fingerprint, "--sign-up", status=TEMPORARY)
    assert "not now (503)" in done.stderr and "enroll again without --sign-up" in done.stderr
    nothing_left(device)


def test_a_full_disk_shows_before_anything_is_made(device, authority, serve):
    if os.geteuid() != 0:
        pytest.skip("needs root for a file system of its own")
    server = serve(context=authority.host(), pages=ca_pages(authority))
    small = device.folder / "small"
    small.mkdir()
    secret = device.file("secret", SECRET + "\n")
    root = device.file("root.pem", authority.root.public_bytes(serialization.Encoding.PEM))
    argv = device.argv(["enroll", f"localhost:{server.port}", "--user", "mallory", "--sign-up", "--root", root,
                        "--password-file", secret])
    script = f'mount -t tmpfs -o size=8k none {small} && head -c 4096 /dev/zero >{small}/filler; exec "$@"'
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", *argv], capture_output=True, text=True,
                          env={**device.env, "QUINTET_CLIENT_DIR": str(small / "profiles")})
    assert done.returncode == TEMPORARY and "full" in done.stderr, done.stderr
    assert not any(b"POST" in request for request in server.requests)


def test_ctrl_c_in_each_wait(device, authority, serve):
    silent = serve(lambda c: time.sleep(40))
    mute = serve(lambda c: (c.recv(1000), time.sleep(40)), authority.host())
    for server in (silent, mute):
        device.interrupted("--timeout", "30", "enroll", f"127.0.0.1:{server.port}", "--user", "mallory",
                           "--fingerprint", authority.fingerprint, when=lambda: True)
    nothing_left(device)


# -- time ----------------------------------------------------------------------------------------


def time_server(serve, authority, *answers, banner=BANNER):
    def handle(connection):
        connection.sendall(banner)
        file = connection.makefile("rb")
        for text in answers:
            line = file.readline()
            connection.sendall(text(line) if callable(text) else text)
        file.readline()
    return serve(handle, authority.host())


def with_door(device, authority, server, door="daytime daytimes"):
    shutil.rmtree(device.profiles, ignore_errors=True)
    write_profile(device.profiles, authority, 1, [f"{door} {server.port}"])


@pytest.mark.parametrize("banner", [
    b"\x1b]0;owned\x07\r\n", b"Friday 2026-11-21 01:33:42 +00:00\r\n", b"\r\n", b"A" * 600 + b"\r\n",
    b"Saturday 2026-11-21 01:33:42 +00:00", b"Saturday 2026-11-21 01:33:42 +00:00\n", b""])
def test_a_banner_that_is_no_time(device, authority, serve, banner):
    with_door(device, authority, time_server(serve, authority, banner=banner))
    done = device.run("daytime", status=TEMPORARY)
    assert done.stdout == "" and "does not tell the time" in done.stderr and "\x1b" not in done.stderr


def test_answers_that_forge_a_terminal(device, authority, serve):
    with_door(device, authority, time_server(serve, authority, b"\x1b[2Jnow\r\n"))
    assert device.out("daytime", "--epoch") == "\\x1b[2Jnow\n"
    with_door(device, authority, time_server(serve, authority, b"error: \x1b[2J\r\n"))
    assert device.err("daytime", "--epoch", status=NO) == "quintet: localhost says: \\x1b[2J\n"


def exchange(line, t1=None, spread=0):
    sent = int(line.split()[2])
    return f"exchange {sent if t1 is None else t1} {sent - spread} {sent + spread} 1000 synchronised\r\n".encode()


def test_the_offset_of_a_liar(device, authority, serve):
    """An echo of another question, an answer made before the question, nonsense: no offset at all."""
    for bad in (lambda line: exchange(line, t1=5), lambda line: b"exchange 1 2 3\r\n",
                lambda line: b"error: no\r\n", lambda line: exchange(line, spread=10 ** 18)):
        with_door(device, authority, time_server(serve, authority, *[bad] * 20))
        assert "cannot be measured" in device.err("daytime", "--offset", status=TEMPORARY)
    with_door(device, authority, time_server(serve, authority, *[exchange] * 20))
    assert abs(device.json("daytime", "--offset")["offset_s"]) < 2


def test_a_stamp_that_is_none(device, authority, serve):
    file = device.file("thing", "content")
    for body in (b"", b"\x30\x00", os.urandom(500), b"A" * 70000):
        server = serve(context=authority.host(), pages={"/tsa": answer(body)})
        with_door(device, authority, server)
        done = device.run("daytime", "--stamp", file,
                          status=TEMPORARY if len(body) > 65536 else UNTRUSTED)
        assert done.stdout == "" and not os.path.exists(f"{file}.tsr")


# -- status --------------------------------------------------------------------------------------


def test_one_bad_service_does_not_hold_up_the_others(device, authority, serve):
    foreign = Authority("other")
    good = time_server(serve, authority)
    http = answer(b"", "404 Not Found")
    doors = {
        "daytime": ("daytimes", good, "ok"),
        "web": ("https", serve(lambda c: (c.recv(1000), c.sendall(http)), authority.host()), "ok"),
        "plain": ("http", serve(lambda c: (c.recv(1000), c.sendall(http))), "ok"),
        "silent": ("daytimes", serve(lambda c: time.sleep(10)), "no answer in time"),
        "mute": ("https", serve(lambda c: time.sleep(10), authority.host()), "no answer in time"),
        "expired": ("daytimes", time_server(serve, authority), "not trusted: certificate has expired"),
        "foreign": ("daytimes", serve(lambda c: c.sendall(BANNER), foreign.host()), "not trusted: "),
        "liar": ("imaps", serve(lambda c: c.sendall(b"220 I am another\r\n"), authority.host()),
                 "answers, but as something else"),
        "noise": ("daytimes", serve(lambda c: c.sendall(os.urandom(999))), "no TLS: "),
        "closes": ("daytimes", serve(lambda c: None, authority.host()), "closed without an answer"),
        "odd": ("gopher", good, "does not know its protocol"),
    }
    doors["expired"][1].context = authority.host(start=-9, end=-2)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        lines = [f"{name} {protocol} {server.port}" for name, (protocol, server, _) in doors.items()]
        write_profile(device.profiles, authority, 1, [*lines, f"down ircs {unused.getsockname()[1]}"],
                      host="127.0.0.1")
        done, seconds = device.timed("status", "--json", status=NO)
    assert 2.5 < seconds < 8
    assert "this machine's clock" in done.stderr
    rows = {row["service"]: row for row in json.loads(done.stdout)["services"]}
    assert list(rows) == [*doors, "down"]
    for name, (_, _, state) in doors.items():
        assert state in rows[name]["state"], rows[name]
    assert "refused" in rows["down"]["state"]
    assert rows["daytime"]["protocol"] == "TLSv1.3" and rows["plain"]["protocol"] == "plain"
    assert rows["daytime"]["answer_ms"] < 2900 and rows["silent"]["answer_ms"] is None


def test_only_its_pong_is_a_chat_server(device, authority, serve):
    other = "answers, but as something else"
    answers = {
        "good": (b":h PONG h :status\r\n", "ok"), "tags": (b"@time=x :h PONG h status\r\n", "ok"),
        "error": (b"ERROR :Closing link\r\n", other), "token": (b":h PONG h :else\r\n", other),
        "bare": (b"PONG\r\n", other), "mail": (b"220 PONG status\r\n", other), "nothing": (b"\r\n", other),
    }

    def answering(answer):
        return lambda c: (c.recv(100) == b"PING :status\r\n" and c.sendall(answer))

    lines = [f"{name} ircs {serve(answering(answer), authority.host()).port}" for name, (answer, _) in answers.items()]
    write_profile(device.profiles, authority, 1, lines, host="127.0.0.1")
    rows = {r["service"]: r["state"] for r in device.json("status", status=NO)["services"]}
    assert rows == {name: state for name, (_, state) in answers.items()}


def asks_for_tls(context, greeting=b"220 ready\r\n", go=b"234 go on\r\n"):
    """A server of FTP with AUTH TLS; go None: the request is not answered."""
    def handle(c):
        c.sendall(greeting)
        asked = c.recv(100)
        if go is None:
            time.sleep(10)
            return
        c.sendall(go)
        assert asked == b"AUTH TLS\r\n"
        with context.wrap_socket(c, server_side=True) as tls:
            assert tls.recv(100) == b"NOOP\r\n"
            tls.sendall(b"200 I am here\r\n")
            tls.unwrap()
    return handle


def test_tls_that_is_asked_for_in_clear(device, authority, serve):
    ours, other = authority.host(), Authority("other").host()
    long = b"220-many\r\n 220 words\r\n220x\r\n" + b"more\r\n" * 500 + b"220 ready\r\n"
    doors = {
        "good": (asks_for_tls(ours), "ok"),
        "long": (asks_for_tls(ours, long), "ok"),
        "slow": (lambda c: (time.sleep(0.3), asks_for_tls(ours)(c)), "ok"),
        "other": (lambda c: c.sendall(b"SSH-2.0-x\r\n"), "answers, but as something else"),
        "busy": (lambda c: c.sendall(b"421 later\r\n"), "answers, but as something else"),
        "endless": (lambda c: c.sendall(b"2" * 200000), "answers, but as something else"),
        "refuses": (asks_for_tls(ours, go=b"502 never\r\n"), "refuses TLS"),
        "injects": (asks_for_tls(ours, go=b"234 go on\r\n200 I am here\r\n"), "in clear where TLS begins"),
        "foreign": (asks_for_tls(other), "not trusted: "),
        "mute": (asks_for_tls(ours, go=None), "no answer in time"),
        "closes": (lambda c: (c.sendall(b"220 ready\r\n"), c.recv(99)), "closed without an answer"),
        "cut": (lambda c: c.sendall(b"220-ready\r\n220 rea"), "connection"),
    }
    lines = [f"{name} ftp {serve(handle).port}" for name, (handle, _) in doors.items()]
    write_profile(device.profiles, authority, 1, lines, host="127.0.0.1")
    done, seconds = device.timed("status", "--json", status=NO)
    assert seconds < 8
    rows = {row["service"]: row for row in json.loads(done.stdout)["services"]}
    for name, (_, state) in doors.items():
        assert state in rows[name]["state"], rows[name]
    assert rows["good"]["protocol"] == "TLSv1.3" and rows["good"]["verified_until"]


def test_ctrl_c_in_status(device, authority, serve):
    server = serve(lambda c: time.sleep(40))
    with_door(device, authority, server)
    device.interrupted("--timeout", "30", "status", when=lambda: True)


# -- files ---------------------------------------------------------------------------------------


def test_damaged_profiles(device, authority):
    good = write_profile(device.profiles, authority, 1, ["daytime daytimes 1"])
    for name, content in (("account", b""), ("account", b"user x\n"), ("account", b"user x\nhost y\nport 0\n"),
                          ("directory", b"nonsense"), ("root.pem", b""), ("account", b"A" * 70000)):
        kept = (good / name).read_bytes()
        (good / name).write_bytes(content)
        assert "quintet: " in device.err("status", status=USAGE)
        assert "damaged" in device.out("profile", "list")
        (good / name).write_bytes(kept)
    (good / "root.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert "certificates cannot be used" in device.err("status", status=USAGE)
    (device.profiles / "current").write_text("gone")
    assert 'there is no profile "gone"' in device.err("status", status=USAGE)
    (device.profiles / "current").unlink()
    assert "no profile is chosen" in device.err("status", status=USAGE)
    (device.profiles / "current").write_text("../../etc")
    assert "no profile is chosen" in device.err("status", status=USAGE)


def test_standard_output_that_is_closed_or_full(device, authority, serve):
    with_door(device, authority, time_server(serve, authority))
    with open("/dev/full", "w") as full:
        done = subprocess.run(device.argv(["daytime"]), env=device.env, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == TEMPORARY and b"cannot write the output" in done.stderr
    closed = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *device.argv(["daytime"])], env=device.env,
                            stderr=subprocess.PIPE)
    assert closed.returncode == TEMPORARY and b"cannot write the output" in closed.stderr
    read, write = os.pipe()
    os.close(read)
    left = subprocess.run(device.argv(["daytime"]), env=device.env, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (left.returncode, left.stderr) == (TEMPORARY, b"")
