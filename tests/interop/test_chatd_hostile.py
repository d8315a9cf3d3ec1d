"""What those try who want more of chatd than is theirs."""

import time

import pytest

from instance import Instance, until
from ircs import PASSWORD, Irc, name, one, only, room, verbs

RATE, BURST = 50, 10


@pytest.fixture(scope="module")
def strict():
    """An instance that lets guests in and counts floods."""
    own = Instance()
    own.ctl("set", "chat_accounts", "optional")
    own.ctl("set", "chat_flood_rate", RATE)
    own.ctl("set", "chat_flood_burst", BURST)
    for each in ("ann", "boss"):
        own.account(each, PASSWORD)
    own.ctl("user", "admin", "boss", "on")
    own.start("chatd")
    yield own
    own.close()


def took(client, *lines):
    """Seconds until these lines are answered, and the line behind them."""
    start = time.monotonic()
    got = client.ask(*lines)
    return time.monotonic() - start, got


def test_refused_messages_count(strict):
    with Irc(strict, name("g")) as a:
        seconds, got = took(a, *["PRIVMSG nobody-of-this-name :x"] * 100)
        assert verbs(got) == ["401"] * 100
        seconds += took(a)[0]
        assert seconds > 0.8 * (100 - 2 * BURST - 64) / RATE


def test_each_channel_of_a_line_counts(strict):
    names = [f"{room()[:4]}{i}" for i in range(60)]
    with Irc(strict, name("g")) as a:
        seconds, got = took(a, f"JOIN {','.join(names)}", "TOPIC " + names[0])
        assert len(only(got, "JOIN")) == 60
        assert seconds > 0.8 * (60 - BURST) / RATE


def test_a_ping_is_answered_once(strict):
    """Each position of the log that is said to be received would be a commit of its own."""
    with Irc(strict, "ann", account=("ann", PASSWORD)) as a:
        got = a.ask(*(f"PONG :q{n}" for n in range(1, 200)))
        assert got == []


def secret_room(client):
    channel = room()
    client.join(channel)
    client.ask(f"MODE {channel} +is")
    return channel


def test_operators_end_with_their_proof(strict):
    with Irc(strict, name("g")) as op, Irc(strict, name("g")) as other:
        channel = secret_room(other)
        assert "381" in verbs(op.ask(f"OPER boss :{PASSWORD}"))
        assert "353" in verbs(op.join(channel))
        op.ask(f"PART {channel}")
        strict.ctl("user", "admin", "boss", "off")
        try:
            got = op.join(channel)
            assert one(got, "MODE").params == [op.nick, "-o"]
            assert verbs(got)[-1] == "473"
            assert channel not in str(op.ask("LIST"))
            assert verbs(op.ask(f"KILL {other.nick} :x")) == ["481"]
            assert "313" not in verbs(other.ask(f"WHOIS {op.nick}"))
        finally:
            strict.ctl("user", "admin", "boss", "on")


def test_another_device_has_proved_nothing(strict):
    with Irc(strict, "ann", account=("ann@one", PASSWORD)) as one_device, \
            Irc(strict, "ann", account=("ann@two", PASSWORD)) as two, Irc(strict, name("g")) as other:
        channel = secret_room(other)
        assert "381" in verbs(one_device.ask(f"OPER boss :{PASSWORD}"))
        assert verbs(two.sync()) == ["MODE"]
        assert verbs(two.ask(f"KICK {channel} {other.nick}")) == ["442"]
        assert verbs(two.ask(f"KILL {other.nick} :x")) == ["481"]
        assert channel not in str(two.ask("LIST"))
        assert channel in str(one_device.ask("LIST"))


def test_who_is_killed_does_nothing_more(strict):
    """Messages that wait for the flood to pass are not posted by somebody who is gone."""
    with Irc(strict, name("g")) as op, Irc(strict, name("g")) as a, Irc(strict, name("g")) as b:
        assert "381" in verbs(op.ask(f"OPER boss :{PASSWORD}"))
        a.send(*[f"PRIVMSG {b.nick} :{n}" for n in range(BURST + 2 * RATE)])
        until(lambda: b.sync(), what="the first messages")
        op.ask(f"KILL {a.nick} :enough")
        start = time.monotonic()
        assert any("Killed" in m.line for m in a.rest())
        assert time.monotonic() - start < 1
        b.sync()
        time.sleep(0.5)
        assert only(b.sync(), "PRIVMSG") == []
