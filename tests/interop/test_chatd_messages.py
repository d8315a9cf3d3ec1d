"""What chatd does with messages, as its clients see it."""

import pytest

from ircrooms import guest, house, pair, params  # noqa: F401
from ircs import PASSWORD, Irc, name, one, only, room, verbs


LABELS = ("labeled-response", "batch", "echo-message", "message-tags", "server-time")


# -- messages -------------------------------------------------------------------------------------


def test_messages(pair, guest):
    channel, a, b = pair
    c = guest()
    assert a.ask(f"PRIVMSG {channel},{c.nick} :hello you", f"NOTICE {b.nick} :x") == []
    assert [(m.verb, m.params) for m in b.sync()] == [
        ("PRIVMSG", [channel, "hello you"]), ("NOTICE", [b.nick, "x"])]
    assert params(c.sync(), "PRIVMSG") == [[c.nick, "hello you"]]
    assert verbs(a.ask("PRIVMSG")) == ["411"]
    assert verbs(a.ask(f"PRIVMSG {channel}", f"PRIVMSG {channel} :")) == ["412", "412"]
    assert verbs(a.ask("PRIVMSG #no-such-channel :x")) == ["403"]
    assert a.ask(f"PRIVMSG {(gone := name())} :x")[0].params[1] == gone
    assert a.ask("NOTICE #no-such-channel :x", f"NOTICE {name()} :x") == []


def test_order_of_what_comes_in_one_go(pair):
    """Collected messages, errors among them and commands between them keep their order."""
    channel, a, b = pair
    lines = [f"PRIVMSG {channel} :{i}" for i in range(150)]
    lines[70:70] = [f"PRIVMSG {channel} :", f"TOPIC {channel} :changed"]
    got = a.ask(*lines)
    assert verbs(got) == ["412", "TOPIC"]
    got = b.sync()
    assert [m.text for m in only(got, "PRIVMSG")] == [str(i) for i in range(150)]
    assert verbs(got)[70] == "TOPIC" and len(got) == 151


def test_what_does_not_fit_is_refused(pair):
    channel, a, b = pair
    assert verbs(a.ask(f"PRIVMSG {channel} :" + "x" * 490)) == ["417"]
    assert b.sync() == []
    whole = 510 - len(f":{a.nick}!user@guest.00000000 PRIVMSG {channel} :")
    a.ask(f"PRIVMSG {channel} :" + "x" * whole)
    assert one(b.sync(), "PRIVMSG").text == "x" * whole


def test_away(guest):
    a, b = guest(), guest()
    b.ask("AWAY :at lunch")
    assert a.ask(f"PRIVMSG {b.nick} :x")[0].params == [a.nick, b.nick, "at lunch"]
    assert a.ask(f"NOTICE {b.nick} :x") == []


def test_absent_accounts(house, guest):
    """What is said to them waits; what is worth nothing later does not."""
    a = guest()
    with Irc(house, "ann", account=("ann", PASSWORD)) as ann:
        ann.quit()
    got = a.ask("PRIVMSG ann :see you")
    assert verbs(got) == ["301"] and got[0].params[1] == "ann"
    assert verbs(a.ask("PRIVMSG ann :\1DCC SCHAT chat 1 0 123\1")) == ["401"]
    assert verbs(a.ask("PRIVMSG ann :\1VERSION\1")) == ["401"]
    channel = room()
    a.join(channel)
    assert verbs(a.ask(f"INVITE ann {channel}")) == ["341", "301"]
    with Irc(house, "ann", ("server-time",), account=("ann", PASSWORD)) as ann:
        assert [m.text for m in only(ann.welcome, "PRIVMSG")] == ["see you"]
        assert verbs(ann.ask("INVITE")) == ["336", "337"]


def test_status_messages(pair, guest):
    channel, a, b = pair
    c = guest()
    c.join(channel)
    a.ask(f"MODE {channel} +v {b.nick}")
    for client in (a, b, c):
        client.sync()
    c.ask(f"PRIVMSG @{channel} :for operators", f"NOTICE +{channel} :for voices")
    assert [(m.verb, m.params) for m in a.sync()] == [
        ("PRIVMSG", ["@" + channel, "for operators"]), ("NOTICE", ["+" + channel, "for voices"])]
    assert [m.params for m in b.sync()] == [["+" + channel, "for voices"]]
    assert c.sync() == []


