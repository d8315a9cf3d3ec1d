"""Calls: two clients at terminals, and peers of our own making with whom something is wrong."""

import hashlib
import itertools
import os
import signal
import socket
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from callpeer import ALPN, Line, Person, dial
from device import NO, OK, Device
from forge import CLIENT_AUTH, Authority, issuer_of, pem, sign
from instance import Instance, until
from OpenSSL import SSL


@pytest.fixture(scope="module")
def house():
    own = Instance()
    for name in ("cad-signer", "cad", "chatd"):
        own.start(name)
    own.ctl("set", "chat_flood_rate", "0")
    yield own
    own.close()


@pytest.fixture
def names(house, numbers=itertools.count()):
    """New accounts, made when they are asked for; nobody meets another test's."""
    number = next(numbers)

    def name(stem):
        made = f"{stem}{number}"
        house.account(made, f"secret of {made}")
        return made

    return name


@pytest.fixture
def people(house, names):
    """Two enrolled devices: (name, device)."""
    made = []
    for stem in ("ann", "bob"):
        device = Device()
        made.append((names(stem), device))
        device.enroll(house, made[-1][0], f"secret of {made[-1][0]}")
    yield made
    for _, device in made:
        device.close()


@pytest.fixture
def terminals():
    opened = []

    def begin(device, *args):
        opened.append(device.terminal("chat", *args))
        return opened[-1]

    yield begin
    for terminal in opened:
        terminal.close()


def session(terminals, person, *args):
    terminal = terminals(person[1], *args)
    terminal.expect("/help tells the commands")
    return terminal


def folder(device, name):
    path = device.folder / name
    path.mkdir(exist_ok=True)
    return path


@pytest.fixture
def two(people, terminals):
    """Both at their terminals, with folders for what comes."""
    (ann, bob) = people
    for _, device in people:
        folder(device, "in")
    return ann, bob, *(session(terminals, p, "--downloads", str(p[1].folder / "in")) for p in people)


def call(a, b, a_name, b_name):
    """a calls b, who takes it."""
    a.send(f"/call {b_name}\r")
    a.expect("this machine connects to it")
    b.expect(f"{a_name} calls: take the call?")
    b.send("y\r")
    a.expect(f"call with {b_name}, who is {b_name}")
    b.expect(f"call with {a_name}, who is {a_name}")
    a.expect(f"={b_name}> ")
    b.expect(f"={a_name}> ")


# -- two people ----------------------------------------------------------------------------------


def test_a_call(two):
    (ann_name, _), (bob_name, _), ann, bob = two
    call(ann, bob, ann_name, bob_name)
    ann.send("nobody else reads this\r")
    bob.expect("nobody else reads this")
    bob.send("so it is\r")
    ann.expect("so it is")
    bob.send("/hangup\r")
    ann.expect(f"{bob_name} has ended the call")
    ann.send("hello?\r")
    ann.expect("the call is over")
    call(bob, ann, bob_name, ann_name)
    ann.send("/quit\r")
    assert ann.status() == OK
    bob.expect(f"{ann_name} has ended the call")


def test_over_ipv6(house, names, terminals):
    devices = []
    try:
        for stem in ("ann", "bob"):
            name, device = names(stem), Device()
            devices.append((name, device))
            secret = device.file("password", f"secret of {name}\n")
            device.run("enroll", f"[::1]:{house.ports['ca']}", "--user", name, "--root", house.root_pem,
                       "--password-file", secret)
        (ann_name, _), (bob_name, _) = devices
        ann, bob = (session(terminals, d) for d in devices)
        call(ann, bob, ann_name, bob_name)
        assert "learns its address (::1)" in ann.text
        ann.send("by six\r")
        bob.expect("by six")
    finally:
        for _, device in devices:
            device.close()


def test_no(two):
    (ann_name, _), (bob_name, _), ann, bob = two
    ann.send(f"/call {bob_name}\r")
    bob.expect("take the call?")
    bob.send("n\r")
    ann.expect(f"{bob_name} declines the call")
    ann.send("/call nobody-here\r")
    ann.expect("nobody-here cannot be asked")


def test_files_each_way(two):
    (ann_name, ann_device), (bob_name, bob_device), ann, bob = two
    one, other = os.urandom(3_000_000), os.urandom(70_000)
    ann_device.file("to bob.bin", one)
    bob_device.file("back", other)
    call(ann, bob, ann_name, bob_name)
    ann.send("/send to bob.bin\r")
    bob.expect("offers file 1, to bob.bin (2.8 MiB): take it?")
    bob.send("/send back\r")
    ann.expect("take it?")
    bob.send("y\r")
    bob.expect("to bob.bin is here, whole")
    ann.expect(f"{bob_name} has to bob.bin, whole")
    ann.send("/get back\r")
    ann.expect("back is here, whole")
    assert (bob_device.folder / "in/to bob.bin").read_bytes() == one
    assert (ann_device.folder / "in/back").read_bytes() == other
    ann.send("/send to bob.bin\r")
    bob.expect("take it?")
    bob.send("n\r")
    ann.expect("declines to bob.bin")
    # Never over a file that is there.
    ann.send("/send to bob.bin\r")
    bob.expect("take it?")
    bob.send("y\r")
    bob.expect("as to bob.bin.1")


