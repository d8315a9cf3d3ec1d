"""IMAP's dialogue: commands with literals and their bounds, who may come in, what may be said when,
and what ends a session."""

import base64
import itertools
import os
import signal

import pytest

from imaps import Imap, PASSWORD, message, only
from instance import until

NAMES = (f"imses{n}" for n in itertools.count())
MUST_OFFER = """IMAP4rev1 IMAP4rev2 SASL-IR AUTH=PLAIN AUTH=LOGIN LITERAL+ ID ENABLE IDLE
    NAMESPACE UIDPLUS UNSELECT MOVE SPECIAL-USE CREATE-SPECIAL-USE CHILDREN LIST-EXTENDED LIST-STATUS
    ESEARCH SEARCHRES CONDSTORE QRESYNC STATUS=SIZE APPENDLIMIT=26214400 BINARY MULTIAPPEND UTF8=ACCEPT
    OBJECTID SORT SORT=DISPLAY THREAD=REFERENCES THREAD=ORDEREDSUBJECT QUOTA QUOTA=RES-STORAGE NOTIFY
    XQUINTET""".split()


@pytest.fixture(scope="module")
def ann(instance):
    name = next(NAMES)
    instance.account(name, PASSWORD)
    return name


@pytest.fixture
def client(instance, ann):
    with Imap(instance, ann) as c:
        yield c


def b64(text):
    return base64.b64encode(text.encode()).decode()


# -- what is offered, and log-in ------------------------------------------------------------------

def test_greeting_and_capability(instance, ann):
    with Imap(instance) as c:
        assert c.greeting.startswith(b"* OK [CAPABILITY IMAP4rev1 ")
        (said,) = c.ok("CAPABILITY")
        offered = said.decode().split()[2:]
        assert set(MUST_OFFER) <= set(offered) and not {"UIDONLY", "AUTH=EXTERNAL"} & set(offered)
        c.ok(f'LOGIN {ann} "{PASSWORD}"')
        assert c.said.startswith(b"OK [CAPABILITY IMAP4rev1 ")
        assert c.ok("CAPABILITY") == [said]


def test_log_in_by_all_ways(instance, ann):
    plain = b64(f"\0{ann}\0{PASSWORD}")
    with Imap(instance) as c:
        c.ok(f"AUTHENTICATE PLAIN {plain}")
    with Imap(instance) as c:
        tag = c.begin("AUTHENTICATE PLAIN")
        assert c.continued() == b""
        c.send(plain)
        assert c.finish(tag)[1].startswith(b"OK ")
    with Imap(instance) as c:
        tag = c.begin("authenticate login")
        c.continued()
        c.send(b64(ann + "@quintet.test"))
        c.continued()
        c.send(b64(PASSWORD))
        assert c.finish(tag)[1].startswith(b"OK ")
    with Imap(instance) as c:
        tag = c.begin(f"LOGIN {{{len(ann)}}}")
        c.continued()
        c.send(f"{ann} {{{len(PASSWORD)}+}}\r\n{PASSWORD}".encode() + b"\r\n")
        assert c.finish(tag)[1].startswith(b"OK ")
        c.refused(f'LOGIN {ann} "{PASSWORD}"', b"BAD")


def test_log_in_by_certificate(instance, ann):
    key = instance.enroll(ann, PASSWORD)
    with Imap(instance, cert=key) as c:
        assert b" AUTH=EXTERNAL" in c.greeting
        c.ok("AUTHENTICATE EXTERNAL =")
        c.ok("SELECT INBOX")
    with Imap(instance, cert=key) as c:
        assert b"AUTHENTICATIONFAILED" in c.refused("AUTHENTICATE EXTERNAL " + b64("somebody"))
    with Imap(instance) as c:
        assert b"AUTHENTICATIONFAILED" in c.refused("AUTHENTICATE EXTERNAL =")


def test_refused_log_ins(instance, ann):
    with Imap(instance) as c:
        assert b"[AUTHENTICATIONFAILED]" in c.refused(f"LOGIN {ann} wrong")
        tag = c.begin("AUTHENTICATE PLAIN")
        c.continued()
        c.send("*")
        assert c.finish(tag)[1].startswith(b"BAD")
        c.refused("AUTHENTICATE PLAIN !!!", b"BAD")
        c.refused("AUTHENTICATE CRAM-MD5", b"NO")
        c.refused("SELECT INBOX", b"BAD")
        c.ok(f'LOGIN {ann} "{PASSWORD}"')


# -- commands and literals ------------------------------------------------------------------------

def test_commands_that_are_none(client):
    client.refused("FROBNICATE", b"BAD")
    client.refused("UID NOOP", b"BAD")
    client.refused("SELECT", b"BAD")
    client.refused("FETCH 1 FLAGS", b"BAD")
    client.send(b"\r\n")
    client.send(b"+ NOOP\r\n")
    assert client.line().startswith(b"* BAD")
    client.send(b"a NOOP\0\r\n")
    assert b"BAD" in client.line()
    client.send(b"lf NOOP\n")
    assert client.line().startswith(b"lf OK")
    client.ok("noop")


def test_too_many_bad_commands_end_the_session(client):
    asked = 0
    with pytest.raises(EOFError):
        for asked in range(100):
            client.ask("FROBNICATE")
    assert 10 <= asked <= 30


