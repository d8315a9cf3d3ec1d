"""What chatd does with channels and their modes, as its clients see it."""

import time

import pytest

from ircrooms import guest, house, members, pair, params  # noqa: F401
from ircs import PASSWORD, Irc, name, one, only, room, verbs


# -- JOIN, PART -----------------------------------------------------------------------------------


def test_join_tells_topic_and_names(guest):
    channel = room()
    a, b = guest(), guest()
    got = a.ask(f"JOIN {channel}")
    assert verbs(got) == ["JOIN", "353", "366"]
    assert got[0].params == [channel] and got[0].nick == a.nick
    assert got[1].params == [a.nick, "=", channel, "@" + a.nick]
    a.ask(f"TOPIC {channel} :What we talk about")
    got = b.ask(f"JOIN {channel}")
    assert verbs(got) == ["JOIN", "332", "333", "353", "366"]
    assert got[1].params == [b.nick, channel, "What we talk about"]
    assert got[2].params[2].startswith(a.nick + "!") and got[2].params[3].isdigit()
    assert sorted(got[3].text.split()) == sorted(["@" + a.nick, b.nick])
    assert [(m.verb, m.nick) for m in a.sync()] == [("JOIN", b.nick)]
    assert b.ask(f"JOIN {channel}") == []  # once is enough


def test_join_lists_with_keys(guest):
    one_, two, three = room(), room(), room()
    a, b = guest(), guest()
    a.join(one_, two, three)
    a.ask(f"MODE {one_} +k first", f"MODE {three} +k third")
    got = b.ask(f"JOIN {one_},{two},{three},bad,#x:y first,,wrong")
    assert params(got, "JOIN") == [[one_], [two]]
    assert one(got, "475").params[1] == three
    assert [p[1] for p in params(got, "403")] == ["bad", "#x:y"]
    got = b.ask("JOIN 0")
    assert sorted(params(got, "PART")) == sorted([[one_], [two]])
    assert b.ask(f"PART {one_},{two}")[0].verb == "442"


def test_names_of_channels_know_no_case(guest):
    channel = room()
    a, b = guest(), guest()
    a.join(channel)
    assert one(b.ask(f"JOIN {channel.upper()}"), "JOIN").params == [channel]
    assert one(a.sync(), "JOIN").nick == b.nick


def test_part_with_and_without_reason(pair):
    channel, a, b = pair
    assert b.ask(f"PART {channel} :I am off")[0].params == [channel, "I am off"]
    assert one(a.sync(), "PART").params == [channel, "I am off"]
    assert verbs(b.ask(f"PART {channel}")) == ["442"]
    assert verbs(b.ask("PART #nothing-of-the-kind")) in (["403"], ["442"])
    b.ask(f"JOIN {channel}")
    b.ask(f"PART {channel}")
    assert params(a.sync(), "PART") == [[channel]]
    assert b.ask(f"PRIVMSG {channel} :still?")[0].verb == "404"
    assert a.sync() == []


# -- KICK, INVITE, TOPIC, RENAME ------------------------------------------------------------------


def test_kick(pair, guest):
    channel, a, b = pair
    c = guest()
    assert verbs(c.ask(f"KICK {channel} {b.nick}")) == ["442"]
    assert verbs(b.ask(f"KICK {channel} {a.nick}")) == ["482"]
    assert verbs(a.ask(f"KICK {channel} {c.nick}")) == ["441"]
    assert verbs(a.ask("KICK #no-such-channel ann")) == ["403"]
    c.join(channel)
    a.sync()
    got = a.ask(f"KICK {channel} {b.nick},{c.nick} :out")
    assert params(got, "KICK") == [[channel, b.nick, "out"], [channel, c.nick, "out"]]
    assert params(b.sync(), "KICK") == [[channel, b.nick, "out"]]
    assert b.ask(f"PRIVMSG {channel} :x")[0].verb == "404"
    b.join(channel)
    assert one(a.ask(f"KICK {channel} {b.nick}"), "KICK").text == a.nick


