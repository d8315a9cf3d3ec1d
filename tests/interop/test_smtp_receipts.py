"""Receipts that people submit, and those that the server gives by the reader's setting."""

import re

import pytest

from imaps import Imap
from instance import until
from smtps import PASSWORD, Smtps, inbox, letter, with_subject

ANN, BOB, CAT = "recann", "recbob", "reccat"


@pytest.fixture(scope="module")
def people(instance):
    for name in (ANN, BOB, CAT):
        instance.account(name, PASSWORD)


@pytest.fixture
def ann(instance, people):
    with Smtps(instance, ANN) as client:
        yield client


def receipt(reader, msgid, mode="manual-action/MDN-sent-manually"):
    return (f"From: {reader}@quintet.test\r\nSubject: Read: it\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: multipart/report; report-type=disposition-notification; boundary=bb\r\n\r\n"
            f"--bb\r\nContent-Type: text/plain\r\n\r\nRead.\r\n"
            f"--bb\r\nContent-Type: message/disposition-notification\r\n\r\n"
            f"Final-Recipient: rfc822;{reader}@quintet.test\r\nOriginal-Message-ID: <{msgid}@quintet.test>\r\n"
            f"Disposition: {mode}; displayed\r\n\r\n--bb--\r\n").encode()


def sent_row(instance, name, msgid):
    with Imap(instance, name) as imap:
        (row,) = [r for r in imap.ok(f'XRECEIPTS "<{msgid}@quintet.test>"') if b"XRECEIPT" in r]
        return row


def test_a_receipt_is_noted(ann):
    ask = f"Disposition-Notification-To: {ANN}@quintet.test\r\n"
    ann.message(ANN, [BOB], letter(ANN, "receipt please", "asks1", more=ask))
    assert b"READ NIL" in sent_row(ann.instance, ANN, "asks1")
    with Smtps(ann.instance, CAT) as cat:  # it is not for others to say
        assert cat.message("", [ANN], receipt(CAT, "asks1")).code == 250
    assert b"READ NIL" in sent_row(ann.instance, ANN, "asks1")
    with Smtps(ann.instance, BOB) as bob:
        assert bob.message("", [ANN], receipt(BOB, "asks1")).code == 250
    row = sent_row(ann.instance, ANN, "asks1")
    assert b'READ "20' in row and b"AUTOMATIC NIL" in row
    (message,) = [m for m in with_subject(ann.instance, ANN, "Read: it") if BOB.encode() in m]
    assert message.startswith(b"Return-Path: <>\r\n")


def test_nobody_may_be_the_sender_of_receipts_alone(ann):
    got = ann.message("", [BOB], letter(ANN, "anonymous"))
    assert (got.code, got.status) == (550, "5.7.1")
    assert with_subject(ann.instance, BOB, "anonymous") == []


# -- by the reader's setting ----------------------------------------------------------------------

def ask(ann, msgid, to=ANN, recipient=BOB, sender=None, subject=None):
    """A message that asks for a receipt."""
    data = letter(ANN, subject or msgid, msgid, more=f"Disposition-Notification-To: {to}@quintet.test\r\n")
    ann.expect(f"MAIL FROM:<{sender or ANN}@quintet.test>", 250)
    ann.expect(f"RCPT TO:<{recipient}@quintet.test>", 250)
    ann.expect("DATA", 354)
    ann.expect(data + b".\r\n", 250)


def receipts(instance, msgid, name=ANN):
    mark = f"Original-Message-ID: <{msgid}@quintet.test>".encode()
    return [m for m in inbox(instance, name) if mark in m]


@pytest.fixture
def bob(instance, people):
    with Imap(instance, BOB) as imap:
        imap.ok("XSET RECEIPTS ALWAYS")
        imap.ok("SELECT INBOX")
        yield imap
        imap.ok("XSET RECEIPTS ASK")


def newest(imap):
    imap.ok("NOOP")
    return max(int(n) for n in re.findall(rb"\d+", b"".join(imap.ok("UID SEARCH ALL"))))