def test_tags(guest):
    channel = room()
    a, b = guest(("message-tags", "echo-message")), guest(("message-tags",))
    c, d = guest(), guest(("server-time",))
    for client in (a, b, c, d):
        client.join(channel)
    for client in (a, b, c, d):
        client.sync()
    echo = one(a.ask(f"@+x=1;y=2;+z=a\\sb PRIVMSG {channel} :hi"), "PRIVMSG")
    got = one(b.sync(), "PRIVMSG")
    assert echo.tags["+x"] == got.tags["+x"] == "1" and got.tags["+z"] == "a b" and "y" not in got.tags
    assert echo.id == got.id != ""
    assert one(c.sync(), "PRIVMSG").tags == {} and set(one(d.sync(), "PRIVMSG").tags) == {"time"}
    assert one(a.ask(f"@+react=x TAGMSG {channel}"), "TAGMSG").tags["+react"] == "x"
    assert one(b.sync(), "TAGMSG").params == [channel]
    assert c.sync() == d.sync() == []
    assert a.ask(f"@y=2 TAGMSG {channel}") == []  # there is nothing to be told
    assert b.sync() == []


def test_tags_at_and_beyond_the_limit(guest):
    a, b = guest(("message-tags",)), guest(("message-tags",))
    tag = "@+x=" + "a" * (4094 - 3)
    assert a.ask(f"{tag} TAGMSG {b.nick}") == []
    assert len(one(b.sync(), "TAGMSG").tags["+x"]) == 4091
    assert verbs(a.ask(f"{tag}a PRIVMSG {b.nick} :x")) == ["417"]
    assert b.sync() == []


def test_labels(guest):
    a, b, c = guest(LABELS), guest(LABELS), guest(LABELS)
    got = a.ask(f"@label=q PRIVMSG {b.nick} :hi")
    assert verbs(got) == ["PRIVMSG"] and got[0].tags["label"] == "q"
    assert "label" not in one(b.sync(), "PRIVMSG").tags
    got = a.ask(f"@label=q PRIVMSG {b.nick},{c.nick} :hi")
    assert verbs(got) == ["BATCH", "PRIVMSG", "PRIVMSG", "BATCH"]
    assert got[0].tags["label"] == "q" and got[0].params[1] == "labeled-response"
    got = a.ask(f"@label=q PRIVMSG {a.nick} :to myself")
    assert len(only(got, "PRIVMSG")) == 2
    got = a.ask(f"@label=q JOIN {room()},bad")
    assert verbs(got) == ["BATCH", "JOIN", "353", "366", "403", "BATCH"]
    reference = got[0].params[0][1:]
    assert all(m.tags["batch"] == reference for m in got[1:-1])
    got = a.ask(f"PRIVMSG {b.nick} :first", f"@label=q PRIVMSG {b.nick} :second")
    assert [(m.text, m.tags.get("label")) for m in got] == [("first", None), ("second", "q")]


def test_labels_without_echo(guest):
    a, b = guest(("labeled-response", "batch")), guest()
    assert verbs(a.ask(f"@label=q PRIVMSG {b.nick} :hi")) == ["ACK"]
    assert one(a.ask(f"@label=q PRIVMSG {name()} :hi"), "401").tags["label"] == "q"


# -- several lines, deletion ----------------------------------------------------------------------

MULTILINE = LABELS + ("draft/multiline",)


def test_multiline(guest):
    channel = room()
    a, b, c = guest(MULTILINE), guest(MULTILINE), guest(LABELS)
    for client in (a, b, c):
        client.join(channel)
    for client in (a, b, c):
        client.sync()
    got = a.ask(f"@label=q;+x=1 BATCH +r draft/multiline {channel}", f"@batch=r PRIVMSG {channel} :one ",
                f"@batch=r;draft/multiline-concat PRIVMSG {channel} :line", f"@batch=r PRIVMSG {channel} :",
                f"@batch=r PRIVMSG {channel} :last", "BATCH -r")
    assert verbs(got) == ["BATCH"] + ["PRIVMSG"] * 4 + ["BATCH"]
    assert got[0].tags["label"] == "q" and got[0].params[1:] == ["draft/multiline", channel]
    relay = b.sync()
    assert [m.text for m in only(relay, "PRIVMSG")] == ["one ", "line", "", "last"]
    assert "draft/multiline-concat" in relay[2].tags and relay[0].tags["+x"] == "1"
    assert relay[0].id == got[0].id and all(m.id is None for m in relay[1:])
    plain = c.sync()
    assert [m.text for m in plain] == ["one ", "line", "last"]
    assert [m.id for m in plain] == [relay[0].id, None, None]