def test_a_file_begins_the_call(two):
    (ann_name, ann_device), (bob_name, bob_device), ann, bob = two
    ann_device.file("report", b"x" * 5000)
    ann.send(f"/send {bob_name} report\r")
    bob.expect(f"{ann_name} calls to send report (4.8 KiB): take the call?")
    bob.send("y\r")
    bob.expect("report is here, whole")
    assert (bob_device.folder / "in/report").read_bytes() == b"x" * 5000


def test_a_script_calls_to_send(people, terminals):
    (ann_name, ann_device), (bob_name, bob_device) = people
    bob = session(terminals, people[1], "--downloads", str(folder(bob_device, "in")))
    content = os.urandom(20_000_000)
    ann_device.file("a report", content)
    process = ann_device.start("chat", "call", bob_name, "--send", "a report")
    try:
        bob.expect(f"{ann_name} calls to send a report (19.0 MiB): take the call?")
        bob.send("y\r")
        out, err = process.communicate(timeout=60)
        assert process.returncode == OK and err == "", (out, err)
        assert f"{bob_name} has a report, whole" in out
    finally:
        process.kill()
        process.communicate()
    assert (bob_device.folder / "in/a report").read_bytes() == content
    ann_device.run("chat", "call", "--send", "missing", bob_name, status=NO)


def test_a_file_is_gone_on_with(two, terminals):
    (ann_name, ann_device), (bob_name, bob_device), ann, bob = two
    size = 400 << 20
    with open(ann_device.folder / "big", "wb") as file:
        for i in range(size >> 20):
            file.write(hashlib.sha256(b"%d" % i).digest() * 32768)
    call(ann, bob, ann_name, bob_name)
    ann.send("/send big\r")
    bob.expect("take it?")
    bob.send("y\r")
    part = bob_device.folder / f"in/.big.{ann_name}.quintet-part"
    until(lambda: part.exists() and part.stat().st_size > 1 << 20, what="some of the file")
    os.kill(bob.pid, signal.SIGKILL)
    ann.expect(f"the call with {bob_name} is over")
    had = part.stat().st_size
    assert 1 << 20 <= had < size
    bob = session(terminals, (bob_name, bob_device), "--downloads", str(bob_device.folder / "in"))
    call(ann, bob, ann_name, bob_name)
    ann.send("/send big\r")
    bob.expect("take it?")
    bob.send("y\r")
    ann.expect("has the beginning already, it goes on from there")
    bob.expect("big is here, whole")
    digests = [hashlib.sha256(path.read_bytes()).digest()
               for path in (ann_device.folder / "big", bob_device.folder / "in/big")]
    assert digests[0] == digests[1]
    assert not part.exists()


def test_several_calls_at_once(house, names, two, terminals):
    (ann_name, _), (bob_name, _), ann, bob = two
    device, cid_name = Device(), names("cid")
    try:
        device.enroll(house, cid_name, f"secret of {cid_name}")
        cid = session(terminals, (cid_name, device))
        call(ann, bob, ann_name, bob_name)
        call(cid, ann, cid_name, ann_name)
        ann.send("for cid\r")
        cid.expect("for cid")
        bob.send("of bob\r")
        ann.expect(f"={bob_name}")
        # And the server besides.
        cid.send(f"/msg {ann_name} by the server\r")
        ann.expect(cid_name)
        ann.send(f"/win ={bob_name}\r")
        ann.expect("of bob")
        ann.send("for bob\r")
        bob.expect("for bob")
        assert "for bob" not in cid.text and "for cid" not in bob.text
    finally:
        device.close()


# -- peers of our own making ---------------------------------------------------------------------


@pytest.fixture
def eve(house, names):
    name = names("eve")
    pair = house.enroll(name, f"secret of {name}")
    with Person(house, name, pair) as person:
        person.name = name
        yield person


@pytest.fixture
def ann(people, terminals):
    """At her terminal; .name."""
    terminal = session(terminals, people[0])
    terminal.name = people[0][0]
    return terminal


def asked(eve, ann):
    """eve asks and ann says yes: token and port."""
    token = eve.ask(ann.name)
    ann.expect(f"{eve.name} calls: take the call?")
    ann.send("y\r")
    return token, eve.port()


