"""What `quintet mail` asks for and has no standard: receipts, notices, people, settings."""

import itertools
import re

import pytest

from imaps import Imap, PASSWORD, only
from smtps import Smtps, letter

NAMES = (f"imq{n}" for n in itertools.count())


@pytest.fixture
def two(instance):
    names = next(NAMES), next(NAMES)
    for name in names:
        instance.account(name, PASSWORD)
    return names


def pairs(answer):
    """The words of "* X (A b C d)" as a dictionary; strings without their quotes."""
    words = re.findall(rb'"[^"]*"|[^ ]+', re.search(rb"\((.*)\)", answer).group(1))
    return {a.decode(): b.strip(b'"').decode() for a, b in zip(words[::2], words[1::2])}


def send(instance, sender, recipient, msgid, asks=True):
    more = f"Disposition-Notification-To: <{sender}@quintet.test>\r\n" if asks else ""
    with Smtps(instance, sender) as s:
        assert s.message(sender, [recipient], letter(sender, "a question", msgid, more=more)).code == 250


def test_settings(instance, two):
    with Imap(instance, two[0]) as c:
        assert c.ok("XSET") == [b"* XSETTINGS (RECEIPTS ASK PRESENCE SHOWN)"]
        assert c.ok("XSET RECEIPTS NEVER PRESENCE HIDDEN") == [b"* XSETTINGS (RECEIPTS NEVER PRESENCE HIDDEN)"]
        assert c.ok("XSET") == [b"* XSETTINGS (RECEIPTS NEVER PRESENCE HIDDEN)"]
        c.refused("XSET RECEIPTS PERHAPS", b"BAD")
        c.refused("XSET COLOUR RED", b"BAD")
        assert c.ok("XSET RECEIPTS ASK") == [b"* XSETTINGS (RECEIPTS ASK PRESENCE HIDDEN)"]


def test_receipts_from_sent_to_read(instance, two):
    ann, bob = two
    send(instance, ann, bob, "question")
    with Imap(instance, ann) as a, Imap(instance, bob) as b:
        (said,) = a.ok("XRECEIPTS")
        sent = pairs(said)
        assert sent["MSGID"] == "<question@quintet.test>" and sent["RECIPIENT"] == bob
        assert sent["ASKED"] == "T" and sent["READ"] == "NIL" and sent["DELIVERED"].endswith("Z")
        b.ok("XSET RECEIPTS ALWAYS")
        send(instance, ann, bob, "second")
        b.ok("SELECT INBOX")
        b.ok("FETCH 2 BODY[]")
        (said,) = a.ok('XRECEIPTS "<second@quintet.test>"')
        assert pairs(said)["READ"].endswith("Z") and pairs(said)["AUTOMATIC"] == "T"
        assert rb"$MDNSent" in b.ok("FETCH 2 FLAGS")[-1]
        assert a.ok('XRECEIPTS "<other@x>"') == []


def test_notices(instance, two):
    ann, bob = two
    send(instance, ann, bob, "news")
    with Imap(instance, bob) as b:
        count, notice = b.ok("XNOTICES")
        assert count == b"* XNOTICES (NEW 1 TOTAL 1)"
        told = pairs(notice)
        assert told["KIND"] == "NEW" and told["SHOWN"] == "NIL" and told["MAILBOX"] == "INBOX"
        assert told["UID"] == "1" and told["SUBJECT"] == "a question" and ann in told["FROM"]
        b.ok(f"XNOTICES SHOWN {told['ID']}")
        count, notice = b.ok("XNOTICES")
        assert count == b"* XNOTICES (NEW 0 TOTAL 1)" and pairs(notice)["SHOWN"] == "T"
        b.refused("XNOTICES SHOWN", b"BAD")


def test_people(instance, two):
    ann, bob = two
    with Imap(instance, ann) as a, Imap(instance, bob) as b:
        b.ok("SELECT INBOX")
        tag, _ = b.idle()
        people = {p["NAME"]: p for p in map(pairs, only(a.ok("XPEOPLE"), "XPERSON"))}
        assert people[bob]["ONLINE"] == "T" and people[ann]["HIDDEN"] == "NIL"
        b.done(tag)
        b.ok("XSET PRESENCE HIDDEN")
        people = {p["NAME"]: p for p in map(pairs, only(a.ok("XPEOPLE"), "XPERSON"))}
        assert people[bob] == {"NAME": bob, "ONLINE": "NIL", "SEEN": "NIL", "HIDDEN": "T"}