def test_invitations(guest):
    channel = room()
    a, b, c = guest(), guest(), guest()
    a.join(channel)
    a.ask(f"MODE {channel} +i")
    assert verbs(a.ask(f"INVITE {name()} {channel}")) == ["401"]
    assert verbs(b.ask(f"JOIN {channel}")) == ["473"]
    assert a.ask(f"INVITE {b.nick} {channel}")[0].params == [a.nick, b.nick, channel]
    assert one(b.sync(), "INVITE").params == [b.nick, channel]
    got = b.ask("INVITE")
    assert verbs(got) == ["336", "337"] and got[0].params == [b.nick, channel]
    assert verbs(c.ask(f"INVITE {a.nick} {channel}")) == ["442"]
    b.join(channel)
    assert verbs(b.ask("INVITE")) == ["337"]  # it is used up
    assert verbs(b.ask(f"INVITE {c.nick} {channel}")) == ["482"]
    assert verbs(a.ask(f"INVITE {b.nick} {channel}"))[-1] == "443"
    b.ask(f"PART {channel}")
    assert verbs(b.ask(f"JOIN {channel}")) == ["473"]


def test_an_invitation_opens_what_bans_and_limits_close(pair, guest):
    channel, a, _ = pair
    c = guest()
    a.ask(f"MODE {channel} +bl {c.nick} 2")
    assert verbs(c.ask(f"JOIN {channel}")) == ["474"]
    a.ask(f"INVITE {c.nick} {channel}")
    assert verbs(c.ask(f"JOIN {channel}"))[:2] == ["INVITE", "JOIN"]


def test_invite_notify(guest):
    channel = room()
    a, b, c = guest(("invite-notify",)), guest(), guest()
    a.join(channel)
    b.join(channel)
    b.sync()
    a.sync()
    b.ask(f"INVITE {c.nick} {channel}")
    assert one(a.sync(), "INVITE").params == [c.nick, channel]


def test_topic(pair, guest):
    channel, a, b = pair
    c = guest()
    assert verbs(c.ask("TOPIC #no-such-channel")) == ["403"]
    assert verbs(c.ask(f"TOPIC {channel}")) == ["331"]
    assert verbs(c.ask(f"TOPIC {channel} :x")) == ["442"]
    assert verbs(b.ask(f"TOPIC {channel} :x")) == ["482"]
    assert one(a.ask(f"TOPIC {channel} :one"), "TOPIC").params == [channel, "one"]
    assert one(b.sync(), "TOPIC").params == [channel, "one"]
    a.ask(f"MODE {channel} -t")
    assert one(b.ask(f"TOPIC {channel} :two"), "TOPIC").text == "two"
    got = a.ask(f"TOPIC {channel}")
    assert one(got, "332").text == "two" and one(got, "333").params[2].startswith(b.nick + "!")
    assert one(a.ask(f"TOPIC {channel} :"), "TOPIC").text == ""
    assert verbs(a.ask(f"TOPIC {channel}")) == ["331"]
    a.ask(f"TOPIC {channel} :" + "é" * 220)
    assert one(a.ask(f"TOPIC {channel}"), "332").text == "é" * 195  # TOPICLEN, and no half of one


def test_rename(guest):
    old, new, taken = room(), room(), room()
    a, b, c = guest(("draft/channel-rename",)), guest(), guest()
    for client in (a, b):
        client.join(old)
    c.join(taken)
    a.ask(f"TOPIC {old} :kept")
    b.sync()
    assert verbs(b.ask(f"RENAME {old} {new}")) == ["482"]
    assert a.ask(f"RENAME {old} {taken}")[0].params[:4] == ["RENAME", "CHANNEL_NAME_IN_USE", old, taken]
    assert a.ask(f"RENAME {old} nothing")[0].params[:2] == ["RENAME", "CANNOT_RENAME"]
    assert verbs(a.ask(f"RENAME {new} {old}")) == ["403"]
    assert one(a.ask(f"RENAME {old} {new} :better"), "RENAME").params == [old, new, "better"]
    got = b.sync()
    assert verbs(got) == ["PART", "JOIN", "332", "333", "353", "366"]
    assert got[0].params == [old, "better"] and got[1].params == [new]
    assert one(b.ask(f"PRIVMSG {old} :x"), "403")
    b.ask(f"PRIVMSG {new} :here")
    assert one(a.sync(), "PRIVMSG").params == [new, "here"]
    assert one(a.ask(f"RENAME {new} {new.upper()}"), "RENAME").params[1] == new.upper()
    assert b.sync() == []  # nothing that a client without the word could see
    a.ask(f"RENAME {new} {old}")
    assert one(b.sync(), "PART").params == [new.upper(), f"The channel is now called {old}"]


# -- NAMES, LIST ----------------------------------------------------------------------------------


