"""maild under people who have an account and mean no good."""

import base64
import os
import re
import time

import pytest

from imaps import Imap, PASSWORD, message
from smtps import Smtps, letter

MIB = 1 << 20


@pytest.fixture
def house(make_instance):
    """An instance of its own, with maild and two accounts."""
    own = make_instance()
    own.start("maild")
    own.start("maild-submission")
    for name in ("ann", "bob"):
        own.account(name, PASSWORD)
    return own


def big(size):
    """A message of about that size, like no other."""
    return message() + os.urandom(size // 2).hex().encode() + b"\r\n"


def test_what_is_expunged_takes_room_until_it_is_swept(house):
    house.ctl("set", "mail_quota", "4M")
    with Imap(house, "ann") as imap:
        imap.ok("SELECT INBOX")
        taken = 0
        while taken < 100 * MIB:
            data = big(3 * MIB)
            _, said = imap.ask(b"APPEND INBOX (\\Deleted) {%d+}\r\n" % len(data) + data)
            if not said.startswith(b"OK"):
                break
            taken += len(data)
            imap.ok("EXPUNGE")
        assert said.startswith(b"NO [OVERQUOTA]") and taken < 32 * MIB
        assert imap.ok('GETQUOTA ""') == [b'* QUOTA "" (STORAGE 0 4096)']
        # Neither deleting its mailbox nor sending helps.
        imap.ok("CREATE other")
        _, said = imap.ask(b"APPEND other {%d+}\r\n" % len(data) + data)
        assert said.startswith(b"NO [OVERQUOTA]")
    with Smtps(house, "bob") as smtp:
        assert smtp.message("bob", ["ann"], letter("bob", "hello")).code == 552
        assert smtp.message("bob", ["bob"], letter("bob", "hello")).code == 250


def test_deleted_mailboxes_take_room_until_they_are_swept(house):
    house.ctl("set", "mail_quota", "4M")
    with Imap(house, "ann") as imap:
        taken = 0
        while taken < 100 * MIB:
            data = big(3 * MIB)
            imap.ok("CREATE heap")
            _, said = imap.ask(b"APPEND heap {%d+}\r\n" % len(data) + data)
            if not said.startswith(b"OK"):
                break
            taken += len(data)
            imap.ok("DELETE heap")
        assert said.startswith(b"NO [OVERQUOTA]") and taken < 32 * MIB


def test_moving_takes_no_room(house):
    house.ctl("set", "mail_quota", "4M")
    with Imap(house, "ann") as imap:
        imap.append(big(3 * MIB))
        for _ in range(10):
            imap.ok("SELECT INBOX")
            imap.ok("MOVE 1 Archive")
            imap.ok("SELECT Archive")
            imap.ok("MOVE 1 INBOX")
        imap.append(big(MIB // 2))


LONG = message()[:-15] + b"Content-Transfer-Encoding: base64\r\n\r\n" + (base64.b64encode(b"x" * 57) + b"\r\n") * 200000


@pytest.mark.parametrize("command", [
    "SEARCH " + " ".join(f'NOT BODY "zz{n}"' for n in range(400)),
    "FETCH 1 (" + " ".join(["BINARY.SIZE[1]"] * 199) + ")",
])
def test_a_lock_ends_what_takes_long_in_one_message(house, command):
    with Imap(house, "ann") as imap:
        imap.ok("SELECT INBOX")
        imap.append(LONG)
        tag = imap.begin(command)
        time.sleep(0.5)
        house.ctl("user", "lock", "ann")
        begun = time.monotonic()
        with pytest.raises(EOFError):
            imap.finish(tag)
        assert time.monotonic() - begun < 8


def test_inbox_is_not_renamed_when_writers_would_wait_for_long(house):
    with Imap(house, "ann") as imap:
        imap.ok("SELECT INBOX")
        one = message()
        imap.ok(b"APPEND INBOX" + b"".join(b" {%d+}\r\n" % len(one) + one for _ in range(50)))
        for _ in range(10):
            imap.ok("COPY 1:* INBOX")
        imap.refused("RENAME INBOX old", b"NO [LIMIT]")
        (status,) = imap.ok("STATUS INBOX (MESSAGES)")
        assert b"MESSAGES 51200" in status
        imap.refused("STATUS old (MESSAGES)", b"NO [NONEXISTENT]")


def test_a_client_without_account_does_not_fill_the_log(house):
    with Imap(house) as imap:
        for _ in range(50):
            imap.ok('ID ("name" "flooder")')
    (log,) = [s.text() for s in house.services if s.name == "maild"]
    assert len(re.findall("flooder", log)) == 1


@pytest.mark.parametrize("header", [
    "From: <ann@quintet.test> <bob@quintet.test>",
    "From: bob@quintet.test <ann@quintet.test>",
    'From: "ann+ <bob@quintet.test>"@quintet.test',
    "From: ann@quintet.test\r\nResent-From: bob@quintet.test",
    "From: ann@quintet.test\r\nResent-Sender: Bob <bob@quintet.test>",
])
def test_nobody_looks_like_somebody_else(house, header):
    with Smtps(house, "ann") as smtp:
        got = smtp.message("ann", ["bob"], f"{header}\r\nSubject: x\r\n\r\nhello\r\n".encode())
    assert got.code == 550 and got.status in ("5.6.0", "5.7.1")


def test_a_lock_ends_the_sending_of_receipts(house):
    asks = (b"Return-Path: <ann@quintet.test>\r\nFrom: ann@quintet.test\r\nMessage-ID: <a@quintet.test>\r\n"
            b"Disposition-Notification-To: ann@quintet.test\r\n\r\nx\r\n")
    with Imap(house, "bob") as imap:
        imap.ok("XSET RECEIPTS ALWAYS")
        imap.ok("SELECT INBOX")
        for _ in range(30):
            imap.ok(b"APPEND INBOX" + b"".join(b" {%d+}\r\n" % len(asks) + asks for _ in range(60)))
        tag = imap.begin(r"STORE 1:* +FLAGS.SILENT (\Seen)")
        time.sleep(0.2)
        house.ctl("user", "lock", "bob")
        with pytest.raises(EOFError):
            imap.finish(tag)
    with Imap(house, "ann") as imap:
        (status,) = imap.ok("STATUS INBOX (MESSAGES)")
    assert int(re.search(rb"MESSAGES (\d+)", status).group(1)) < 1800
