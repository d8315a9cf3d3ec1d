"""Noise, floods and silence: maild's limits hold, its patience ends, and nobody else notices."""

import contextlib
import os
import random
import signal
import socket
import ssl
import time

import pytest

import talk
from imaps import PASSWORD, Imap, message
from instance import until
from smtps import Smtps, letter, plain, with_subject

DOORS = {"maild": "imaps", "maild-submission": "submissions"}
GREETINGS = {"maild": b"* OK ", "maild-submission": b"220 "}
BIG = 3 << 20


@pytest.fixture
def own(make_instance):
    """An instance of the test's own with both doors and two people; .doors: its listeners."""
    instance = make_instance()
    for name in ("ann", "bob"):
        instance.account(name, PASSWORD)
    instance.doors = {name: instance.start(name) for name in DOORS}
    return instance


def sessions(instance):
    return [pid for door in instance.doors.values() for pid in door.sessions()]


def nobody_left(instance, seconds=60.0):
    until(lambda: not sessions(instance), seconds, "the end of all sessions")
    assert "died of a signal" not in instance.log_text()


def works(instance, subject):
    """Mail from ann to bob, as if nothing were."""
    with Smtps(instance, "ann") as client:
        assert client.message("ann", ["bob"], letter("ann", subject)).code == 250
    assert len(with_subject(instance, "bob", subject)) == 1


def rest(tls):
    """What still comes; however it ends."""
    got = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while piece := tls.recv(65536):
            got += piece
    return got


# -- noise ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("noise", [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"EHLO x\r\nMAIL FROM:<ann@quintet.test>\r\n", b"a LOGIN ann x\r\n",
    b"\x16\x03\x01\xff\xff" + b"\xff" * 70000, b"\0" * 5000, b""],
    ids=["http", "smtp", "imap", "hello", "nul", "nothing"])
def test_noise_in_the_place_of_tls(own, noise):
    for port in DOORS.values():
        with talk.raw(own.ports[port]) as clear:
            with contextlib.suppress(ConnectionError):
                clear.sendall(noise)
                clear.shutdown(socket.SHUT_WR)
            got = rest(clear)
            assert not got.startswith((b"* ", b"220")) and len(got) < 100
    nobody_left(own)
    works(own, "after noise")


@pytest.mark.parametrize("seed", range(4))
def test_noise_behind_tls(own, seed):
    rng = random.Random(seed)
    pieces = {0: lambda: rng.randbytes(200_000), 1: lambda: b"x" * 300_000, 2: lambda: b"\n" * 100_000,
              3: lambda: b"".join(b"%d {%d+}\r\n" % (n, rng.randrange(1 << 40)) for n in range(5000))}
    for name, port in DOORS.items():
        with talk.connect(own, own.ports[port]) as tls:
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                tls.sendall(pieces[seed]())
                tls.unwrap()
            got = rest(tls)
            assert got == b"" or (got.startswith(GREETINGS[name]) and len(got) < 100_000)
    nobody_left(own, 90)
    works(own, "after noise")


def test_ten_thousand_bad_commands(own):
    """A few of them in a row end a session; with good ones between them all are answered."""
    for account in (None, "ann"):
        with Imap(own, account) as imap, Smtps(own, account) as smtp:
            for client, most in ((imap.socket, 20), (smtp.tls, 10)):
                with contextlib.suppress(ConnectionError, ssl.SSLError):
                    client.sendall(b"x FROBNICATE\r\n" * 10_000)
                assert rest(client).count(b"\r\n") <= most + 1
    with Imap(own, "ann") as imap, Smtps(own, "ann") as smtp:
        for _ in range(50):
            imap.send(b"x FROBNICATE\r\ny NOOP\r\n" * 100)
            assert [imap.line()[:4] for _ in range(200)] == [b"x BA", b"y OK"] * 100
            smtp.send(b"FROBNICATE\r\nNOOP\r\n" * 100)
            assert [smtp.reply().code for _ in range(200)] == [500, 250] * 100
    nobody_left(own)


# -- patience -------------------------------------------------------------------------------------

def drip(tls, count):
    """A byte of a line that does not end; False: the connection is over."""
    try:
        tls.sendall(b"NOOP "[count % 5:count % 5 + 1])
        tls.setblocking(False)
        try:
            while tls.recv(65536):
                pass
            return False
        except ssl.SSLWantReadError:
            return True
        finally:
            tls.settimeout(60)
    except OSError:
        return False


def data_bytes(instance):
    return (instance.path("state/store/data.mdb").stat().st_blocks) * 512


def silent_reader(instance):
    """ann asks for ever so much, and reads none of it."""
    client = Imap(instance, "ann")
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.ok("SELECT Archive")
    client.send(b"".join(b"f%d FETCH 1:* (BODY.PEEK[] ENVELOPE BODYSTRUCTURE)\r\n" % n for n in range(8)))
    return client