def refused(port, pair, word, **options):
    """The handshake is done, then comes our word."""
    line = Line(dial(port), pair, **options)
    said = [line.line(), line.line()]
    assert f"REFUSE {word}" in said, said
    line.close()


def comes(eve, ann, token, port):
    """The right one, after all."""
    line = Line(dial(port), eve.pair)
    line.begin(token, caller=True)
    ann.expect(f"call with {eve.name}, who is {eve.name}")
    line.send("SAY it is me")
    ann.expect("it is me")
    ann.send("good\r")
    assert line.line() == "SAY good"
    line.send("BYE")
    ann.expect(f"{eve.name} has ended the call")
    line.close()


@pytest.fixture
def issuing(house):
    return issuer_of(house)


def test_the_right_one(eve, ann):
    comes(eve, ann, *asked(eve, ann))


def test_nothing_is_given_away_before_yes(eve, ann):
    eve.ask(ann.name)
    ann.expect("take the call?")
    time.sleep(0.3)
    assert not any("DCC" in m.text for m in eve.sync())
    ann.send("n\r")
    assert eve.answer()[:2] == ["REJECT", "SCHAT"]


def test_wrong_authority(eve, ann, tmp_path):
    foreign = Authority()
    key = serialization.load_pem_private_key(eve.pair[0].read_bytes(), None)
    pair = eve.pair[0], tmp_path / "foreign.pem"
    pair[1].write_bytes(pem(foreign.user(eve.name, key.public_key())) + pem(foreign.issuing))
    _, port = asked(eve, ann)
    refused(port, pair, "ca")
    ann.expect("that this profile's authority has not issued")


def test_another_account(house, names, eve, ann):
    other = names("fay")
    token, port = asked(eve, ann)
    refused(port, house.enroll(other, f"secret of {other}"), "account")
    ann.expect(f"shows the certificate of another account: it is of {other}")
    comes(eve, ann, token, port)


def test_another_key(house, eve, ann):
    first = [path.read_bytes() for path in eve.pair]
    second = house.enroll(eve.name, f"secret of {eve.name}")
    copy = [path.with_suffix(path.suffix + ".2") for path in second]
    for path, to, content in zip(second, copy, first):
        to.write_bytes(path.read_bytes())
        path.write_bytes(content)
    token, port = asked(eve, ann)
    refused(port, copy, "key")
    ann.expect("shows another key than the one that the server has seen")
    comes(eve, ann, token, port)


def test_expired(eve, ann, issuing, tmp_path):
    token, port = asked(eve, ann)
    refused(port, sign(tmp_path, eve.name, *issuing, days=(-2, -1)), "expired")
    ann.expect("has expired (or this machine's clock is off): valid until 20")
    comes(eve, ann, token, port)


def test_wrong_purpose(eve, ann, issuing, tmp_path):
    token, port = asked(eve, ann)
    refused(port, sign(tmp_path, eve.name, *issuing, usage=(CLIENT_AUTH,)), "purpose")
    ann.expect("shows a certificate that is not meant for calls between people")
    comes(eve, ann, token, port)


def test_revoked(house, names, ann):
    """The session goes on with a renewed certificate of the same key."""
    name, device = names("gil"), Device()
    try:
        device.enroll(house, name, f"secret of {name}")
        profile = device.profiles / device.names()[0] if len(device.names()) == 1 else next(
            p for p in device.profiles.iterdir() if p.is_dir())
        key, old = device.file("old.key", (profile / "key.pem").read_bytes()), device.file(
            "old.pem", (profile / "cert.pem").read_bytes())
        device.run("renew")
        pair = key, device.file("new.pem", (profile / "cert.pem").read_bytes())
        assert (profile / "key.pem").read_bytes() == key.read_bytes()
        assert old.read_bytes() != pair[1].read_bytes()
        serial = x509.load_pem_x509_certificate(old.read_bytes()).serial_number
        device.run("ca", "revoke", f"{serial:032x}")
        with Person(house, name, pair) as gil:
            gil.name = name
            _, port = asked(gil, ann)
            line = Line(dial(port), (key, old))
            said = []
            while (said[-1:] or [""])[0] is not None and not (said and said[-1].startswith("REFUSE")):
                said.append(line.line())
            assert said[-1] == "REFUSE revoked", said
            line.close()
            ann.expect(f"{name} shows a certificate that is revoked")
    finally:
        device.close()


def test_the_authority_does_not_answer(house, eve, ann):
    service = next(s for s in house.services if s.name == "cad")
    os.kill(service.pid, signal.SIGSTOP)
    try:
        _, port = asked(eve, ann)
        line = Line(dial(port), eve.pair)
        assert line.line().startswith("HELLO")
        ann.expect("it could not be learned whether the certificate is revoked")
        assert line.line() == "REFUSE unchecked"
        line.close()
    finally:
        os.kill(service.pid, signal.SIGCONT)


