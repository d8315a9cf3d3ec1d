"""FETCH: items of the row and the record, \\Seen, changes since, what is gone; bounds on large ones."""

import itertools
import re

import pytest

from imapfetch import fetch, fetched, with_parts
from imaps import Imap, PASSWORD, message, only

NAMES = (f"imfet{n}" for n in itertools.count())


@pytest.fixture
def ann(instance):
    name = next(NAMES)
    instance.account(name, PASSWORD)
    return name


@pytest.fixture
def client(instance, ann):
    with Imap(instance, ann) as c:
        for n in range(1, 6):
            c.append(message(f"subject {n}", f"m{n}"), options='"01-Feb-2026 10:11:12 +0130"')
        c.ok("SELECT INBOX")
        yield c


def test_items(client):
    size = len(message("subject 2", "m2"))
    items = fetch(client, 2, "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE EMAILID THREADID SAVEDATE MODSEQ)")
    assert items["UID"] == b"2" and items["RFC822.SIZE"] == str(size).encode()
    assert items["INTERNALDATE"] == b"01-Feb-2026 10:11:12 +0130"
    assert items["ENVELOPE"][1] == b"subject 2" and items["ENVELOPE"][9] == b"<m2@quintet.test>"
    assert items["ENVELOPE"][2] == [[b"Ann", None, b"ann", b"quintet.test"]]
    assert re.fullmatch(rb"M[0-9a-f]{32}", items["EMAILID"][0]) and items["THREADID"] is None
    assert re.fullmatch(rb"\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d \+0000", items["SAVEDATE"])
    assert int(items["MODSEQ"][0]) > 1