def test_names(pair, guest):
    channel, a, b = pair
    assert members(b, channel) == sorted(["@" + a.nick, b.nick])
    a.ask(f"MODE {channel} +v {a.nick}", f"MODE {channel} +hv {b.nick} {b.nick}")
    assert members(b, channel) == sorted(["@" + a.nick, "%" + b.nick])
    c = guest(("multi-prefix", "userhost-in-names"))
    c.join(channel)
    words = members(c, channel)
    assert {w.partition("!")[0] for w in words} == {"@+" + a.nick, "%+" + b.nick, c.nick}
    assert all("@guest." in w for w in words)


def test_names_of_several_and_of_none(guest):
    first, second, quiet = room(), room(), room()
    a, b = guest(), guest()
    a.join(first, second)
    got = a.ask(f"NAMES {first},{second}")
    assert verbs(got) == ["353", "353", "366"]
    assert [m.params[2] for m in got[:2]] == [first, second] and got[2].params[1] == f"{first},{second}"
    assert [m.params[1] for m in a.ask("NAMES #none", "NAMES none", "NAMES")] == ["#none", "none", "*"]
    a.join(quiet)
    a.ask(f"MODE {quiet} +s")
    assert one(a.ask(f"NAMES {quiet}"), "353").params[1] == "@"
    assert verbs(b.ask(f"NAMES {quiet}")) == ["366"]
    a.ask(f"MODE {a.nick} +i")
    assert verbs(b.ask(f"NAMES {first}")) == ["366"]  # for members to see
    b.join(first)
    assert "@" + a.nick in members(b, first)


def test_no_names_unless_asked(guest):
    channel = room()
    a = guest(("draft/no-implicit-names",))
    assert verbs(a.ask(f"JOIN {channel}")) == ["JOIN"]
    assert members(a, channel) == ["@" + a.nick]


def test_long_lists_of_names_take_several_lines(house):
    channel = room()
    clients = [Irc(house, f"{name('long')}{'x' * 18}{i:02}", ("userhost-in-names",)) for i in range(12)]
    try:
        for client in clients:
            client.join(channel)
        got = clients[0].ask(f"NAMES {channel}")
        lines = only(got, "353")
        assert len(lines) > 1 and all(len(m.line) <= 510 for m in lines)
        seen = [word.lstrip("@").partition("!")[0] for m in lines for word in m.text.split()]
        assert sorted(seen) == sorted(c.nick for c in clients)
    finally:
        for client in clients:
            client.close()


def listed(client, words=""):
    got = client.ask(f"LIST {words}")
    assert verbs(got)[0] == "321" and verbs(got)[-1] == "323"
    return {m.params[1]: m.params[2:] for m in only(got, "322")}


def test_list(guest):
    tag = name("l")
    alone, busy, quiet = (f"#{tag}-{word}" for word in ("alone", "busy", "quiet"))
    a, b = guest(), guest()
    a.join(alone, busy, quiet)
    b.join(busy)
    a.ask(f"TOPIC {busy} :all the talk", f"MODE {quiet} +s")
    b.sync()
    assert listed(b, f"#{tag}*") == {alone: ["1", ""], busy: ["2", "all the talk"]}
    assert listed(a, f"#{tag}*,*-quiet").keys() == {alone, busy, quiet}
    assert listed(b, f"#{tag}*,>1").keys() == {busy}
    assert listed(b, f"#{tag}*,<2").keys() == {alone}
    assert listed(b, f"#{tag}*,!*busy").keys() == {alone}
    assert listed(b, f"#{tag}*,C<1").keys() == {alone, busy}
    assert listed(b, f"#{tag}*,C>5") == {}
    assert listed(b, f"#{tag}*,T<5").keys() == {busy}
    assert listed(b, busy).keys() == {busy}
    assert listed(b, "#no-such-channel") == {}


# -- MODE of channels -----------------------------------------------------------------------------


def test_what_holds(pair, guest):
    channel, a, b = pair
    c = guest()
    got = a.ask(f"MODE {channel}")
    assert verbs(got) == ["324", "329"] and got[0].params[1:] == [channel, "+nt"]
    assert abs(int(got[1].text) - time.time()) < 3600
    a.ask(f"MODE {channel} +imkl-t sesame 7")
    assert one(b.ask(f"MODE {channel}"), "324").params[2:] == ["+iklmn", "sesame", "7"]
    assert one(c.ask(f"MODE {channel}"), "324").params[2:] == ["+iklmn", "*", "7"]
    a.ask(f"MODE {channel} -imkln *")
    assert one(a.ask(f"MODE {channel}"), "324").params[2:] == ["+"]
    a.ask(f"MODE {channel} +s")
    assert verbs(c.ask(f"MODE {channel}")) == ["403"]
    assert verbs(c.ask("MODE #no-such-channel")) == ["403"]


