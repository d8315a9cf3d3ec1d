"""quintet chat: for scripts, at a terminal, and when the line is lost."""

import itertools
import json
import os
import signal
import subprocess
import time

import pytest

from device import INTERRUPTED, NO, OK, QUINTET, USAGE, Device
from instance import Instance, until


@pytest.fixture(scope="module")
def house():
    """An instance of its own: sessions are killed here, and nobody is slowed down."""
    own = Instance()
    for name in ("cad-signer", "cad", "chatd"):
        own.start(name)
    own.ctl("set", "chat_flood_rate", "0")
    yield own
    own.close()


@pytest.fixture(scope="module")
def people(house):
    made = {}
    for name in ("ann", "bob", "cid", "eve"):
        house.account(name, f"secret of {name}")
        made[name] = Device()
        made[name].enroll(house, name, f"secret of {name}")
    yield made
    for device in made.values():
        device.close()


@pytest.fixture
def channel(numbers=itertools.count()):
    """A channel of the test's own; short, so that it fits a prompt."""
    return f"#room{next(numbers)}"


@pytest.fixture
def terminals():
    opened = []

    def begin(device, *args):
        opened.append(device.terminal("chat", *args))
        return opened[-1]

    yield begin
    for terminal in opened:
        terminal.close()


def sessions(house):
    return next(s for s in house.services if s.name == "chatd").sessions()


def cut_all(house):
    """Every session of chatd dies at once."""
    killed = sessions(house)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    return killed


def texts(device, target, *more):
    return [m["text"] for m in device.json("chat", "history", target, *more)]


def starts(device, *args, **more):
    more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(device.argv(["chat", *args]), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, env=device.env, cwd=device.folder, **more)


# -- scripts -------------------------------------------------------------------------------------


def test_send_and_history(people, channel):
    ann, bob = people["ann"], people["bob"]
    assert ann.out("chat", "send", "--join", channel, "hello", "-n", "world") == ""
    bob.run("chat", "send", "--join", "--notice", channel, input="one\n\ntwo\n")
    assert json.loads(bob.out("chat", "send", "--json", channel, "three")) == {"target": channel, "sent": 1}
    said = ann.json("chat", "history", channel)
    assert [(m["from"], m["account"], m["kind"], m["text"], m["own"]) for m in said] == [
        ("ann", "ann", "message", "hello -n world", True), ("bob", "bob", "notice", "one", False),
        ("bob", "bob", "notice", "two", False), ("bob", "bob", "message", "three", False)]
    assert all(m["target"] == channel and m["time"].endswith("Z") and m["msgid"] for m in said)
    plain = ann.out("chat", "history", channel, "-n", "2").splitlines()
    assert [line.split(" ", 2)[2] for line in plain] == ["-bob- two", "<bob> three"]
    since = texts(ann, channel, "--since", said[3]["time"])
    assert since[-1] == "three" and "hello -n world" not in since
    assert texts(ann, channel, "--since", "1h", "-n", "1") == ["hello -n world"]
    kinds = [m["kind"] for m in ann.json("chat", "history", channel, "--events")]
    assert kinds.count("join") >= 2 and kinds.count("message") == 2


def test_history_is_paged(people, channel):
    ann = people["ann"]
    lines = [f"line {i}" for i in range(1500)]
    ann.run("chat", "send", "--join", channel, input="\n".join(lines))
    assert texts(ann, channel, "-n", "100000") == lines
    assert texts(ann, channel, "-n", "1200") == lines[-1200:]
    assert texts(ann, channel, "--since", "1d") == lines
    assert len(texts(ann, channel)) == 50


def test_long_and_many_lines(people, channel):
    ann = people["ann"]
    long = " ".join(f"word{i}" for i in range(300))
    ann.run("chat", "send", "--join", channel, long)
    ann.run("chat", "send", channel, "first\nsecond")
    assert texts(ann, channel) == [long, "first\nsecond"]


def test_refusals_have_their_exit_codes(house, people, channel):
    ann, bob = people["ann"], people["bob"]
    ann.run("chat", "send", "--join", channel, "mine")
    assert "not sent" not in bob.err("chat", "send", channel, "let me in", status=NO)
    bob.run("chat", "history", channel, status=NO)
    bob.run("chat", "send", "nobody-here", "psst", status=NO)
    bob.run("chat", "send", "bad name", "psst", status=USAGE)
    bob.run("chat", "send", status=USAGE)
    bob.run("chat", "wave", status=USAGE)
    bob.run("chat", "history", channel, "-n", "0", status=USAGE)
    bob.run("chat", "history", channel, "--since", "yesterday", status=USAGE)
    wrong = bob.file("wrong", "not the secret\n")
    assert "does not let bob in" in bob.err("chat", "--user", "bob", "-P", wrong, "history", channel, status=NO)
    right = bob.file("right", "secret of bob\n")
    bob.run("chat", "--user", "bob", "-P", right, "send", "ann", "by password")
    assert texts(ann, "bob")[-1] == "by password"


