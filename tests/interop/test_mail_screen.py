"""quintet mail on a terminal: what stands on the screen, key by key."""

import os
import re
import signal

import pytest

from device import INTERRUPTED, OK
from glass import Glass
from imaps import Imap, message
from instance import until
from mailhouse import MailHouse

EDITOR = """#!/bin/sh
# Fills in who it is to and what about, unless that is there, and writes a line at the end.
sed -i -e 's/^To: $/To: ann/' -e 's/^Subject: $/Subject: from the editor/' "$1"
echo 'typed text' >> "$1"
"""


@pytest.fixture(scope="module")
def house():
    own = MailHouse("ann", "bob")
    yield own
    own.close()


@pytest.fixture
def reader(house):
    """A new account with two letters, and the function that opens a view on it."""
    name = f"r{len(house.devices)}"
    house.join(name)
    house.send("ann", name, subject="first Grüße", text="Hello.\n" + "a long line of words " * 20 + "\n")
    house.send("bob", name, subject="second 日本語", text="The second.\n")
    editor = house[name].file("editor", EDITOR)
    editor.chmod(0o755)
    views = []

    def open_view(*args, rows=24, columns=80):
        device = house[name]
        env = {**device.env, "EDITOR": str(editor), "PAGER": "tee paged",
               "TERM": "xterm"}
        views.append(Glass(device.argv(("mail", *args)), env, device.folder, rows, columns))
        return views[-1]

    open_view.name = name
    yield open_view
    for view in views:
        view.close()


def leave(view, status=OK):
    view.send("q")
    assert view.status() == status
    # The terminal is as it was: out of the other screen, with a cursor.
    assert view.text.endswith("\x1b[?25h\x1b[?1049l")


def test_list_read_and_leave(house, reader):
    view = reader()
    view.shows(r"2 messages, 2 unread, 2 new notices \(N\)")
    lines = view.lines()
    assert re.match(r">NE +\d\d? \w{3} \d\d:\d\d ann@quintet\.test +first Grüße$", lines[1]), lines[1]
    assert re.match(r" NE +.* bob@quintet\.test +second 日本語$", lines[2]), lines[2]
    view.press("\r", r"^Security: encrypted, signed by ann@quintet\.test$")
    assert "Hello." in view.shown()
    # The lines are wrapped at words, and none is lost.
    assert re.sub(r"\s+", " ", view.shown()).count("a long line of words") == 20
    view.send("v")
    paged = house[reader.name].folder / "paged"
    until(lambda: paged.exists() and "Subject:  first Grüße\n" in paged.read_text(), what="the pager")
    view.press("u", "The second.")
    view.press("q", "2 messages, 0 unread")
    assert re.match(r">E ", view.lines()[2])
    view.press("k", r"^>E .*first")
    view.press("U", "1 unread")
    view.press("F", r"^>NFE .*first")
    leave(view)
    assert house.find(reader.name, "first Grüße")["flags"] == "NFE"


def test_what_is_new_shows_by_itself(house, reader):
    view = reader()
    view.shows("2 messages")
    house.send("ann", reader.name, subject="while you look")
    view.shows("while you look")
    view.shows("1 new message from ann@quintet.test")
    # In a message too, and it says so below.
    view.press("\r", "Security")
    house.send("bob", reader.name, subject="while you read")
    view.shows("1 new message from bob@quintet.test")
    view.press("q", "while you read")
    leave(view)


def test_a_receipt_appears(house, reader):
    house.send(reader.name, "bob", subject="tell me", more=("--receipt",))
    view = reader()
    view.shows("2 messages")
    house.json("bob", "read", "--yes", house.uid("bob", "tell me"))
    view.shows("bob@quintet.test has read your message")
    view.press("N", r"^new .*bob@quintet.test: has read +tell me")
    view.press("q", "3 messages, 3 unread$")
    view.press("R", r"bob +read .* tell me")
    view.press("q", "3 messages")
    view.press("b", r"Sent +1 message")
    view.press("jjjj\r", r"^>E .*bob@quintet.test +read +tell me")
    view.press("\r", r"^Receipts: bob read ")
    view.press("q", "^Sent of")
    leave(view)


