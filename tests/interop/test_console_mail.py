"""The console's mail, by lines: what comes, letters read and written, receipts, a line that is lost."""

import os
import re
import subprocess

import pytest

from device import NO
from instance import until
from mailhouse import MailHouse
from plain import Plain


@pytest.fixture(scope="module")
def house():
    own = MailHouse("ann", "bob")
    yield own
    own.close()


@pytest.fixture
def console(house):
    opened = []

    def begin(name, *parts):
        opened.append(Plain(house[name], *(parts or ("mail",))))
        return opened[-1]

    yield begin
    for own in opened:
        own.close()


def test_what_comes_is_told_and_read(house, console):
    ann = console("ann")
    house.send("bob", "ann", subject="while you wait", text="Hello ann.\nA line.\n")
    line = ann.expect("new mail from bob@quintet.test: while you wait")
    uid = re.search(r"/read (\d+)", line)[1]
    ann.say("/mail INBOX")
    assert re.search(rf"\b{uid} +NES? ", ann.expect("while you wait"))
    ann.say(f"/read {uid}")
    ann.expect("Security: encrypted, signed by bob@quintet.test")
    ann.expect("Subject:  while you wait")
    ann.expect("Hello ann.\nA line.\n")
    ann.say("/unread", "/mail INBOX")
    ann.expect("1 message marked")
    assert " N" in ann.expect("while you wait")
    ann.say("/read", "/status")
    ann.expect("mail: up")
    assert "N" not in house.find("ann", "while you wait")["flags"]


def test_writing_and_answering(house, console):
    house["ann"].file("plan b.txt", "the plan\n")
    ann = console("ann")
    ann.say("/write bob The plan", "Dear bob,", "", "//slash, and a dot:", "..", '/attach "plan b.txt"', ".")
    ann.expect("attached: plan b.txt")
    ann.expect("sent, encrypted")
    letter = house.read("bob", "The plan")
    assert letter["text"] == "Dear bob,\n\n/slash, and a dot:\n..\n"
    assert letter["encrypted"] and letter["signature_good"]
    bob = console("bob")
    bob.say(f"/read {house.uid('bob', 'The plan')}", "/save 1 copy.txt", "/reply", "Thanks.", "/send")
    bob.expect("[1] plan b.txt")
    bob.expect("saved copy.txt")
    bob.expect("> Dear bob,")
    bob.expect("sent, encrypted")
    assert (house["bob"].folder / "copy.txt").read_text() == "the plan\n"
    ann.expect("new mail from bob@quintet.test: Re: The plan")
    assert house.read("ann", "Re: The plan")["text"].endswith("> ..\n\nThanks.\n")
    assert "R" in house.find("bob", "The plan")["flags"]
    bob.say(f"/forward {house.uid('bob', 'The plan')} ann", ".")
    ann.expect("new mail from bob@quintet.test: Fwd: The plan")
    assert house.read("ann", "Fwd: The plan")["attachments"][0]["name"] == "plan b.txt"


def test_a_refused_letter_can_be_mended(house, console):
    ann = console("ann")
    ann.say("/write nobody to be mended", "text", ".")
    ann.expect("error: refused: ")
    ann.say("/outbox", "/to bob", ".")
    ann.expect("nothing waits to be sent")
    ann.expect("To: bob")
    ann.expect("sent, encrypted")
    assert house.read("bob", "to be mended")["text"] == "text\n"


def test_receipts(house, console):
    ann, bob = console("ann"), console("bob")
    ann.say("/write bob tell me", "/receipt", "Did you read it?", ".")
    ann.expect("a receipt is asked for")
    uid = re.search(r"/read (\d+)", bob.expect("ann@quintet.test: tell me") + bob.text[bob.seen:])[1]
    bob.say(f"/read {uid}")
    bob.expect("ann@quintet.test asks for a receipt. Send it? (yes or no)")
    bob.say("yes")
    bob.expect("the receipt is sent")
    ann.expect("bob@quintet.test has read: tell me")
    ann.say("/receipts", "/notices", "/people")
    assert re.search(r"^bob +read ", ann.expect("tell me"))
    ann.expect("bob@quintet.test: has read  tell me")
    ann.expect("bob                  online")
    bob.say(f"/read {uid}", "/status")
    bob.expect("mail: up")
    assert bob.text.count("asks for a receipt") == 1


def test_marks_moves_and_searches(house, console):
    house.send("bob", "ann", subject="a needle", text="the haystack\n")
    uid = house.uid("ann", "a needle")
    ann = console("ann")
    ann.say("/search haystack needle")
    assert str(uid) in ann.expect("a needle")
    ann.say(f"/flag {uid}", f"/move {uid} Kept", "/mail Kept")
    ann.expect("1 message marked")
    ann.expect("1 message moved to Kept")
    assert "F" in ann.expect("a needle").split()[1]
    ann.say("/delete", "/mail Trash", "/delete", "/mail")
    ann.expect("1 message moved to Trash")
    ann.expect("1 message deleted for good")
    ann.expect("Trash: 0 messages, 0 unread")
    ann.leave("/read 99999", status=NO)
    assert "there is no message 99999" in ann.text


def test_the_editor(house, console, tmp_path):
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/^Subject: .*/Subject: edited/; \\$a in the editor" "$1"\nsleep 1\n')
    editor.chmod(0o755)
    house["ann"].env["EDITOR"] = str(editor)
    ann = console("ann")
    ann.say("/write bob draft", "typed", "/edit", ".")
    house.send("bob", "ann", subject="meanwhile")
    ann.expect("sent, encrypted")
    assert house.read("bob", "edited")["text"] == "typed\nin the editor\n"
    assert "new mail from bob@quintet.test: meanwhile" in ann.text or ann.expect("meanwhile")


def test_a_lost_line_comes_back(house, console):
    ann = console("ann")
    for name in ("maild", "maild-submission"):
        house.services[name].stop()
    ann.expect("error: mail is lost")
    ann.say("/read 1", "/write bob from the dark", "Written without a line.", ".")
    ann.expect("error: /read: no mail now")
    ann.expect("it waits in the outbox")
    house.restart("maild", "maild-submission")
    ann.say("/retry")
    ann.expect("mail: up again")
    ann.expect("1 letter of the outbox sent")
    until(lambda: any(row["subject"] == "from the dark" for row in house.json("bob", "list")), what="the letter")
    house.send("bob", "ann", subject="and on with it")
    ann.expect("new mail from bob@quintet.test: and on with it")


def test_nothing_written_is_lost(house, console):
    ann = console("ann")
    err = ann.leave("/write bob never sent", "but written", status=NO)
    path = re.search(r"it is kept in (/tmp/quintet-mail-\S+)", err)[1]
    with open(path, encoding="utf-8") as kept:
        assert kept.read() == "To: bob\nCc: \nSubject: never sent\n\nbut written\n"
    os.unlink(path)


def test_nothing_in_mail_steers_the_terminal(house, console):
    house.send("bob", "ann", subject="esc \x1b]0;x\x07 and \u202e back", text="\x1b[2J\x9b31m red \u202e\n")
    done = subprocess.run(house["ann"].argv(["--plain"]), input=b"/mail INBOX\n/read\n", capture_output=True,
                          env=house["ann"].env, cwd=house["ann"].folder, timeout=60)
    assert b" red " in done.stdout
    for bad in (b"\x1b", b"\x07", b"\xc2\x9b", "\u202e".encode()):
        assert bad not in done.stdout
