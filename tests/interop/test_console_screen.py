"""The console's screen, in a simulated terminal, with all five services behind it."""

import os
import re
import signal
import unicodedata

import pytest

from device import INTERRUPTED, OK, Device
from glass import CursesGlass
from instance import Instance, until
from ircs import Irc

UP = r"chat: ann.*\| mail: .*\| files: "
DOWN, UNTIL_UP, F1, PAGE_UP = "\x1b[B", "\x1b[A", "\x1bOP", "\x1b[5~"
MIB = 1 << 20


@pytest.fixture(scope="module")
def house():
    """All services, and two people with a device each: house.ann, house.bob."""
    own = Instance()
    own.running = {}
    for name in ("cad-signer", "cad", "cad-plain", "daytimed", "ftpd", "chatd", "maild", "maild-submission"):
        own.running[name] = own.start(name)
    for name in ("ann", "bob"):
        own.account(name, f"secret of {name}")
        device = Device()
        device.enroll(own, name, f"secret of {name}")
        setattr(own, name, device)
    yield own
    for device in (own.ann, own.bob):
        device.close()
    own.close()


@pytest.fixture
def screens(house):
    """Opens the console of a person; all are closed at the end."""
    made = []

    def open_screen(device=house.ann, rows=24, columns=80, term="xterm-256color", env=None, argv=None):
        # What a sanitizer says of stacks that are switched is not for the screen.
        said = device.env["ASAN_OPTIONS"] + f":log_path={device.folder}/sanitizer"
        whole = {**device.env, "TERM": term, "ASAN_OPTIONS": said, **(env or {})}
        made.append(CursesGlass(argv or device.argv(()), whole, device.folder, rows, columns))
        return made[-1]

    yield open_screen
    for screen in made:
        screen.close()
    for device in (house.ann, house.bob):
        for said in device.folder.glob("sanitizer.*"):
            assert "ERROR" not in said.read_text(), said.read_text()


def leave(screen, status=OK):
    screen.send("\x05\x15\x04")
    assert screen.status() == status
    # The terminal is as it was: out of the other screen, cursor and echo on, pastes as typed.
    screen.feed()
    assert not screen.alternate and screen.echoes()
    assert screen.text.rindex("\x1b[?2004l") > screen.text.rindex("\x1b[?2004h")


def columns_of(row):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in row)


def join(screen, name):
    """In a channel, and looking at it."""
    screen.press(f"/join {name}\r", rf"^.\d+ {name} ")
    return screen.press(f"/go {name}\r", rf"^>\d+ {name} ")


def gone(screen, text):
    until(lambda: (screen.read(0.1), text not in screen.shown())[1], what=f"the end of {text}")


def up(screen):
    screen.shows(UP)
    return screen


def test_everything_is_on_one_screen(screens):
    screen = up(screens(columns=120))
    lines = screen.lines()
    assert re.match(r" 0 house .* F1 help$", lines[0])
    assert lines[1].startswith(">0 house ") and lines[-1].startswith("[house]")
    screen.shows(r"^ ann at localhost \| .* clock: (?:[+-][0-9.]+ ms|within \d+ s).* \| cert: \d+ days")
    screen.shows(r"^Mail +│")
    leave(screen)


def test_chat_with_marks(house, screens):
    ann, bob = up(screens()), screens(house.bob)
    bob.shows("chat: bob")
    join(ann, "#lobby")
    join(bob, "#lobby")
    ann.press("Grüße, 日本語\r", r"│\d\d:\d\d  <ann> Grüße, 日本語$")
    bob.shows(r"│\d\d:\d\d  <ann> Grüße, 日本語$")
    # Unread, and called: numbers and a mark, whatever the colours.
    ann.press("\x1b0", r"^>0 house")
    bob.send("one\r")
    ann.shows(r"^ \d+ #lobby +1│")
    bob.send("ann: two\r")
    ann.shows(r"^ \d+ #lobby +2!│")
    ann.press("\x1ba", r"^>\d+ #lobby +│")
    ann.shows(r"│\d\d:\d\d! <bob> ann: two$")
    # Lines typed before, words, and what is typed stays when something comes.
    ann.press(UNTIL_UP, r"^\[#lobby\] Grüße, 日本語$")
    ann.press("\x17abc", r"^\[#lobby\] Grüße, abc$")
    ann.press("\x1b[D\x1b[Dx", r"^\[#lobby\] Grüße, axbc$")
    assert (ann.row, ann.column) == (23, len("[#lobby] Grüße, ax"))
    bob.send("three\r")
    ann.shows("<bob> three")
    ann.press("\x05\x15/quer\t", r"^\[#lobby\] /query$")
    assert ann.column == len("[#lobby] /query ")
    leave(ann)
    leave(bob)


