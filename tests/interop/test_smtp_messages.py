"""What becomes of a message: its header, its bytes, who is given it, and that it is given once."""

import os
import random
import re
import time

import pytest

from imaps import Imap
from smtps import PASSWORD, Smtps, inbox, letter, with_subject

ANN, BOB, CAT = "mesann", "mesbob", "mescat"


@pytest.fixture(scope="module")
def people(instance):
    for name in (ANN, BOB, CAT):
        instance.account(name, PASSWORD)


@pytest.fixture
def ann(instance, people):
    with Smtps(instance, ANN) as client:
        yield client


def fields(message):
    """Names of the header, in their order, and its text."""
    head = message.split(b"\r\n\r\n", 1)[0].decode()
    return re.findall(r"^([A-Za-z-]+):", head, re.M), head


# -- the header -----------------------------------------------------------------------------------

def test_what_is_added(ann):
    got = ann.message(ANN, [BOB], b"Subject: added\r\n\r\nbody\r\n")
    assert got.code == 250 and got.status == "2.0.0"
    (message,) = with_subject(ann.instance, BOB, "added")
    names, head = fields(message)
    assert names == ["Return-Path", "Received", "Date", "Message-ID", "From", "Subject"]
    assert head.startswith(f"Return-Path: <{ANN}@quintet.test>\r\nReceived: from authenticated {ANN} (TLSv1.3)\r\n"
                           "\tby localhost with ESMTPSA id ")
    assert "127.0.0.1" not in head and f"From: {ANN}@quintet.test\r\n" in head
    assert re.search(r"\r\nMessage-ID: <[^<>\s]+@quintet\.test>\r\n", head)
    assert re.search(r"\r\nDate: \w{3}, \d\d? \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n", head)
    assert message.endswith(b"\r\n\r\nbody\r\n")


def test_what_stays_and_what_is_dropped(ann):
    own = ("Return-Path: <evil@example.org>\r\nReceived: from somewhere\r\nBCC: hidden@quintet.test,\r\n"
           "\tother@quintet.test\r\nDate: Sat, 21 Nov 2026 10:00:00 +0100\r\nResent-Bcc: x@quintet.test\r\n"
           "X-Kept: yes\r\n folded\r\n")
    assert ann.message(ANN, [BOB], letter(ANN, "kept", "kept1", more=own)).code == 250
    (message,) = with_subject(ann.instance, BOB, "kept")
    names, head = fields(message)
    assert names == ["Return-Path", "Received", "From", "Subject", "Received", "Date", "X-Kept", "Message-ID"]
    assert "hidden" not in head and "other@" not in head and "evil" not in head
    assert "X-Kept: yes\r\n folded\r\n" in head and "Date: Sat, 21 Nov 2026 10:00:00 +0100" in head


def test_the_sender_as_given_is_the_return_path(ann):
    for sender, told in ((f"{ANN}+news@LOCALHOST", f"{ANN}+news@LOCALHOST"),
                         (f'"{ANN}+a b"@quintet.test', f"{ANN}@quintet.test")):
        subject = f"path{random.random()}"
        ann.expect(f"MAIL FROM:<{sender}>", 250)
        ann.expect(f"RCPT TO:<{BOB}@quintet.test>", 250)
        ann.expect("DATA", 354)
        ann.expect(letter(ANN, subject) + b".\r\n", 250)
        (message,) = with_subject(ann.instance, BOB, subject)
        assert message.startswith(f"Return-Path: <{told}>\r\n".encode())


@pytest.mark.parametrize("message, body", [
    (b"\r\nonly a body\r\n", b"\r\n\r\nonly a body\r\n"),
    (b"no header at all\r\nsecond line\r\n", b"\r\n\r\nno header at all\r\nsecond line\r\n"),
    (b"Subject: s\r\nthis is no field\r\n\r\nmore\r\n", b"\r\n\r\nthis is no field\r\n\r\nmore\r\n"),
    (b"Subject: only a header\r\n", b"Subject: only a header\r\n\r\n"),
    (b"", b"\r\n\r\n"),
])
def test_messages_without_a_proper_header(ann, message, body):
    before = len(inbox(ann.instance, CAT))
    assert ann.message(ANN, [CAT], message).code == 250
    messages = inbox(ann.instance, CAT)
    assert len(messages) == before + 1 and messages[-1].endswith(body), messages[-1]