def test_changes_of_one_line_are_one_event(pair):
    channel, a, b = pair
    assert one(a.ask(f"MODE {channel} +mo-t {b.nick}"), "MODE").params == [channel, "+mo-t", b.nick]
    assert one(b.sync(), "MODE").params == [channel, "+mo-t", b.nick]
    assert a.ask(f"MODE {channel} +m") == []  # it was so
    assert one(a.ask(f"MODE {channel} +m-m+b bad"), "MODE").params[0] == channel


def test_who_may_change_modes(pair, guest):
    channel, a, b = pair
    c = guest()
    assert verbs(b.ask(f"MODE {channel} +mit")) == ["482"]
    assert verbs(c.ask(f"MODE {channel} +o {c.nick}"))[0] in ("442", "482")
    assert verbs(a.ask(f"MODE {channel} +o {c.nick}")) == ["441"]
    assert verbs(a.ask(f"MODE {channel} +o {name()}")) == ["401"]
    a.ask(f"MODE {channel} +h {b.nick}")
    b.sync()
    assert one(b.ask(f"MODE {channel} +v {b.nick}"), "MODE").params[1] == "+v"
    assert verbs(b.ask(f"MODE {channel} +o {b.nick}")) == ["482"]


def test_words_that_are_none(pair):
    channel, a, _ = pair
    got = a.ask(f"MODE {channel} +Zq")
    assert [m.params[1] for m in only(got, "472")] == ["Z", "q"]
    for word in ("0", "-1", "abc", ""):
        assert one(a.ask(f"MODE {channel} +l :{word}"), "696").params[:3] == [a.nick, channel, "l"]
    for word in ("", " ", "a b", "a,b", "k" * 33, ":x"):
        assert one(a.ask(f"MODE {channel} +k :{word}"), "696").params[:4] == [a.nick, channel, "k", "*"]
    assert one(a.ask(f"MODE {channel} +o"), "696").params[2] == "o"
    assert one(a.ask(f"MODE {channel} +b :a b"), "696").params[2] == "b"
    assert one(a.ask(f"MODE {channel}"), "324").params[2:] == ["+nt"]


@pytest.mark.parametrize("letter,entry,end", [("b", "367", "368"), ("e", "348", "349"), ("I", "346", "347")])
def test_lists(pair, guest, letter, entry, end):
    channel, a, b = pair
    c = guest()
    assert one(a.ask(f"MODE {channel} +{letter} Villain"), "MODE").text == "Villain!*@*"
    a.ask(f"MODE {channel} +{letter} ~a:someone")
    assert a.ask(f"MODE {channel} +{letter} VILLAIN") == []
    for client in (a, b):
        got = [m for m in client.ask(f"MODE {channel} {letter}") if m.verb != "MODE"]
        assert verbs(got) == [entry, entry, end]
        assert {m.params[2] for m in got[:2]} == {"Villain!*@*", "~a:someone"}
        assert got[0].params[3].startswith(a.nick + "!") and got[0].params[4].isdigit()
    assert verbs(c.ask(f"MODE {channel} +{letter}")) == ["442"]
    assert one(a.ask(f"MODE {channel} -{letter} villain!*@*"), "MODE").params[1] == f"-{letter}"
    assert len(only(a.ask(f"MODE {channel} +{letter}"), entry)) == 1


def test_bans_and_exceptions(guest):
    channel = room()
    a, b = guest(), guest()
    a.join(channel)
    a.ask(f"MODE {channel} +b {b.nick.upper()}!*@*")
    assert verbs(b.ask(f"JOIN {channel}")) == ["474"]
    a.ask(f"MODE {channel} +e *!*@guest.*")
    assert verbs(b.ask(f"JOIN {channel}"))[0] == "JOIN"
    b.ask(f"PART {channel}")
    a.ask(f"MODE {channel} -e+i *!*@guest.*")
    a.ask(f"MODE {channel} -b+I {b.nick}!*@* {b.nick}!*@*")
    assert verbs(b.ask(f"JOIN {channel}"))[0] == "JOIN"


def test_bans_by_account(house, guest):
    channel = room()
    a = guest()
    a.join(channel)
    a.ask(f"MODE {channel} +b ~a:bob")
    with Irc(house, "bob", account=("bob", PASSWORD)) as bob:
        assert verbs(bob.ask(f"JOIN {channel}")) == ["474"]
        a.ask(f"MODE {channel} -b ~a:bob")
        assert verbs(bob.ask(f"JOIN {channel}"))[0] == "JOIN"
        bob.ask(f"PART {channel}")