def test_nothing_said_steers_the_terminal(house, screens):
    ann = up(screens())
    with Irc(house, "bob", account=("bob", "secret of bob")) as other:
        other.send("PRIVMSG ann :e\u0301vil \x1b[2J\x1b]0;owned\x07 \u202eeht \x9b5n end")
        ann.shows(r"^ \d+ bob +1!│")
        ann.press("/go bob\r", "e\u0301vil.* end$")
    assert "]0;owned\x07" not in ann.text and "\u202e" not in ann.text
    leave(ann)


def test_scrolling_and_pastes(house, screens):
    ann = up(screens())
    bob = screens(house.bob)
    bob.shows("chat: bob")
    join(ann, "#long")
    join(bob, "#long")
    ann.press("\x1b[200~" + "".join(f"line {i}\r" for i in range(40)) + "\x1b[201~",
              r"^\? \(y/n\) Send these 40 pasted lines to #long\? They begin: line 0$")
    ann.press("y", r"<ann> line 39$")
    ann.press(PAGE_UP, r"^ .*│-- more below, of \d+ lines")
    gone(ann, "line 39")
    bob.press("while you read\r", "<bob> while you read")
    ann.press("\x1b[F", r"<bob> while you read$")
    ann.press("\x1b[H", r"<ann> line 0$")
    gone(ann, "while you read")
    ann.press("\x1b", r"<bob> while you read$")
    # Of one line nothing is asked; of several, nothing is a command.
    ann.press("\x1b[200~one line\x1b[201~", r"^\[#long\] one line$")
    ann.press("\x15\x1b[200~/quit\r//two\r\x1b[201~", r"^\? \(y/n\) Send these 2 pasted lines")
    ann.press("y", r"<ann> //two$")
    ann.shows("<ann> /quit$")
    leave(ann)
    # What was said long ago is fetched when it is scrolled to.
    bob.press("\x1b[200~" + "".join(f"more {i}\r" for i in range(30)) + "\x1b[201~", "30 pasted lines")
    bob.press("y", r"<bob> more 29$")
    ann = up(screens())
    ann.press("/go #long\r", r"<bob> more 29$")
    ann.send("\x1b[H")
    until(lambda: (ann.send(PAGE_UP), ann.read(0.2), re.search("line 0$", ann.shown(), re.M))[2], what="the oldest")
    leave(ann)


def test_mail_arrives_marked(house, screens):
    ann = up(screens(columns=120))
    house.bob.out("mail", "send", "-s", "the first", "ann", input="Hello Ann.\n" * 40)
    number = ann.shows(r"^ (\d+) INBOX +1!?│").group(1)
    ann.press("\x1b" + number, r"│> .*bob\S* +the first$")
    house.bob.out("mail", "send", "-s", "the second", "ann", input="More.\n")
    ann.shows(r"│> .* the second$")
    ann.press(UNTIL_UP, r"│> .* the first$")
    ann.press("\r", r"│Hello Ann\.$")
    ann.shows(r"│-- more below")
    ann.press("/close\r", r"^>0 house|^>\d+ INBOX")
    # Keys on the selected message are commands.
    ann.press("\x1b" + number, r"│> .* the first$")
    ann.press("f", r"│> +\d+ \w*F.* the first$")
    ann.press("r", r"│Subject:  Re: the first$")
    ann.press("Thank you.\r", r"│Thank you\.$")
    ann.press("/send\r", "sent, encrypted")
    ann.press("\x1b" + number, r"│> .* the first$")
    ann.send("d")
    gone(ann, "the first")
    assert "Thank you." in house.bob.out("mail", "read", "1")
    leave(ann)


def test_a_question_stands_out(house, screens):
    ann, bob = up(screens()), screens(house.bob)
    bob.shows("chat: bob")
    bob.send("/call ann\r")
    ann.shows(r"^\? \(y/n\) bob calls: take the call\?")
    assert "7" in ann.looks_at(r"^\? ")
    # What is typed goes on, and is no answer.
    ann.press("yes", r"^\[house\] yes$")
    ann.press("\x15", r"^\[house\]$")
    until(lambda: (ann.send("\x15y"), ann.read(0.3), "? (y/n)" not in ann.shown())[2], what="the answer")
    ann.shows(r"^.\d+ =?bob ")
    bob.press("/go =ann\r", "=ann")
    bob.press("from device to device\r", "<bob> from device to device")
    leave(bob)
    leave(ann)