@pytest.mark.parametrize("head, code, status", [
    (f"From: {BOB}@quintet.test", 550, "5.7.1"),
    (f"From: Ann <{ANN}@quintet.test>, {BOB}@quintet.test", 550, "5.7.1"),
    (f"From: {ANN}@example.org", 550, "5.7.1"),
    (f"From: \"{ANN}@quintet.test\" <{BOB}@quintet.test>", 550, "5.7.1"),
    (f"From: {ANN}@quintet.test\r\nSender: {BOB}@quintet.test", 550, "5.7.1"),
    (f"From: {ANN}@quintet.test\r\nFrom: {BOB}@quintet.test", 550, "5.6.0"),
    (f"From:{ANN}@quintet.test\r\nfrom :{ANN}@quintet.test", 550, "5.6.0"),
    ("From:", 550, "5.6.0"),
    (f"From: Ann M. <{ANN.title()}@LOCALHOST>", 250, "2.0.0"),
    (f"From: =?utf-8?q?=C3=84nn?= <{ANN}+x@quintet.test>", 250, "2.0.0"),
    (f"From: {ANN}", 250, "2.0.0"),
])
def test_authors(ann, head, code, status):
    got = ann.message(ANN, [CAT], head.encode() + b"\r\nSubject: authors\r\n\r\nx\r\n")
    assert (got.code, got.status) == (code, status), got


# -- bytes ----------------------------------------------------------------------------------------

def test_dots_and_bytes_come_through(ann):
    body = b"..\r\n...two\r\n.one\r\nplain\r\n" + "Grüße\r\n".encode() + bytes(range(128, 256)) + b"\r\n\r\n"
    stuffed = b"".join(b"." + line if line.startswith(b".") else line for line in body.splitlines(True))
    assert ann.message(ANN, [BOB], letter(ANN, "dots")[:-8] + stuffed).code == 250
    (message,) = with_subject(ann.instance, BOB, "dots")
    assert message.split(b"\r\n\r\n", 1)[1] == body


def test_smtputf8(ann):
    ann.expect(f"MAIL FROM:<{ANN}@quintet.test> SMTPUTF8", 250)
    ann.expect(f"RCPT TO:<{BOB}@quintet.test>", 250)
    ann.expect("DATA", 354)
    ann.expect(f"From: Änn <{ANN}@quintet.test>\r\nSubject: Grüße\r\n\r\nx\r\n.\r\n".encode(), 250)
    (message,) = with_subject(ann.instance, BOB, "Grüße")
    assert b"with UTF8SMTPSA id" in message


def test_chunks(ann):
    data = letter(ANN, "chunks", body="one\r\n.\r\ntwo")
    ann.envelope(ANN, BOB)
    for piece in (data[:5], data[5:40], b""):
        ann.send(f"BDAT {len(piece)}\r\n".encode() + piece)
        assert ann.reply().code == 250
    assert ann.expect("DATA", 503).status == "5.5.1"
    assert ann.expect(f"RCPT TO:<{CAT}@quintet.test>", 503).status == "5.5.1"
    rest = data[40:]
    ann.send(f"BDAT {len(rest)} LAST\r\n".encode() + rest + b"NOOP\r\n")
    assert ann.reply().status == "2.0.0" and ann.reply().code == 250
    (message,) = with_subject(ann.instance, BOB, "chunks")
    assert message.endswith(b"\r\n\r\none\r\n.\r\ntwo\r\n")


def test_a_chunked_message_without_a_last_line_end(ann):
    data = letter(ANN, "lineless")[:-2]
    ann.envelope(ANN, BOB)
    ann.send(f"BDAT {len(data)} last\r\n".encode() + data)
    assert ann.reply().code == 250
    assert with_subject(ann.instance, BOB, "lineless")[0].endswith(b"Hello.\r\n")


def test_chunks_that_are_not_wanted_are_no_commands(ann):
    chunk = b"MAIL FROM:<x@y>\r\n"
    ann.send(f"BDAT {len(chunk)}\r\n".encode() + chunk)
    assert ann.reply().code == 503
    ann.envelope(ANN)
    ann.send(f"BDAT {len(chunk)} LAST\r\n".encode() + chunk)
    assert ann.reply().code == 503
    ann.expect("RCPT TO:<nobodyatall@quintet.test>", 550)
    ann.send(f"BDAT {len(chunk)} LAST\r\n".encode() + chunk)
    assert ann.reply().code == 554
    ann.expect("NOOP", 250)
    ann.send("BDAT x LAST")
    assert ann.reply().code == 501 and ann.ended()


# -- recipients -----------------------------------------------------------------------------------

def test_several_recipients_have_one_body(make_instance):
    own = make_instance()
    for name in ("maild", "maild-submission"):
        own.start(name)
    names = [f"one{n}" for n in range(10)]
    for name in names:
        own.account(name, PASSWORD)
    big = letter(names[0], "shared", body="x" * 70 * 4000)

    def blobs():
        return [p for p in own.path("state/blobs").rglob("*") if p.is_file()]

    with Smtps(own, names[0]) as client:
        assert "to 10 " in client.message(names[0], names, big).text
    assert len(blobs()) == 1
    found = [with_subject(own, name, "shared") for name in names]
    assert all(len(messages) == 1 and messages == found[0] for messages in found)


def test_named_twice_is_once(ann):
    got = ann.message(ANN, [BOB, BOB.upper(), BOB + "+x"], letter(ANN, "twice named"))
    assert "to 1 " in got.text and len(with_subject(ann.instance, BOB, "twice named")) == 1