def test_a_receipt_is_asked_for_once(house, reader):
    house.send("ann", reader.name, subject="please", more=("--receipt",))
    view = reader()
    view.press("\x1b[F", r"^>NE .*please")
    view.press("\r", "ann@quintet.test asks for a receipt. Send it?")
    view.press("y", "the receipt is sent")
    view.press("q", "1 new|messages")
    view.press("\r", "Security")
    assert "asks for" not in view.shown()
    view.press("q", "messages")
    leave(view)
    (row,) = [r for r in house.json("ann", "receipts") if r["subject"] == "please"]
    assert row["state"] == "read"


def test_write_and_reply(house, reader):
    view = reader()
    view.press("c", r"^Security: signed, and encrypted if everybody")
    assert "To:       ann" in view.shown() and "typed text" in view.shown()
    view.press("t", "^Receipt:  asked for")
    house[reader.name].file("note.txt", "a note\n")
    view.press("a", "^Attach the file:")
    view.press("note.txt\r", r"^Attached: note\.txt \(7\)")
    view.press("a", "^Attach the file:")
    view.press("no such\r", "no such: No such file")
    view.press("y", "sent, encrypted")
    letter = house.read("ann", "from the editor")
    assert letter["text"] == "typed text\n" and letter["attachments"][0]["name"] == "note.txt"
    view.press("\r", "Security")
    view.press("r", r"^Subject:  Re: first Grüße")
    view.press("y", "sent, encrypted")
    view.press("q", r"^>RE? *.*first")
    assert "typed text" in house.read("ann", "Re: first Grüße")["text"]
    view.press("f", "^To:")
    view.press("bob\r", r"^Subject:  Fwd: first Grüße")
    view.press("q", r"Throw this letter away\?")
    view.press("y", "thrown away")
    leave(view)


def test_a_refused_letter_can_be_mended(house, reader):
    view = reader()
    view.press("f", "^To:")
    view.press("nobody\r", "^To: +nobody")
    # What came encrypted goes on encrypted, unless one says otherwise.
    view.press("y", "it cannot be encrypted: nobody@quintet.test has no certificate")
    view.press("s", "^Security: signed$")
    view.press("y", "refused: nobody@quintet.test")
    assert house.mail(reader.name, "outbox") == "nothing waits to be sent\n"
    view.press("q", "away")
    view.press("y", "thrown away")
    leave(view)


def test_delete_move_search_mailboxes(house, reader):
    view = reader()
    view.press("/", "^Search:")
    view.press("second\r", r"1 with second")
    assert "first" not in view.shown()
    view.press("\x1b", r"^.NE .*first")
    view.press("\x1b[A", r"^>NE .*first")
    view.press("d", "moved to Trash")
    view.shows("1 message, 1 unread")
    view.press("m", "Move it to")
    view.press("c", "^Mailbox:")
    view.press("Kept/Here\r", "moved to Kept/Here")
    view.shows("no messages")
    view.press("b", r"Kept/Here +1 message +1 unread")
    view.press("q", "no messages")
    view.send("b")
    view.shows("Mailboxes")
    view.press("jjjjjjjjj\r", "^Trash of .*1 message")
    view.press("d", "Delete it for good")
    view.press("y", "deleted for good")
    leave(view)
    assert house.json(reader.name, "list", "-m", "Trash") == []


def test_attachments(house, reader):
    device = house["ann"]
    device.file("one.bin", bytes(range(256)))
    device.file("two.txt", "two\n")
    house.send("ann", reader.name, subject="with files", more=("-a", "one.bin", "-a", "two.txt"))
    view = reader()
    view.press("\x1b[F", r"^>NEA? .*with files")
    view.press("\r", r"^\[2\] two.txt")
    view.press("a", "Save which, 1 to 2, or all")
    view.press("\r", "^Into the folder:")
    view.press("\r", "saved 2 files")
    view.press("q", "messages")
    leave(view)
    assert (house[reader.name].folder / "one.bin").read_bytes() == bytes(range(256))