def test_a_revoked_certificate_is_told(house, channel):
    house.account("rev", "secret of rev")
    device = Device()
    try:
        device.enroll(house, "rev", "secret of rev")
        device.run("chat", "send", "--join", channel, "still here")
        serial = device.json("ca", "list")[0]["serial"]
        device.run("ca", "revoke", serial)
        err = device.err("chat", "send", channel, "no more", status=NO)
        assert "by this certificate" in err and "revoked" in err
    finally:
        device.close()


def test_tail_follows(house, people, channel):
    ann, bob = people["ann"], people["bob"]
    ann.run("chat", "send", "--join", channel, input="old\nnewer\n")
    process = starts(bob, "tail", "--json", "-n", "1", channel, "cid")
    try:
        assert json.loads(process.stdout.readline())["text"] == "newer"
        ann.run("chat", "send", channel, "live")
        people["cid"].run("chat", "send", "bob", "in private")
        assert [(m["target"], m["text"]) for m in (json.loads(process.stdout.readline()) for _ in "ab")] == [
            (channel, "live"), ("cid", "in private")]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == INTERRUPTED
    finally:
        process.kill()
        process.communicate()


def test_nothing_is_lost_or_told_twice(house, people, channel):
    """A writer, a reader, and every process of the server killed again and again."""
    ann, bob = people["ann"], people["bob"]
    ann.run("chat", "send", "--join", channel, "begin")
    reader = starts(bob, "tail", channel, "-n", "1", "--json")
    writer = starts(ann, "send", channel, stdin=subprocess.PIPE)
    try:
        assert json.loads(reader.stdout.readline())["text"] == "begin"
        for i in range(300):
            writer.stdin.write(f"{i}\n")
            writer.stdin.flush()
            if i % 75 == 50:
                until(lambda: len(sessions(house)) >= 2, what="both sessions")
                cut_all(house)
            time.sleep(0.002)
        writer.stdin.close()
        assert writer.wait(60) == OK, writer.stderr.read()
        heard = [json.loads(reader.stdout.readline())["text"] for _ in range(300)]
        assert heard == [str(i) for i in range(300)]
        ann.run("chat", "send", channel, "end")
        assert json.loads(reader.stdout.readline())["text"] == "end"
    finally:
        reader.kill()
        reader.communicate()
        writer.kill()
        writer.wait()
    assert texts(bob, channel, "-n", "400") == ["begin", *map(str, range(300)), "end"]


def test_commands_from_standard_input(people, channel):
    ann, bob = people["ann"], people["bob"]
    out = ann.out("chat", input=f"/join {channel}\n/topic what it is about\n/msg {channel} said\n"
                                f"/me waves\n//slash\n/names\n/whois ann\n")
    for wanted in ("ann has set the topic: what it is about", "<ann> said", "* ann waves", "<ann> /slash",
                   f"{channel}: @ann", "ann is logged in as ann"):
        assert wanted in out, out
    assert texts(ann, channel) == ["said", "waves", "/slash"]
    # The first line waits for the channel of the command line.
    assert "<bob> at once" in bob.out("chat", channel, input="at once\n")
    assert texts(ann, channel)[-1] == "at once"
    assert "there is no command /wave" in bob.out("chat", input="/wave\n", status=NO)
    assert "nobody is in this window" in bob.out("chat", input="hello?\n", status=NO)


# -- at a terminal -------------------------------------------------------------------------------


def test_two_people_talk(people, channel, terminals):
    ann, bob = terminals(people["ann"], channel), terminals(people["bob"], channel)
    for terminal in (ann, bob):
        terminal.expect("/help tells the commands")
        terminal.expect(f"{channel}> ")
    ann.expect("bob")
    ann.send("bo\thow are you?\r")
    bob.expect("how are you?")
    assert "bob: how are you?" in bob.text
    bob.send("/msg ann psst\r")
    ann.expect("psst")
    ann.expect("bob:")
    ann.send("/query bob\r")
    ann.expect("bob> ")
    ann.send("yes?\r")
    bob.expect("yes?")
    ann.send(f"/win {channel}\r/names\r")
    ann.expect(f"-- {channel}: ")
    ann.send("/wi\t\t")
    ann.expect("/win ")
    ann.send("\x15\x03")
    ann.expect("Ctrl-C once more")
    ann.send("\x04")
    assert ann.status() == OK
    bob.send("\x03\x03")
    assert bob.status() == INTERRUPTED