def test_a_retry_is_known(ann):
    """The 250 was lost: the same bytes again, in another session, and to one more."""
    data = letter(ANN, "retried", "retry1")
    assert "to 1 " in ann.message(ANN, [BOB], data).text
    with Smtps(ann.instance, ANN) as again:
        got = again.message(ANN, [BOB], data)
        assert got.code == 250 and "before" in got.text
        assert "to 1 " in again.message(ANN, [BOB, CAT], data).text
        # what is not quite the same is another message
        assert "to 1 " in again.message(ANN, [BOB], data.replace(b"Hello", b"hello")).text
    assert len(with_subject(ann.instance, BOB, "retried")) == 2
    assert len(with_subject(ann.instance, CAT, "retried")) == 1
    with Smtps(ann.instance, CAT) as other:
        assert "to 1 " in other.message(CAT, [BOB], letter(CAT, "retried", "retry1")).text


def test_equal_messages_without_an_id_are_two(ann):
    for _ in range(2):
        assert "to 1 " in ann.message(ANN, [BOB], letter(ANN, "no id")).text
    assert len(with_subject(ann.instance, BOB, "no id")) == 2


def test_a_cut_before_the_dot_delivers_nothing(ann):
    ann.envelope(ANN, BOB)
    ann.expect("DATA", 354)
    ann.send(letter(ANN, "cut off") + b".\r")
    ann.tls.unwrap()
    time.sleep(0.3)
    assert with_subject(ann.instance, BOB, "cut off") == []


def test_an_idle_client_sees_it_at_once(ann):
    with Imap(ann.instance, BOB) as imap:
        imap.ok("SELECT INBOX")
        tag = imap.begin("IDLE")
        imap.continued()
        ann.envelope(ANN, BOB)
        ann.expect("DATA", 354)
        before = time.monotonic()
        ann.send(letter(ANN, "at once") + b".\r\n")
        assert b"EXISTS" in imap.line()
        waited = time.monotonic() - before
        assert ann.reply().code == 250
        imap.send("DONE")
        imap.finish(tag)
    assert waited < 1, waited


# -- limits ---------------------------------------------------------------------------------------

def test_the_largest_message(make_instance):
    own = make_instance()
    for name in ("maild", "maild-submission"):
        own.start(name)
    own.account(ANN, PASSWORD)
    own.ctl("set", "mail_size", "1M")
    with Smtps(own, ANN) as ann:
        head = letter(ANN, "largest", body="")[:-2]
        lines = (1048576 - len(head)) // 64
        data = head + b"x" * (1048576 - len(head) - lines * 64) + (b"y" * 62 + b"\r\n") * lines
        assert len(data) == 1048576
        assert ann.message(ANN, [ANN], data).code == 250
        got = ann.message(ANN, [ANN], data + b"z\r\n")
        assert (got.code, got.status) == (552, "5.3.4") and "1048576" in got.text
        ann.envelope(ANN, ANN)
        ann.send(b"BDAT 1048577\r\n" + b"x" * 1048577)
        assert ann.reply().status == "5.3.4"
        ann.send(b"BDAT 3 LAST\r\nabc")
        assert ann.reply().code == 503
        ann.expect("NOOP", 250)
    assert len(inbox(own, ANN)) == 1


def test_a_message_of_25_mib(instance, people):
    seed = random.randrange(1 << 30)
    print("seed", seed)
    data = letter(ANN, "huge", body="")
    row = os.urandom(30).hex().encode() + b"\r\n"
    data += row * ((25 * 1024 * 1024 - len(data)) // len(row))
    with Smtps(instance, ANN) as ann:
        ann.envelope(ANN, CAT, params=f" SIZE={len(data)}")
        ann.expect("DATA", 354)
        ann.expect(data + b".\r\n", 250)
    (message,) = with_subject(instance, CAT, "huge")
    assert message.endswith(data.split(b"\r\n\r\n", 1)[1])


def test_quota(make_instance):
    own = make_instance()
    for name in ("maild", "maild-submission"):
        own.start(name)
    for name in (ANN, BOB, CAT):
        own.account(name, PASSWORD)
    own.ctl("set", "mail_quota", "100K")
    big = letter(ANN, "big", body="x" * 62 * 1000)
    with Smtps(own, ANN) as ann:
        assert ann.message(ANN, [BOB], big).code == 250
        # all of them or none
        got = ann.message(ANN, [CAT, BOB], big)
        assert (got.code, got.status) == (552, "5.2.2") and BOB in got.text and "102400" in got.text
        assert with_subject(own, CAT, "big") == []
        # said as soon as it can be known
        ann.envelope(ANN, CAT, params=" SIZE=70000")
        got = ann.expect(f"RCPT TO:<{BOB}@quintet.test>", 552)
        assert got.status == "5.2.2" and BOB in got.text
        ann.expect("DATA", 354)
        ann.expect(big + b".\r\n", 250)
    assert len(with_subject(own, CAT, "big")) == 1