def test_a_third_party_comes_first(eve, ann, house, names):
    other = names("hal")
    pair = house.enroll(other, f"secret of {other}")
    token, port = asked(eve, ann)
    silent = [dial(port) for _ in range(3)]
    refused(port, pair, "account")
    with dial(port) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        ann.expect("does not speak TLS but plain text")
    comes(eve, ann, token, port)
    for s in silent:
        s.close()
    with pytest.raises(OSError):
        dial(port)


def test_no_alpn(eve, ann):
    _, port = asked(eve, ann)
    refused(port, eve.pair, "alpn", alpn=None)
    ann.expect("does not speak the protocol of calls")


def test_another_services_alpn(eve, ann):
    token, port = asked(eve, ann)
    with pytest.raises(SSL.Error):
        Line(dial(port), eve.pair, alpn=b"irc")
    ann.expect("could not agree on TLS")
    comes(eve, ann, token, port)


def test_another_line(eve, ann):
    """The right person, but not on the line that was agreed on."""
    _, port = asked(eve, ann)
    line = Line(dial(port), eve.pair)
    line.send("HELLO 1 " + line.exporter("caller", "0" * 32))
    assert "REFUSE binding" in [line.line() for _ in "ab"]
    ann.expect("speaks over another line than the one that was agreed on")
    line.close()


def test_tokens_are_good_once(eve, ann):
    token, port = asked(eve, ann)
    eve.ask(ann.name, token)
    ann.expect("is refused: it is a repetition of an earlier one")
    comes(eve, ann, token, port)
    eve.ask(ann.name, token)
    ann.expect("is refused: it is a repetition of an earlier one")
    eve.dcc(ann.name, f"SCHAT chat 2130706433 {port} {token}")
    ann.expect("is refused: its token was used already")
    eve.dcc(ann.name, f"SCHAT chat 2130706433 {port} {'ab' * 16}")
    ann.expect("is refused: its token is none that was given out")


def test_only_who_was_asked_may_answer(house, names, eve, ann):
    ann.send(f"/call {eve.name}\r")
    token = eve.answer()[-1]
    other = names("ida")
    with Person(house, other, house.enroll(other, f"secret of {other}")) as ida:
        ida.dcc(ann.name, f"SCHAT chat 2130706433 4000 {token}")
        ann.expect(f"an answer of {other} is refused: somebody else was asked")


def test_by_password_nobody_calls(house, names, ann):
    name = names("joe")
    from ircs import USUAL, Irc
    with Irc(house, name, caps=USUAL, account=(name, f"secret of {name}")) as joe:
        joe.send(f"PRIVMSG {ann.name} :\x01DCC SCHAT chat 0 0 {'12' * 16}\x01")
        ann.expect("is refused: the server has not seen a certificate of it")


def test_as_the_one_who_is_called(eve, ann, house, names):
    """ann connects to a listener of ours: the right one, and then one of another account."""
    for pair, wanted in ((eve.pair, None), (None, "shows the certificate of another account")):
        if pair is None:
            other = names("kay")
            pair = house.enroll(other, f"secret of {other}")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ann.send(f"/call {eve.name}\r")
            token = eve.answer()[-1]
            eve.dcc(ann.name, f"SCHAT chat 2130706433 {listener.getsockname()[1]} {token}")
            line = Line(listener.accept()[0], pair, server=True)
            if wanted is None:
                line.begin(token, caller=False)
                ann.expect(f"call with {eve.name}")
                line.send("SAY from the other side")
                ann.expect("from the other side")
                ann.send("/hangup\r")
                assert line.line() == "BYE"
            else:
                assert line.line() == "REFUSE account"
                ann.expect(wanted)
            line.close()


def test_the_other_direction(eve, ann):
    """Nobody listens where eve says: then ann does, and eve connects."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    ann.send(f"/call {eve.name}\r")
    token = eve.answer()[-1]
    eve.dcc(ann.name, f"SCHAT chat 2130706433 {port} {token}")
    ann.expect("waiting for it to connect here instead")
    words = eve.answer()
    assert words[:3] == ["SCHAT", "chat", "2130706433"] and words[4] == token
    line = Line(dial(int(words[3])), eve.pair)
    line.begin(token, caller=False)
    ann.expect(f"call with {eve.name}")
    line.close()
    ann.expect("is over")


def test_it_is_quick(eve, ann):
    """From yes to the call, and the line is the protocol's."""
    token, port = asked(eve, ann)
    start = time.monotonic()
    line = Line(dial(port), eve.pair)
    line.begin(token, caller=True)
    took = time.monotonic() - start
    assert line.tls.get_alpn_proto_negotiated() == ALPN
    assert line.tls.get_protocol_version_name() == "TLSv1.3"
    line.close()
    assert took < 5, took
    print(f"{took * 1000:.0f} ms")