def is_whole(screen):
    """Everything is drawn for this size: the list with a straight line beside it, or none of it."""
    screen.read(0.2)
    lines = screen.lines()
    edges = {columns_of(line[:line.index("│")]) for line in lines if "│" in line}
    assert all(columns_of(line) <= screen.columns for line in lines)
    listed = sum("│" in line for line in lines)
    small = screen.columns < 60
    return (re.search("日本語 end$", screen.shown(), re.M) and lines[-1].startswith("[#wide]")
            and (not edges and "list of places" in screen.shown() if small
                 else len(edges) == 1 and listed >= screen.rows - 4))


def test_sizes(screens):
    ann = up(screens())
    join(ann, "#wide")
    ann.press("日本語 " * 30 + "end\r", r"日本語 end$")
    for rows, columns in ((40, 120), (10, 40), (24, 80)):
        ann.resize(rows, columns)
        until(lambda: is_whole(ann), what=f"{columns} columns")
        if columns < 60:
            ann.press("\x0e", r"^ \d+ \S+")
            ann.press("\x10", "日本語 end$")
    for rows, columns in ((1, 1), (2, 5), (3, 200), (1, 80)):
        ann.resize(rows, columns)
        ann.read(0.2)
        ann.lines()
    ann.press("small", r"^\[#wide\] small$")
    ann.resize(24, 80)
    until(lambda: is_whole(ann), what="the list again")
    leave(ann)


def test_help_on_one_key(screens):
    ann = up(screens())
    ann.press(F1, r"│Keys$")
    for name in ("PageUp", "Ctrl-N", "Alt-A"):
        ann.shows(name)
    ann.press("\x1b[F", r"│  /\w+")
    ann.press("q", r"^\[house\]")
    gone(ann, "│Keys")
    ann.press("/help\r", r"│Keys$")
    ann.send("q")
    gone(ann, "│Keys")
    ann.press("?", r"│Keys$")
    ann.press("x", r"^\[house\] x$")
    gone(ann, "│Keys")
    # In a line that is being typed it is a character.
    ann.press("?", r"^\[house\] x\?$")
    leave(ann)


def test_transfers_show_and_go(house, screens):
    ann = up(screens())
    with open(house.ann.folder / "big", "wb") as big:
        big.truncate(300 * MIB)
    ann.send("/put big\r")
    ann.shows(r"^-- transfers: 1 under way")
    ann.shows(r"^\[[#-]{16}\] .*big.*\d")
    # Beside it everything goes on.
    ann.press("typed", r"^\[\S+\] typed$")
    gone(ann, "-- transfers")
    leave(ann)
    assert house.ann.out("ftp", "ls", "big")


def test_a_service_that_is_down_disturbs_nobody(house, screens):
    ann = up(screens())
    join(ann, "#lobby")
    house.running["maild"].stop()
    ann.shows(r"\| mail: DOWN")
    ann.press("still here\r", "<ann> still here$")
    house.running["maild"] = house.start("maild")
    ann.send("/retry\r")
    ann.shows(r"\| mail: (?!DOWN|trying)")
    leave(ann)


def settled(screen):
    """What stands there, but the status, after nothing came for a while."""
    while screen.read(0.5):
        pass
    return [line for i, line in enumerate(screen.lines()) if i != screen.rows - 2]


def test_terminals_and_locales(screens):
    for term, env in (("vt100", {}), ("linux", {"NO_COLOR": "1"}), ("tmux-256color", {"LC_ALL": "C"})):
        screen = up(screens(term=term, env=env))
        screen.press("/help join\r/status\r", "certificate: valid until")
        # What was drawn piece by piece is what is drawn at once; the status line lives.
        before = settled(screen)
        screen.send("\x0c")
        assert settled(screen) == before
        assert "NO_COLOR" not in env or not re.search(r"\x1b\[3\d", screen.text)
        leave(screen)


def test_suspended_and_back(house, screens):
    shell = ["/bin/bash", "-c", 'set -m; "$@"; echo STOP""PED; read -r x; fg; echo status $?', "bash"]
    screen = up(screens(argv=[*shell, *house.ann.argv(())]))
    screen.send("typed\x1a")
    screen.expect("STOPPED")
    screen.feed()
    assert not screen.alternate and screen.echoes()
    screen.resize(30, 100)
    screen.press("\n", r"^\[house\] typed$")
    assert screen.alternate and screen.lines()[29].startswith("[house] typed")
    screen.send("\x05\x15\x04")
    screen.expect("status 0")
    assert screen.status() == OK


def test_signals_leave_the_terminal_as_it_was(screens):
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGABRT):
        screen = up(screens())
        os.kill(screen.pid, number)
        assert screen.status() == (-number if number == signal.SIGABRT else INTERRUPTED)
        screen.feed()
        assert screen.echoes() and not screen.alternate