def test_the_line_comes_back_under_a_person(house, people, channel, terminals):
    cid = people["cid"]
    cid.run("chat", "send", "--join", channel, "before")
    ann = terminals(people["ann"], channel)
    ann.expect("before")
    ann.expect(f"{channel}> ")
    ann.send("half a ")
    ann.expect("half a ")
    cut_all(house)
    ann.expect("the line is lost")
    ann.send("line\r")
    ann.expect("messages wait")
    cid.run("chat", "send", channel, "meanwhile")
    ann.expect("the line is back")
    ann.expect("half a line")
    ann.send("/quit\r")
    assert ann.status() == OK
    assert ann.text.count("> meanwhile") == 1 and ann.text.count("> before") == 1
    assert ann.text.count("> half a line") <= 1 + ann.text.count("\x1b[K")
    assert texts(cid, channel) == ["before", "meanwhile", "half a line"]


def test_private_messages_wait_for_their_reader(people, terminals):
    people["cid"].run("chat", "send", "eve", "read me later")
    eve = terminals(people["eve"])
    eve.expect("cid:")
    eve.send("/win cid\r")
    eve.expect("---- new ----")
    eve.expect("read me later")
    eve.send("/quit\r")
    assert eve.status() == OK
    again = terminals(people["eve"])
    again.expect("/help tells the commands")
    again.send("/unread\r")
    again.expect("unread")
    again.send("/quit\r")
    assert again.status() == OK
    assert "cid:" not in again.text


def test_a_group_is_for_those_who_are_invited(people, channel, terminals):
    ann, bob = terminals(people["ann"]), terminals(people["bob"])
    for terminal in (ann, bob):
        terminal.expect("/help tells the commands")
    ann.send(f"/group {channel[1:]} bob\r")
    bob.expect(f"ann invites bob to {channel}")
    ann.expect(f"{channel}> ")
    bob.send(f"/join {channel}\r")
    bob.expect(f"{channel}> ")
    bob.send("here\r")
    ann.expect("here")
    people["cid"].run("chat", "send", "--join", channel, "me too", status=NO)
    ann.send("oops\r")
    ann.expect("\x1b[0m> oops")  # said by the server, which has given it its id
    bob.expect("oops")
    ann.send("/redact\r")
    bob.expect("was taken back")
    assert texts(people["bob"], channel).count("oops") == 0


def test_nothing_of_others_moves_the_terminal(people, channel, terminals):
    evil = "red \x1b[31m bell \x07 \x9b2J \u202eback \x0304colour"
    bob = terminals(people["bob"], channel)
    bob.expect(f"{channel}> ")
    people["ann"].run("chat", "send", "--join", channel, evil)
    bob.expect("colour")
    shown = bob.text[bob.text.index("> red"):]
    assert "^[[31m bell ^G" in shown and "<U+202E>back colour" in shown
    for byte in ("\x1b[31m", "\x07", "\x9b", "\u202e"):
        assert byte not in shown.split("colour")[0]
    out = people["bob"].out("chat", "history", channel)
    assert "\x1b" not in out and "\x07" not in out
    bob.send("/quit\r")
    assert bob.status() == OK


def test_older_is_shown_on_demand(people, channel, terminals):
    ann = people["ann"]
    ann.run("chat", "send", "--join", channel, input="\n".join(f"number {i}." for i in range(120)))
    bob = terminals(people["bob"], channel)
    bob.expect("number 119.")
    bob.expect(f"{channel}> ")
    assert "number 60." not in bob.text
    bob.send("\x1b[5~")
    bob.expect("number 60.")
    bob.expect("end of older")
    bob.send("/history 100\r")
    bob.expect("number 0.")
    bob.expect("end of older")
    for i in range(120):
        assert bob.text.count(f"> number {i}.") == 1, i
    bob.send("/quit\r")
    assert bob.status() == OK


def test_call_on_the_command_line(people, terminals):
    bob = terminals(people["bob"])
    bob.expect("/help tells the commands")
    ann = terminals(people["ann"], "call", "bob")
    bob.expect("ann calls")
    bob.send("y\r")
    ann.expect("=bob> ")
    ann.send("only for you\r")
    bob.expect("only for you")
    bob.send("/hangup\r")
    assert ann.status() == OK
    bob.send("/quit\r")
    assert bob.status() == OK
    refused = terminals(people["ann"], "call", "bob")
    assert refused.status() == NO


def test_help_names_all_parts(people):
    text = people["ann"].out("chat", "--help")
    assert "send TARGET" in text and QUINTET.name in text
