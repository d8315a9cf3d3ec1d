"""The session itself: its limits, its ends, what it says of itself."""

import contextlib
import json
import os
import re
import signal
import ssl
import time

import pytest

from instance import Instance, until
from ircrooms import guest, house, params  # noqa: F401
from ircs import PASSWORD, Irc, name, one, room, verbs

LABELS = ("labeled-response", "batch")


@pytest.fixture(scope="module")
def tight():
    """A house with narrow limits."""
    own = Instance()
    for setting, value in (("chat_accounts", "optional"), ("chat_flood_rate", "10"),
                           ("chat_flood_burst", "10"), ("chat_lag", "200")):
        own.ctl("set", setting, value)
    own.start("chatd")
    yield own
    own.close()


def pid_of(house, account):
    """The process of an account's only session."""
    rows = json.loads(house.ctl("--json", "top", "--once").stdout)
    (pid,) = [row["pid"] for row in rows if row["account"] == account]
    return pid


# -- lines ----------------------------------------------------------------------------------------


def test_lines_that_are_none(guest):
    a = guest(LABELS)
    assert one(a.ask("@label=x NO_SUCH"), "421").tags == {"label": "x"}
    assert one(a.ask("@label=x NOSUCH a b"), "421").params[1] == "NOSUCH"
    assert one(a.ask(b"@label=x PRIVMSG a :\xff\r\n"), "FAIL").params[1] == "INVALID_UTF8"
    assert "417" in verbs(a.ask("PRIVMSG a :" + "x" * 512))
    assert "417" in verbs(a.ask("@+x=" + "y" * 4092 + " TAGMSG a"))
    assert verbs(a.ask("", " ", "@label=x PONG y")) == ["ACK"]
    assert verbs(a.ask("JOIN", "kick #x")) == ["461", "461"]


def test_too_many_of_them(guest):
    a = guest()
    a.send(*["!"] * 40)
    got = a.rest()
    assert verbs(got)[-1] == "ERROR" and verbs(got).count("421") == 30


def test_a_line_that_never_ends(house):
    """Costs what it takes to read 64 KiB, and the connection."""
    with Irc(house, name()) as a:
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            for _ in range(100):
                a.send(b"x" * 4096)
        try:
            assert verbs(a.rest())[-1] == "ERROR"
        except ConnectionError:
            pass  # what was not read any more resets it
    end = until(lambda: re.search(r'an endless line.*BYTES_IN="([0-9]+)"', house.log_text()), what="its end")
    assert 65536 < int(end[1]) < 131072


def test_labels_on_one_line_many_and_none(guest):
    a = guest(LABELS)
    assert one(a.ask("@label=1 PING x"), "PONG").tags == {"label": "1"}
    got = a.ask(f"@label=2 JOIN {room()}")
    assert got[0].verb == "BATCH" and got[0].tags == {"label": "2"}
    assert all(m.tags == {"batch": got[0].params[0][1:]} for m in got[1:-1])
    assert got[-1].params == ["-" + got[0].params[0][1:]]
    assert one(a.ask("@label=3 PONG x"), "ACK").tags == {"label": "3"}
    assert one(a.ask(f"@label=4 NICK {name()}"), "NICK").tags == {"label": "4"}


# -- one after the other --------------------------------------------------------------------------


def test_pong_comes_behind_all_that_was_said(guest):
    """Whoever has an answer knows that the others' next one shows what was done."""
    a, b = guest(), guest()
    for n in range(30):
        a.ask(f"PRIVMSG {b.nick} :{n}")
        assert one(b.sync(), "PRIVMSG").text == str(n)


def test_what_comes_in_one_piece_is_answered_in_order(guest):
    a, channel = guest(("echo-message",)), room()
    a.join(channel)
    got = a.ask(f"PRIVMSG {channel} :1", f"TOPIC {channel} :t", f"PRIVMSG {channel} :2", "NOSUCH",
                f"NOTICE {channel} :3")
    assert verbs(got) == ["PRIVMSG", "TOPIC", "PRIVMSG", "421", "NOTICE"]


# -- ends -----------------------------------------------------------------------------------------


def test_ends_and_what_the_others_see(house, guest):
    watcher, channel = guest(), room()
    watcher.join(channel)

    def seen(end):
        who = name()
        house.account(who, PASSWORD)
        with Irc(house, who, account=(who, PASSWORD)) as a:
            a.join(channel)
            watcher.sync()
            end(a)
            line = watcher.read()
            assert (line.verb, line.nick) == ("QUIT", a.nick)
            return line.text

    assert seen(lambda a: a.quit("enough")) == "Quit: enough"
    assert seen(lambda a: a.cut()) in ("Connection lost", "Connection closed")
    assert seen(lambda a: os.kill(pid_of(house, a.nick), signal.SIGTERM)) == "Service stops"
    began = time.monotonic()
    assert seen(lambda a: os.kill(pid_of(house, a.nick), signal.SIGKILL)) == "Connection lost"
    assert time.monotonic() - began < 10


def test_a_locked_account_is_told(house):
    who = name()
    house.account(who, PASSWORD)
    with Irc(house, who, account=(who, PASSWORD)) as a:
        house.ctl("user", "lock", who)
        got = a.rest()
        assert got[-1].verb == "ERROR" and "no longer valid" in got[-1].text


# -- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["WHO #nothing", "PRIVMSG #quiet :x"])
def test_floods_are_slowed_down(tight, line):
    with Irc(tight, name()) as a:
        a.join("#quiet")
        time.sleep(2)
        began = time.monotonic()
        a.ask(*[line] * 30)
        assert 1.0 < time.monotonic() - began < 30


def test_who_does_not_read_falls_behind(tight):
    tight.ctl("set", "chat_flood_rate", "0")
    with Irc(tight, name()) as slow, Irc(tight, name()) as a:
        for who in (slow, a):
            who.join("#much")
        text = "PRIVMSG #much :" + "x" * 400
        until(lambda: "QUIT" in verbs(a.ask(*[text] * 500)), what="the end of who lags")
        end = slow.rest()[-1]
        assert end.verb == "ERROR" and "too slowly" in end.text


# -- about ----------------------------------------------------------------------------------------


def test_about(house, guest):
    a = guest()
    assert verbs(a.ask("VERSION"))[0] == "351"
    assert verbs(a.ask("ADMIN")) == ["256", "257", "258", "259"]
    assert verbs(a.ask("INFO"))[-1] == "374" and verbs(a.ask("TIME")) == ["391"]
    assert verbs(a.ask("LINKS")) == ["365"] and verbs(a.ask("STATS u")) == ["242", "219"]
    assert verbs(a.ask("LUSERS")) == ["251", "252", "254", "255", "265", "266"]
    assert verbs(a.ask("HELP privmsg")) == ["704", "705", "706"]
    assert verbs(a.ask("HELP"))[0] == "704" and verbs(a.ask("HELP nothing")) == ["524"]
    assert verbs(a.ask("TIME elsewhere.example", "INFO elsewhere.example")) == ["402", "402"]
    house.ctl("set", "chat_motd", "Be kind. " * 20)
    got = params(a.ask("MOTD"), "372")
    assert len(got) > 1 and all(len(p[1]) <= 82 for p in got)
    assert "375" in verbs(guest().welcome)
    house.ctl("set", "--default", "chat_motd")
    assert verbs(a.ask("MOTD")) == ["422"]