def test_strangers_have_less_patience_and_room(instance):
    with Imap(instance) as c:
        for _ in range(5):
            c.begin("FROBNICATE")
        assert b"BYE" in c.heard(b"* BYE")
    with Imap(instance) as c:
        assert b"[TOOBIG]" in c.refused("LOGIN {5000}", b"BAD")
        c.send(b"x LOGIN {5000+}\r\n" + b"a" * 5000 + b" y\r\n")
        assert c.line().startswith(b"x BAD [TOOBIG]")
        c.ok("NOOP")
        c.send(b"x LOGIN {999999999+}\r\n")
        c.heard(b"x BAD")
        c.heard(b"* BYE")


def test_bounds_of_commands(client):
    assert b"[TOOBIG]" in client.refused("SELECT {70000}", b"BAD")
    client.refused("SELECT {99999999999999999999}", b"BAD")
    client.refused("SELECT ~{3}", b"BAD")
    client.send(b"x SELECT " + b"a" * 70000 + b"\r\n")
    assert b"BAD [TOOBIG]" in client.line()
    literal = b"{60000+}\r\n" + b"a" * 60000
    client.send(b"y LIST (" + b" ".join([literal] * 3) + b") x\r\n")
    assert client.line().startswith(b"y BAD [TOOBIG]")
    client.ok("NOOP")


def test_literals_are_taken_both_ways(client):
    tag = client.begin("SELECT {5}")
    client.continued()
    client.send(b"inbox\r\n")
    assert client.finish(tag)[1].startswith(b"OK [READ-WRITE]")
    client.ok(b"STATUS {5+}\r\nINBOX (MESSAGES)")


def test_pipelined_commands_are_answered_in_order(client):
    client.send(b"".join(b"p%d NOOP\r\n" % n for n in range(200)))
    assert [client.line().split()[0] for _ in range(200)] == [b"p%d" % n for n in range(200)]


def test_refused_literals_do_not_disturb_what_follows(client):
    data = message()
    client.send(b"a APPEND Nowhere {%d+}\r\n%s\r\nb NOOP\r\n" % (len(data), data))
    assert client.line().startswith(b"a NO [TRYCREATE]") and client.line().startswith(b"b OK")
    client.send(b"c APPEND INBOX (\\Foo {%d+}\r\n%s\r\nd NOOP\r\n" % (len(data), data))
    assert client.line().startswith(b"c BAD") and client.line().startswith(b"d OK")
    client.send(b"e FROB INBOX {%d+}\r\n%s\r\nf NOOP\r\n" % (len(data), data))
    assert client.line().startswith(b"e BAD") and client.line().startswith(b"f OK")


# -- small commands -------------------------------------------------------------------------------

def test_id_namespace_enable_quota(client):
    (said,) = client.ok('ID ("name" "test" "version" NIL)')
    assert said.startswith(b'* ID ("name" "Quintet" "version" "')
    client.ok("ID NIL")
    client.refused("ID (name)", b"BAD")
    assert client.ok("NAMESPACE") == [b'* NAMESPACE (("" "/")) NIL NIL']
    assert client.ok("ENABLE QRESYNC X-UNKNOWN") == [b"* ENABLED QRESYNC"]
    assert client.ok("ENABLE CONDSTORE UTF8=ACCEPT") == [b"* ENABLED UTF8=ACCEPT"]
    root, quota = client.ok("GETQUOTAROOT inbox")
    assert root == b'* QUOTAROOT INBOX ""' and quota.startswith(b'* QUOTA "" (STORAGE ')
    assert client.ok('GETQUOTA ""') == [quota]
    client.refused("GETQUOTA other")
    client.refused("GETQUOTAROOT Nowhere")


def test_logout(client):
    untagged = client.ok("LOGOUT")
    assert untagged and untagged[0].startswith(b"* BYE")
    with pytest.raises(EOFError):
        client.line()


def test_rev2_leaves_out_what_it_has_no_more(instance, client):
    assert client.ok("ENABLE IMAP4rev2") == [b"* ENABLED IMAP4rev2"]
    client.append(message())
    said = b"\r\n".join(client.ok("SELECT INBOX"))
    assert b"RECENT" not in said and b"UNSEEN" not in said
    assert b'* LIST () "/" INBOX' in said
    client.append(message())
    assert b"ecent" not in b"".join(client.ok("FETCH 1:* FLAGS"))
    assert only(client.ok("SEARCH ALL"), "ESEARCH")


# -- what ends a session --------------------------------------------------------------------------

def test_revocation_ends_idle_sessions(instance):
    name = next(NAMES)
    instance.account(name, PASSWORD)
    with Imap(instance, name) as c:
        c.ok("SELECT INBOX")
        c.idle()
        instance.ctl("user", "lock", name)
        assert b"BYE" in c.heard(b"* BYE")
        with pytest.raises(EOFError):
            c.line()
    with Imap(instance) as c:
        assert b"AUTHENTICATIONFAILED" in c.refused(f'LOGIN {name} "{PASSWORD}"')


def test_the_end_of_the_process_is_told(make_instance):
    own = make_instance()
    service = own.start("maild")
    own.account("ann", PASSWORD)
    with Imap(own, "ann") as c:
        c.ok("SELECT INBOX")
        until(service.sessions, what="a session")
        for pid in service.sessions():
            os.kill(pid, signal.SIGTERM)
        assert b"BYE [UNAVAILABLE]" in c.heard(b"* BYE")