@pytest.mark.release_only
def test_patience_ends_and_nobody_else_waits(own):
    """Who says nothing, says it byte by byte or does not read is gone after about a minute. Meanwhile others
    write as fast as ever, and pages that they free are used again: nothing of the store is held."""
    with Imap(own, "ann") as ann:
        ann.append(message("large") + b"y" * 70 * 1000 + b"\r\n", "Archive")
        for n in range(BIG // 40_000):
            ann.append(message(f"n{n}") + (b"z" * 70 + b"\r\n") * 550, "Archive")
        for n in range(30):
            ann.append(message(f"n{n}"))
    readers = [silent_reader(own) for _ in range(3)]
    open_ones = [talk.raw(own.ports[port]) for port in DOORS.values()]
    dripping = [talk.connect(own, own.ports[port]) for port in DOORS.values()]
    silent = [talk.connect(own, own.ports[port]) for port in DOORS.values()]
    began = time.monotonic()
    with Imap(own, "bob") as bob, Imap(own, "ann") as ann:
        bob.append(message())
        ann.ok("SELECT INBOX")
        bob.ok("SELECT INBOX")

        def write(count):
            for n in range(count):
                ann.ok(f"STORE 1:* {'+-'[n % 2]}FLAGS.SILENT (\\Flagged)")
                bob.ok(f"STORE 1 {'+-'[n % 2]}FLAGS (\\Seen)")

        write(20)
        before = data_bytes(own)
        write(150)
        assert data_bytes(own) - before < 1 << 20
        assert len(sessions(own)) >= 2 + 3 + 2 and time.monotonic() - began < 50
        count = 0
        while len(sessions(own)) > 2:
            assert time.monotonic() - began < 100
            dripping = [tls for tls in dripping if drip(tls, count)]
            count += 1
            bob.ok("NOOP")
            time.sleep(0.5)
        assert time.monotonic() - began > 5
    assert not dripping
    for client in (*(r.socket for r in readers), *open_ones, *silent):
        client.close()
    nobody_left(own)
    works(own, "after the wait")


# -- limits ---------------------------------------------------------------------------------------

def greeted(instance, port):
    """A connection that is served, or None."""
    try:
        tls = talk.connect(instance, instance.ports[port], timeout=20)
        if tls.recv(1000):
            return tls
        tls.close()
    except OSError:
        pass
    return None


def test_floods_of_connections(make_instance):
    instance = make_instance()
    for name in ("ann", "bob"):
        instance.account(name, PASSWORD)
    instance.doors = {name: instance.start(name, "--max=12", "--per-source=8") for name in DOORS}
    for port in DOORS.values():
        held = [tls for tls in (greeted(instance, port) for _ in range(30)) if tls]
        assert len(held) == 8
        for tls in held:
            tls.close()
    until(lambda: not sessions(instance), what="the end of the flood")
    raw = [talk.raw(instance.ports[port]) for port in DOORS.values() for _ in range(200)]
    for clear in raw:
        clear.close()
    nobody_left(instance)
    works(instance, "after the flood")


def test_wrong_passwords_count_on_both_doors(own):
    """Whoever guesses is slowed down, through whichever door: the right password has to wait as well."""
    own.ctl("set", "throttle_account", "3")

    def by_imap(password):
        with Imap(own) as imap:
            return imap.ask(f'LOGIN ann "{password}"')[1]

    def by_smtp(password):
        with Smtps(own) as smtp:
            smtp.expect("EHLO x", 250)
            return smtp.ask(f"AUTH PLAIN {plain('ann', password)}").code

    assert b"AUTHENTICATIONFAILED" in by_imap("wrong") and by_smtp("wrong") == 535
    for _ in range(4):
        by_imap("wrong")
        by_smtp("wrong")
    assert by_smtp(PASSWORD) == 454
    assert by_imap(PASSWORD).startswith(b"NO [UNAVAILABLE]")
    with Imap(own, "bob") as bob:
        bob.ok("NOOP")


# -- the end in the midst -------------------------------------------------------------------------

def in_append(own):
    client = Imap(own, "ann")
    client.send(b"a APPEND INBOX {5000+}\r\n" + message("cut") + b"x" * 100)
    return client.socket


def in_idle(own):
    client = Imap(own, "ann")
    client.ok("SELECT INBOX")
    client.idle()
    return client.socket


def in_challenge(own):
    client = Imap(own)
    client.begin("AUTHENTICATE PLAIN")
    client.continued()
    return client.socket


def in_fetch(own):
    with Imap(own, "ann") as ann:
        for n in range(4):
            ann.append(message(f"n{n}") + (b"z" * 70 + b"\r\n") * 14_000, "Archive")
    return silent_reader(own).socket


def in_data(own):
    client = Smtps(own, "ann")
    client.envelope("ann", "bob")
    client.expect("DATA", 354)
    client.send(letter("ann", "cut"))
    return client.tls


def in_chunk(own):
    client = Smtps(own, "ann")
    client.envelope("ann", "bob")
    client.send(b"BDAT 4000 LAST\r\n" + letter("ann", "cut"))
    return client.tls


def in_replies(own):
    """Commands without an end, whose replies nobody reads."""
    client = Smtps(own, "ann")
    client.tls.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.tls.settimeout(1)
    with contextlib.suppress(TimeoutError, ssl.SSLError):
        for _ in range(10_000):
            client.send(b"NOOP\r\n" * 1000)
    return client.tls


@pytest.mark.parametrize("begin", [
    in_append, in_idle, in_challenge, in_fetch, in_data, in_chunk, in_replies])
def test_told_to_end_in_the_midst(own, begin):
    client = begin(own)
    until(lambda: len(sessions(own)) == 1, what="one session")
    (pid,) = sessions(own)
    time.sleep(0.3)
    os.kill(pid, signal.SIGTERM)
    began = time.monotonic()
    if begin not in (in_fetch, in_replies):
        said = rest(client)
        assert b"* BYE [UNAVAILABLE]" in said or b"421 4.3.2" in said, said
    nobody_left(own)
    assert time.monotonic() - began < 10
    client.close()
    assert with_subject(own, "ann", "cut") == [] and with_subject(own, "bob", "cut") == []
    works(own, "after the end")
    own.ctl("check")