@pytest.mark.parametrize("lines,code", [
    (["@batch=other PRIVMSG #a :x"], ["MULTILINE_INVALID"]),
    (["@batch=r;draft/multiline-concat PRIVMSG {} :"], ["MULTILINE_INVALID"]),
    (["@batch=r PRIVMSG {} :", "BATCH -r"], ["MULTILINE_INVALID"]),
    (["@batch=r PRIVMSG {} :x", "@batch=r NOTICE {} :x"], ["MULTILINE_INVALID"]),
    (["@batch=r PRIVMSG #other :x"], ["MULTILINE_INVALID_TARGET", "{}", "#other"]),
    (["@batch=r PRIVMSG {} :x"] * 101, ["MULTILINE_MAX_LINES", "100"]),
    (["@batch=r PRIVMSG {} :" + "x" * 400] * 21, ["MULTILINE_MAX_BYTES", "8192"]),
])
def test_multiline_faults(guest, lines, code):
    channel = room()
    a, b = guest(MULTILINE), guest()
    a.join(channel)
    b.join(channel)
    a.sync()
    got = a.ask(f"BATCH +r draft/multiline {channel}", *(line.format(channel) for line in lines),
                f"@batch=r PRIVMSG {channel} :swallowed", "BATCH -r")
    first = got[0]
    assert first.verb == "FAIL" and first.params[:-1] == ["BATCH"] + [word.format(channel) for word in code]
    assert only(got, "PRIVMSG") == [] and b.sync() == []
    a.ask(f"PRIVMSG {channel} :on it goes")
    assert one(b.sync(), "PRIVMSG").text == "on it goes"


REDACT = LABELS + ("draft/message-redaction",)


def test_redact(guest):
    channel = room()
    a, b, c = guest(REDACT), guest(REDACT), guest(LABELS)
    for client in (a, b, c):
        client.join(channel)
    for client in (a, b, c):
        client.sync()
    own = one(b.ask(f"PRIVMSG {channel} :mine"), "PRIVMSG").id
    a.sync()
    theirs = one(a.ask(f"PRIVMSG {channel} :operator's"), "PRIVMSG").id
    b.sync()
    again = one(b.ask(f"PRIVMSG {channel} :mine too"), "PRIVMSG").id
    a.sync()
    fail = one(b.ask(f"REDACT {channel} {theirs}"), "FAIL")
    assert fail.params[:4] == ["REDACT", "REDACT_FORBIDDEN", channel, theirs]
    assert one(b.ask(f"REDACT {channel} {own}"), "REDACT").params == [channel, own]
    a.sync()
    assert one(a.ask(f"REDACT {channel} {again} :spam"), "REDACT").params == [channel, again, "spam"]
    assert params(b.sync(), "REDACT") == [[channel, again, "spam"]]
    assert only(c.sync(), "REDACT") == []
    for bad in (own, "nothing", "1-0000", theirs[:-1] + "x"):
        assert one(a.ask(f"REDACT {channel} {bad}"), "FAIL").params[:4] == [
            "REDACT", "UNKNOWN_MSGID", channel, bad]
    assert one(a.ask(f"REDACT #elsewhere {theirs}"), "FAIL").params[:3] == [
        "REDACT", "INVALID_TARGET", "#elsewhere"]


def test_redact_of_a_private_message(house):
    with Irc(house, "ann", REDACT, account=("ann", PASSWORD)) as ann, \
            Irc(house, "bob", REDACT, account=("bob", PASSWORD)) as bob:
        sent = one(ann.ask("PRIVMSG bob :oops"), "PRIVMSG").id
        bob.sync()
        assert one(bob.ask(f"REDACT ann {sent}"), "FAIL").params[1] == "REDACT_FORBIDDEN"
        assert one(ann.ask(f"REDACT bob {sent}"), "REDACT").params == ["bob", sent]
        assert one(bob.sync(), "REDACT").params[1] == sent