def test_a_bad_signature_stays_loud(house, reader):
    house.send("ann", reader.name, subject="altered", text="Pay 100.\n" * 60, more=("--sign",))
    raw = house.mail(reader.name, "export", "--raw", house.uid(reader.name, "altered"))
    with Imap(house.instance, reader.name, password=f"secret of {reader.name}") as imap:
        imap.append(raw.replace("\r\n", "\n").replace("\n", "\r\n").replace("Pay 100", "Pay 900").encode())
    view = reader()
    view.press("\x1b[F", "^>")
    view.press("\r", r"^\*\*\* SIGNATURE NOT GOOD: ")
    assert "Pay 900" in view.shown()
    for _ in range(2):
        view.send(" ")
    view.shows("of 6[0-9]")
    assert view.lines()[1].startswith("*** SIGNATURE NOT GOOD: ")
    view.press("q", "messages")
    leave(view)


def test_nothing_in_mail_steers_the_terminal(house, reader):
    evil = b"\x1b[2J\x1b]0;owned\x07"
    turned = "=?utf-8?b?4oCubGl2ZQ==?="  # U+202E and "live"
    with Imap(house.instance, reader.name, password=f"secret of {reader.name}") as imap:
        text = message("evil", "evil").replace(b"Subject: evil", b"Subject: ev" + evil + turned.encode())
        imap.append(text.replace(b"Hello, Bob.", b"Hello, " + evil + "\u202eBob\x9b5n.".encode()))
    view = reader()
    view.press("\x1b[F", r"^>N .*ev")
    view.press("\r", "Hello, ")
    view.press("q", "messages")
    leave(view)
    # The glass refuses sequences that are not the client's own; and no text is turned.
    assert "\u202e" not in view.text and "\x07" not in view.text and "]0;owned\x07" not in view.text


def test_other_sizes(house, reader):
    view = reader(rows=30, columns=120)
    view.shows("2 messages")
    assert len(view.lines()[28]) <= 120
    view.resize(10, 40)
    view.shows("2 messages")
    assert re.match(r">NE", view.lines()[1])
    view.press("\r", "Security")
    for _ in range(3):
        view.send(" ")
    view.resize(24, 80)
    view.shows("a long line of words")
    view.press("q", "2 messages")
    leave(view)


def test_many_messages_scroll(house, reader):
    with Imap(house.instance, reader.name, password=f"secret of {reader.name}") as imap:
        for i in range(60):
            imap.append(message(f"number {i}", f"n{i}"))
    view = reader()
    view.press("\x1b[F", r"^>N .*number 59")
    view.press("\x1b[5~", r"^>N .*number 38")
    view.press("\x1b[H", r"^>NE .*first")
    view.press("   ", r"^>N .*number 5[0-9]")
    view.send("j" * 200)
    view.shows(r"^>N .*number 59")
    leave(view)


def test_the_line_comes_back(house, reader):
    view = reader()
    view.shows("2 messages")
    house.services["maild"].stop()
    view.shows("no line")
    view.press("?", "^Help")
    view.press("q", "no line")
    house.services["maild"] = house.instance.start("maild")
    view.shows("2 messages")
    view.shows("the line is back")
    view.press("\r", "Security")
    view.press("q", "2 messages")
    leave(view)


def test_signals_and_help(house, reader):
    view = reader()
    view.press("?", r"^In the list of messages")
    view.press("q", "2 messages")
    view.press("P", r"^ann +")
    view.press("q", "2 messages")
    os.kill(view.pid, signal.SIGTERM)
    assert view.status() == INTERRUPTED
    assert view.text.endswith("\x1b[?25h\x1b[?1049l")
    until(lambda: view.pid == 0, what="its end")