def test_mutes(pair):
    channel, a, b = pair
    a.ask(f"MODE {channel} +b ~m:{b.nick}")
    assert verbs([m for m in b.ask(f"PRIVMSG {channel} :x") if m.verb != "MODE"]) == ["404"]
    a.ask(f"MODE {channel} +v {b.nick}")
    assert verbs([m for m in b.ask(f"PRIVMSG {channel} :heard") if m.verb != "MODE"]) == []
    assert params(a.sync(), "PRIVMSG") == [[channel, "heard"]]


def test_what_is_kept_out(pair, guest):
    channel, a, b = pair
    c = guest()
    assert verbs(c.ask(f"PRIVMSG {channel} :from outside")) == ["404"]
    a.ask(f"MODE {channel} -n+C")
    assert c.ask(f"PRIVMSG {channel} :from outside") == []
    assert one(b.sync(), "PRIVMSG").text == one(a.sync(), "PRIVMSG").text == "from outside"
    assert verbs(b.ask(f"PRIVMSG {channel} :\1VERSION\1")) == ["404"]
    assert b.ask(f"PRIVMSG {channel} :\1ACTION waves\1") == []
    assert one(a.sync(), "PRIVMSG").text == "\1ACTION waves\1"
    a.ask(f"MODE {channel} -C+m")
    assert verbs([m for m in b.ask(f"PRIVMSG {channel} :x") if m.verb != "MODE"]) == ["404"]
    assert b.ask(f"NOTICE {channel} :x") == []  # nothing answers a NOTICE
    assert a.sync() == []
    a.ask(f"MODE {channel} -m+R")
    assert verbs([m for m in b.ask(f"PRIVMSG {channel} :x") if m.verb != "MODE"]) == ["477"]


def test_limit(pair, guest):
    channel, a, _ = pair
    c = guest()
    assert one(a.ask(f"MODE {channel} +l 2"), "MODE").params == [channel, "+l", "2"]
    assert verbs(c.ask(f"JOIN {channel}")) == ["471"]
    a.ask(f"MODE {channel} -l")
    assert verbs(c.ask(f"JOIN {channel}"))[0] == "JOIN"


# -- MODE of people -------------------------------------------------------------------------------


def test_user_modes(guest):
    a, b = guest(), guest()
    assert one(a.ask(f"MODE {a.nick}"), "221").text == "+"
    assert one(a.ask(f"MODE {a.nick} +iw"), "MODE").params == [a.nick, "+iw"]
    assert one(a.ask(f"MODE {a.nick} -w+B"), "MODE").params[0] == a.nick
    assert one(a.ask(f"MODE {a.nick}"), "221").text == "+Bi"
    assert a.ask(f"MODE {a.nick} +oi") == []
    assert verbs(a.ask(f"MODE {a.nick} +y")) == ["501"]
    assert verbs(a.ask(f"MODE {b.nick} +i")) == ["502"]
    assert verbs(a.ask(f"MODE {name()}")) == ["401"]


def test_only_accounts_may_write(house, guest):
    a, b = guest(), guest()
    a.ask(f"MODE {a.nick} +R")
    assert verbs(b.ask(f"PRIVMSG {a.nick} :x")) == ["477"]
    with Irc(house, "bob", account=("bob", PASSWORD)) as bob:
        assert bob.ask(f"PRIVMSG {a.nick} :hello") == []
    assert params(a.sync(), "PRIVMSG") == [[a.nick, "hello"]]


# -- what is whose --------------------------------------------------------------------------------


def test_a_channel_stays_its_founders(house, guest):
    channel = room()
    with Irc(house, "ann", account=("ann", PASSWORD)) as ann:
        ann.join(channel)
        ann.ask(f"MODE {channel} +s", f"PART {channel}")
    b = guest()
    b.join(channel)
    assert members(b, channel) == [b.nick]
    with Irc(house, "ann", account=("ann", PASSWORD)) as ann:
        ann.join(channel)
        assert "@ann" in members(ann, channel)
        ann.ask(f"PART {channel}")


def test_a_guests_channel_goes_with_its_last(guest):
    channel = room()
    a, b = guest(), guest()
    a.join(channel)
    a.ask(f"MODE {channel} +k sesame", f"PART {channel}")
    assert verbs(b.ask(f"JOIN {channel}"))[0] == "JOIN"
    assert members(b, channel) == ["@" + b.nick]