def test_macros(client):
    assert set(fetch(client, 1, "FAST")) == {"FLAGS", "INTERNALDATE", "RFC822.SIZE"}
    assert set(fetch(client, 1, "ALL")) == {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"}
    full = fetch(client, 1, "FULL")
    assert set(full) == {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"}
    assert full["BODY"][:2] == [b"text", b"plain"]


def test_one_body_has_one_email_id(client):
    client.append(message("subject 2", "m2"))
    client.ok("NOOP")
    assert fetch(client, 2, "EMAILID") == fetch(client, 6, "EMAILID") != fetch(client, 3, "EMAILID")


def test_sets(client):
    assert list(fetched(client.ok("FETCH 2:4 UID"))) == [2, 3, 4]
    assert list(fetched(client.ok("FETCH 4:2,1,* UID"))) == [1, 2, 3, 4, 5]
    assert list(fetched(client.ok("UID FETCH 4:* FLAGS"))) == [4, 5]
    assert fetched(client.ok("UID FETCH 5 FLAGS"))[5]["UID"] == b"5"
    assert fetched(client.ok("UID FETCH 100:200 FLAGS")) == {}
    assert list(fetched(client.ok("UID FETCH 100:* FLAGS"))) == [5]
    client.refused("FETCH 6 FLAGS", b"BAD")
    client.refused("FETCH 0 FLAGS", b"BAD")
    client.refused("FETCH 1", b"BAD")
    client.refused("FETCH 1 NONSENSE", b"BAD")
    client.refused("FETCH 1 FLAGS FLAGS", b"BAD")


def test_reading_sets_seen(client):
    for item in ("BODY[]", "BODY[TEXT]", "BODY[1]", "RFC822", "RFC822.TEXT", "BINARY[1]"):
        client.ok(r"STORE 1 -FLAGS.SILENT (\Seen)")
        assert rb"\Seen" in fetch(client, 1, item)["FLAGS"], item
        assert rb"\Seen" in fetch(client, 1, "FLAGS")["FLAGS"], item
        assert "FLAGS" not in fetch(client, 1, item), "they are told when they change"
    for item in ("BODY.PEEK[]", "BODY.PEEK[TEXT]", "RFC822.HEADER", "BINARY.PEEK[1]", "BINARY.SIZE[1]",
                 "ENVELOPE", "BODY", "BODYSTRUCTURE", "PREVIEW"):
        assert "FLAGS" not in fetch(client, 2, item), item
        assert rb"\Seen" not in fetch(client, 2, "FLAGS")["FLAGS"], item


def test_seen_is_told_to_others_and_not_twice(instance, ann, client):
    with Imap(instance, ann) as other:
        other.ok("SELECT INBOX")
        client.ok("FETCH 3 BODY[]")
        assert only(client.ok("NOOP"), "FETCH") == []
        told = fetched(other.ok("NOOP"))
        assert rb"\Seen" in told[3]["FLAGS"]


def test_examined_mailboxes_stay_unseen(client):
    client.ok("EXAMINE INBOX")
    assert "FLAGS" not in fetch(client, 1, "BODY[]")
    assert rb"\Seen" not in fetch(client, 1, "FLAGS")["FLAGS"]


def test_condstore(client):
    answers = client.ok("FETCH 1:2 (FLAGS MODSEQ)")
    assert answers[0].startswith(b"* OK [HIGHESTMODSEQ ")
    highest = max(int(items["MODSEQ"][0]) for items in fetched(client.ok("FETCH 1:* MODSEQ")).values())
    assert fetched(client.ok(f"FETCH 1:* FLAGS (CHANGEDSINCE {highest})")) == {}
    told = fetch(client, 4, "BODY[]")
    assert int(told["MODSEQ"][0]) > highest
    changed = fetched(client.ok(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {highest})"))
    assert list(changed) == [4] and changed[4]["MODSEQ"] == told["MODSEQ"] and changed[4]["UID"] == b"4"
    assert list(fetched(client.ok("FETCH 1:* FLAGS (CHANGEDSINCE 0)"))) == [1, 2, 3, 4, 5]
    client.refused("UID FETCH 1:* FLAGS (CHANGEDSINCE 1 VANISHED)", b"BAD")


def test_vanished(instance, ann, client):
    client.ok("ENABLE QRESYNC")
    since = max(int(i["MODSEQ"][0]) for i in fetched(client.ok("FETCH 1:* MODSEQ")).values())
    with Imap(instance, ann) as other:
        other.ok("SELECT INBOX")
        other.ok(r"STORE 2,4 +FLAGS (\Deleted)")
        other.ok("EXPUNGE")
    client.ok("NOOP")
    answers = client.ok(f"UID FETCH 1:100 (FLAGS) (CHANGEDSINCE {since} VANISHED)")
    assert answers[0] == b"* VANISHED (EARLIER) 2,4" and fetched(answers) == {}
    assert client.ok(f"UID FETCH 3:100 (FLAGS) (CHANGEDSINCE {since} VANISHED)")[0] == b"* VANISHED (EARLIER) 4"
    client.refused(f"FETCH 1:* (FLAGS) (CHANGEDSINCE {since} VANISHED)", b"BAD")
    client.refused("UID FETCH 1:* (FLAGS) (VANISHED)", b"BAD")


def test_partial(client):
    assert list(fetched(client.ok("UID FETCH 2:* FLAGS (PARTIAL 1:2)"))) == [2, 3]
    assert list(fetched(client.ok("UID FETCH 1:* FLAGS (PARTIAL -1:-2)"))) == [4, 5]
    assert list(fetched(client.ok("UID FETCH 1:* FLAGS (PARTIAL -9:-4)"))) == [1, 2]
    assert list(fetched(client.ok("UID FETCH 1:* FLAGS (PARTIAL 5:9)"))) == [5]
    assert fetched(client.ok("UID FETCH 1:* FLAGS (PARTIAL 6:9)")) == {}
    client.refused("FETCH 1:* FLAGS (PARTIAL 1:2)", b"BAD")


def test_expunged_elsewhere_is_still_answered(instance, ann, client):
    with Imap(instance, ann) as other:
        other.ok("SELECT INBOX")
        other.ok(r"STORE 2 +FLAGS (\Deleted)")
        other.ok("EXPUNGE")
        got = fetch(client, 2, "(FLAGS UID BODY[] ENVELOPE)")
        assert got["UID"] == b"2" and got["BODY[]"] == message("subject 2", "m2")
        assert {rb"\Deleted", rb"\Seen"} <= set(got["FLAGS"])
        assert fetch(client, 3, "UID")["UID"] == b"3", "sequence numbers stay till it is told"
    assert b"* 2 EXPUNGE" in client.ok("NOOP")
    assert fetch(client, 2, "UID")["UID"] == b"3"


def test_preview(client):
    client.append(with_parts(text="Grüße aus  der\n\n Ferne. " * 30))
    client.append(b"Subject: html\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n"
                  b"<html><head><style>p { color: red }</style></head><body><p>Sch\xf6n &amp; gut</p></body></html>\r\n")
    client.append(b"Subject: nothing\r\nContent-Type: image/png\r\n\r\nxyz\r\n")
    client.ok("NOOP")
    assert fetch(client, 1, "PREVIEW")["PREVIEW"] == b"Hello, Bob."
    text = fetch(client, 6, "(PREVIEW (LAZY))")["PREVIEW"].decode()
    assert text.startswith("Grüße aus der Ferne. Grüße") and 150 < len(text) <= 256
    assert fetch(client, 7, "PREVIEW")["PREVIEW"].decode() == "Schön & gut"
    assert fetch(client, 8, "PREVIEW")["PREVIEW"] == b""


def test_many_answers_come_whole(client):
    """Several views and slices: nothing is lost or told twice where they meet."""
    for _ in range(4):
        client.ok("COPY 1:* INBOX")
    client.ok("COPY 1:* INBOX")
    client.ok("NOOP")
    count = 5 * 2 ** 5
    bodies = fetched(client.ok("FETCH 1:* (UID BODY.PEEK[] BODYSTRUCTURE ENVELOPE)"))
    assert len(bodies) == count and {len(b["BODY[]"]) for b in bodies.values()} == {len(message("subject 1", "m1"))}
    seen = fetched(client.ok("FETCH 1:* BODY[]"))
    assert len(seen) == count and all(rb"\Seen" in items["FLAGS"] for items in seen.values())