def test_always_means_once(ann, bob):
    ask(ann, "always1")
    uid = newest(bob)
    assert b"$MDNSent" not in b"".join(bob.ok(f"UID FETCH {uid} FLAGS"))
    for change in ("+FLAGS", "-FLAGS", "+FLAGS"):
        bob.ok(f"UID STORE {uid} {change} (\\Seen)")
    bob.ok(f"UID FETCH {uid} BODY[]")
    until(lambda: receipts(ann.instance, "always1"), 10)
    assert b"$MDNSent" in b"".join(bob.ok(f"UID FETCH {uid} FLAGS"))
    (found,) = receipts(ann.instance, "always1")
    assert found.startswith(b"Return-Path: <>\r\n")
    assert f"Final-Recipient: rfc822;{BOB}@quintet.test".encode() in found.replace(b"; ", b";")
    assert b"automatic-action/MDN-sent-automatically" in found
    row = sent_row(ann.instance, ANN, "always1")
    assert b'READ "20' in row and b"AUTOMATIC T" in row


def test_copies_are_one_message(ann, bob):
    ask(ann, "copied")
    bob.ok(f"UID COPY {newest(bob)} Archive")
    bob.ok(f"UID STORE {newest(bob)} +FLAGS (\\Seen)")
    bob.ok("SELECT Archive")
    bob.ok("STORE * +FLAGS (\\Seen)")
    bob.ok("SELECT INBOX")
    assert len(receipts(ann.instance, "copied")) == 1


def test_reading_the_body_is_reading(ann, bob):
    ask(ann, "always2")
    bob.ok(f"UID FETCH {newest(bob)} BODY[TEXT]")
    until(lambda: receipts(ann.instance, "always2"), 10)


def test_peeking_is_not(ann, bob):
    ask(ann, "peeked")
    bob.ok(f"UID FETCH {newest(bob)} BODY.PEEK[]")
    bob.ok("NOOP")
    assert receipts(ann.instance, "peeked") == []


def test_only_the_sender_itself_is_told(ann, bob):
    """RFC 8098 section 2.1: where Return-Path and the asker differ, nothing goes out by itself."""
    ask(ann, "elsewhere", to=CAT)
    bob.ok(f"UID STORE {newest(bob)} +FLAGS (\\Seen)")
    bob.ok("NOOP")
    assert receipts(ann.instance, "elsewhere") == receipts(ann.instance, "elsewhere", CAT) == []
    assert b"READ NIL" in sent_row(ann.instance, ANN, "elsewhere")


def test_receipts_are_not_answered(ann, bob):
    """A receipt that asks for one."""
    data = receipt(ANN, "x").replace(b"Subject: Read: it", b"Subject: loop\r\nDisposition-Notification-To: "
                                     + f"{ANN}@quintet.test".encode())
    assert ann.message(ANN, [BOB], data).code == 250
    before = len(inbox(ann.instance, ANN))
    bob.ok(f"UID STORE {newest(bob)} +FLAGS (\\Seen)")
    bob.ok("NOOP")
    assert len(inbox(ann.instance, ANN)) == before


def test_asking_and_never(ann, people):
    for setting in ("ASK", "NEVER"):
        with Imap(ann.instance, BOB) as imap:
            imap.ok(f"XSET RECEIPTS {setting}")
            imap.ok("SELECT INBOX")
            ask(ann, f"not-{setting}")
            imap.ok(f"UID STORE {newest(imap)} +FLAGS (\\Seen)")
            imap.ok("NOOP")
        assert receipts(ann.instance, f"not-{setting}") == []


def test_an_asker_who_is_gone(make_instance):
    own = make_instance()
    for name in ("maild", "maild-submission"):
        own.start(name)
    for name in (ANN, BOB):
        own.account(name, PASSWORD)
    with Imap(own, BOB) as bob, Smtps(own, ANN) as ann:
        bob.ok("XSET RECEIPTS ALWAYS")
        ask(ann, "gone")
        ann.expect("QUIT", 221)
        own.ctl("user", "remove", ANN)
        bob.ok("SELECT INBOX")
        bob.ok("STORE 1 +FLAGS (\\Seen)")
        bob.ok("NOOP")
    assert "could not be sent" not in own.log_text()
