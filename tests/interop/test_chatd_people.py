"""Who is here and who was: what chatd tells of people, and to whom."""

import time

import pytest

from instance import until
from ircrooms import guest, house, params  # noqa: F401
from ircs import ALL, PASSWORD, Irc, name, one, only, room, verbs

SERVER = "localhost"


@pytest.fixture
def oper(house):
    """An operator: a guest who knew an administrator's password."""
    if not getattr(house, "has_boss", False):
        house.account("boss", PASSWORD)
        house.ctl("user", "admin", "boss", "on")
        house.has_boss = True
    client = Irc(house, name("o"))
    assert "381" in verbs(client.ask(f"OPER boss :{PASSWORD}"))
    yield client
    client.close()


# -- WHO ------------------------------------------------------------------------------------------


def test_who_of_a_nick_in_any_case_and_by_mask(guest):
    a, b = guest(user="ident", realname="Some Body"), guest()
    for mask in (a.nick, a.nick.upper(), a.nick[:-1] + "?", a.nick[:-2] + "*"):
        got = b.ask(f"WHO {mask}")
        row = [m for m in only(got, "352") if m.params[5] == a.nick][0].params
        assert row[1:3] == ["*", "ident"] and row[4:7] == [SERVER, a.nick, "H"]
        assert row[7] == "0 Some Body"
        assert got[-1].verb == "315" and got[-1].params[1] == mask
    assert verbs(b.ask("WHO nobody-of-this-name")) == ["315"]
    assert b.ask("WHO")[-1].params[1] == "*"


def test_who_shows_away_operators_bots_and_roles(guest, oper):
    channel = room()
    a = guest()
    a.join(channel)
    oper.join(channel)
    a.ask("AWAY :gone", f"MODE {a.nick} +B")
    rows = {p[5]: p for p in params(oper.ask(f"WHO {channel}"), "352")}
    assert rows[a.nick][6] == "GB@" and rows[a.nick][1] == channel
    assert rows[oper.nick][6] == "H*"
    assert params(a.ask(f"WHO {channel} o"), "352")[0][5] == oper.nick
    assert len(params(a.ask(f"WHO {channel} o"), "352")) == 1


def test_whox_gives_the_fields_in_their_order(house, guest):
    nick = name()
    with Irc(house, nick, account=("ann", PASSWORD), user="annid", realname="Ann Other") as ann:
        b = guest()
        for chars in ("tcuihsnfdlaor", "roaldfnshiuct"):
            got = b.ask(f"WHO {nick} %{chars},042")
            assert verbs(got) == ["354", "315"]
            row = got[0].params[1:]
            assert row[:4] == ["042", "*", "annid", "255.255.255.255"]
            assert row[4:8] == ["user.ann", SERVER, nick, "H"]
            assert row[8] == "0" and row[9].isdigit() and row[10:] == ["ann", "n/a", "Ann Other"]
        assert b.ask(f"WHO {nick} %na")[0].params[1:] == [nick, "ann"]
        assert b.ask(f"WHO {b.nick} %na")[0].params[1:] == [b.nick, "0"]
        assert b.ask(f"WHO {nick} %tn,12x4")[0].params[1:] == ["0", nick]
        assert ann.sync() == []


def test_accounts_are_shown_as_their_owners_spell_them(house, guest):
    house.account("spelled", PASSWORD)
    nick = name()
    with Irc(house, nick, account=("SpellEd", PASSWORD)):
        b = guest()
        assert b.ask(f"WHO {nick} %na")[0].params[1:] == [nick, "SpellEd"]
        assert one(b.ask(f"WHOIS {nick}"), "330").params[1:3] == [nick, "SpellEd"]


def test_the_invisible_are_found_by_nick_or_in_common_channels_only(guest):
    channel = room()
    a, b = guest(), guest()
    a.ask(f"MODE {a.nick} +i")
    assert verbs(b.ask(f"WHO {a.nick[:-1]}*")) == ["315"]
    assert verbs(b.ask(f"WHO {a.nick}")) == ["352", "315"]
    a.join(channel)
    assert verbs(b.ask(f"WHO {channel}")) == ["315"]
    b.join(channel)
    assert "352" in verbs(b.ask(f"WHO {a.nick[:-1]}*"))


def test_secret_channels_are_unknown_to_strangers(guest, oper):
    channel = room()
    a, b = guest(), guest()
    a.join(channel)
    a.ask(f"MODE {channel} +s")
    assert verbs(b.ask(f"WHO {channel}")) == ["315"]
    assert "319" not in verbs(b.ask(f"WHOIS {a.nick}"))
    assert one(a.ask(f"WHOIS {a.nick}"), "319").text == "@" + channel
    assert one(oper.ask(f"WHOIS {a.nick}"), "319").text == "@" + channel
    b.join(channel)
    assert one(b.ask(f"WHOIS {a.nick}"), "319").text == "@" + channel


# -- WHOIS, WHOWAS --------------------------------------------------------------------------------


def test_whois_tells_who_one_is(house, guest):
    one_, two = room(), room()
    nick = name()
    with Irc(house, nick, account=("bob", PASSWORD), user="bobid", realname="Bob") as bob:
        b = guest()
        bob.join(one_, two)
        bob.ask("AWAY :on a walk")
        for question in (f"WHOIS {nick}", f"WHOIS {SERVER} {nick}", f"WHOIS {nick} {nick.upper()}"):
            got = b.ask(question)
            assert got[0].verb == "311"
            assert got[0].params[1:] == [nick, "bobid", "user.bob", "*", "Bob"]
            assert sorted(one(got, "319").text.split()) == sorted(["@" + one_, "@" + two])
            assert one(got, "312").params[1:3] == [nick, SERVER]
            assert one(got, "301").params[1:] == [nick, "on a walk"]
            assert one(got, "330").params[1:3] == [nick, "bob"]
            assert one(got, "317").params[2].isdigit() and one(got, "317").params[3].isdigit()
            assert "671" in verbs(got) and "276" not in verbs(got)
            assert got[-1].verb == "318" and got[-1].params[1] == nick
    got = b.ask("WHOIS nobody-of-this-name")
    assert verbs(got) == ["401", "318"] and got[1].params[1] == "nobody-of-this-name"
    assert verbs(b.ask("WHOIS")) == ["431"]
    got = b.ask(f"WHOIS {b.nick},nobody-of-this-name,{b.nick}")
    assert [m.verb for m in got if m.verb in ("311", "318", "401")] == [
        "311", "318", "401", "318", "311", "318"]


def test_whois_of_the_invisible_names_common_channels_only(guest):
    mine, common = room(), room()
    a, b = guest(), guest()
    a.join(mine, common)
    assert one(b.ask(f"WHOIS {a.nick}"), "319")
    a.ask(f"MODE {a.nick} +i")
    assert "319" not in verbs(b.ask(f"WHOIS {a.nick}"))
    b.join(common)
    assert one(b.ask(f"WHOIS {a.nick}"), "319").text == "@" + common


def test_whowas_tells_the_newest_first(house, guest):
    nick = name()
    b = guest()
    assert verbs(b.ask(f"WHOWAS {nick}")) == ["406", "369"]
    for ident in ("first", "second", "third"):
        Irc(house, nick, user=ident).quit()
    got = b.ask(f"WHOWAS {nick}")
    assert [p[2] for p in params(got, "314")] == ["third", "second", "first"]
    assert got[0].params[1] == nick and got[0].params[4:] == ["*", "A Person"]
    assert got[-1].verb == "369" and got[-1].params[1] == nick
    assert [p[2] for p in params(b.ask(f"WHOWAS {nick} 2"), "314")] == ["third", "second"]
    for count in ("0", "-1"):
        assert len(params(b.ask(f"WHOWAS {nick} {count}"), "314")) == 3
    assert verbs(b.ask("WHOWAS")) == ["431"]


def test_addresses_are_told_to_nobody(guest, oper):
    a, b = guest(), guest()
    lines = []
    for client in (b, oper):
        lines += client.ask(f"WHOIS {a.nick}", f"WHO {a.nick} %ih", f"USERHOST {a.nick}")
    assert not [m for m in lines if "127.0.0.1" in m.line or "::1" in m.line]


def test_userhost_and_ison(guest, oper):
    a, b = guest(), guest()
    assert one(b.ask(f"USERHOST {a.nick.upper()}"), "302").text.startswith(f"{a.nick}=+user@guest.")
    a.ask("AWAY :x")
    assert one(b.ask(f"USERHOST {a.nick} nobody-at-all"), "302").text.startswith(f"{a.nick}=-")
    assert one(b.ask(f"USERHOST {oper.nick}"), "302").text.startswith(f"{oper.nick}*=+")
    assert one(b.ask(f"ISON {a.nick} nobody-at-all :{b.nick.upper()} x"), "303").text == f"{a.nick} {b.nick}"


# -- MONITOR --------------------------------------------------------------------------------------


def test_monitor_tells_coming_going_and_renaming(house, guest):
    watcher, nick, other = guest(), name(), name()
    assert [m.params[1] for m in watcher.ask(f"MONITOR + {nick},{other}")] == [f"{nick},{other}"]
    with Irc(house, nick) as a:
        assert [(m.verb, m.params[1].split("!")[0]) for m in watcher.sync()] == [("730", nick)]
        a.ask(f"NICK {nick.upper()}")
        assert watcher.sync() == []
        a.ask(f"NICK {other}")
        assert [(m.verb, m.params[1].split("!")[0]) for m in watcher.sync()] == [
            ("731", nick.upper()), ("730", other)]
        a.quit()
        assert [(m.verb, m.params[1]) for m in watcher.sync()] == [("731", other)]
    watcher.ask(f"MONITOR - {nick}")
    Irc(house, nick).quit()
    assert watcher.sync() == []


def test_monitor_lists_states_and_clears(guest):
    watcher, a, absent = guest(), guest(), name()
    got = watcher.ask(f"MONITOR + {a.nick},{absent}")
    assert sorted(verbs(got)) == ["730", "731"] and "!user@guest." in one(got, "730").text
    assert sorted(verbs(watcher.ask("MONITOR S"))) == ["730", "731"]
    got = watcher.ask("MONITOR L")
    assert got[-1].verb == "733"
    assert sorted(",".join(m.text for m in only(got, "732")).split(",")) == sorted([a.nick, absent])
    assert watcher.ask("MONITOR C") == []
    assert verbs(watcher.ask("MONITOR L")) == ["733"]
    assert verbs(watcher.ask("MONITOR + *!user@host")) == ["432"]


def test_monitor_has_a_limit_and_says_what_was_left_out(guest):
    watcher = guest()
    nicks = [f"m{i}" for i in range(105)]
    watcher.send("MONITOR + " + ",".join(nicks[:60]))
    got = watcher.ask("MONITOR + " + ",".join(nicks[60:]))
    full = one(got, "734").params
    assert full[1] == "100" and full[2].split(",") == nicks[100:]
    listed = ",".join(m.text for m in only(watcher.ask("MONITOR L"), "732")).split(",")
    assert sorted(listed) == sorted(nicks[:100])


def test_a_state_is_told_once(house, guest):
    """Who came before the question is in its answer, and not told again behind it."""
    watcher, nick = guest(), name()
    with Irc(house, nick):
        got = watcher.ask(f"MONITOR + {nick}")
        assert verbs(got) == ["730"] and watcher.sync() == []


@pytest.mark.parametrize("caps,seen", [(ALL, ["AWAY", "AWAY", "SETNAME"]), (("extended-monitor",), [])])
def test_extended_monitor_tells_changes_of_strangers(guest, caps, seen):
    watcher, a = guest(caps), guest()
    watcher.ask(f"MONITOR + {a.nick}")
    a.ask("AWAY :lunch", "AWAY", "SETNAME :Another Name")
    got = watcher.sync()
    assert verbs(got) == seen and all(m.nick == a.nick for m in got)
    if seen:
        assert [m.params for m in got] == [["lunch"], [], ["Another Name"]]


# -- AWAY, SETNAME --------------------------------------------------------------------------------


def test_away_is_set_said_and_ended(guest):
    a, b = guest(), guest()
    assert verbs(a.ask("AWAY :not here")) == ["306"]
    assert b.ask(f"PRIVMSG {a.nick} :hello")[0].params == [b.nick, a.nick, "not here"]
    assert verbs(a.ask("AWAY :"))[-1] == "305"
    assert b.ask(f"PRIVMSG {a.nick} :hello") == []


def test_away_and_setname_are_told_in_common_channels(guest):
    channel = room()
    a, knows, old = guest(), guest(ALL), guest()
    for client in (a, knows, old):
        client.join(channel)
        a.sync(), knows.sync()
    assert a.ask("AWAY :tea", "SETNAME :A New Name", "AWAY") [0].verb == "306"
    assert [(m.verb, m.params) for m in knows.sync()] == [
        ("AWAY", ["tea"]), ("SETNAME", ["A New Name"]), ("AWAY", [])]
    assert old.sync() == []
    assert one(old.ask(f"WHOIS {a.nick}"), "311").text == "A New Name"
    assert one(a.ask("SETNAME :" + "x" * 151), "FAIL").params[:2] == ["SETNAME", "INVALID_REALNAME"]


# -- operators ------------------------------------------------------------------------------------


def test_oper_wants_the_password_of_an_administrator(house, guest, oper):
    a = guest()
    for line in (f"OPER boss wrong-password", f"OPER ann :{PASSWORD}", "OPER nobody-here x"):
        assert verbs(a.ask(line))[-1] in ("464", "491")
    assert verbs(a.ask("OPER boss")) == ["461"]
    assert "313" not in verbs(oper.ask(f"WHOIS {a.nick}"))
    assert "313" in verbs(a.ask(f"WHOIS {oper.nick}"))


def test_an_administrator_who_is_logged_in_proves_nothing_again(house, oper):
    with Irc(house, name(), account=("boss", PASSWORD)) as boss:
        got = boss.ask("OPER boss whatever")
        assert "381" in verbs(got) and one(got, "MODE").params == [boss.nick, "+o"]


def test_only_operators_kill_wallop_and_broadcast(guest, oper):
    a, b = guest(), guest()
    for line in (f"KILL {b.nick} :x", "WALLOPS :x", "BROADCAST :x"):
        assert verbs(a.ask(line)) == ["481"]
    a.ask(f"MODE {a.nick} +w")
    oper.ask("WALLOPS :to whom it concerns")
    got = a.sync()
    assert one(got, "WALLOPS").text.endswith("to whom it concerns") and got[-1].nick == oper.nick
    assert b.sync() == []
    oper.ask("BROADCAST :the house closes at ten")
    for client in (a, b):
        assert [m.text for m in client.sync() if "closes at ten" in m.text]
    assert verbs(oper.ask("KILL nobody-of-this-name :x")) == ["401"]
    oper.ask(f"KILL {b.nick} :enough")
    assert any(m.verb in ("KILL", "ERROR") and "enough" in m.line for m in b.rest())
    assert "401" in verbs(a.ask(f"WHOIS {b.nick}"))


def test_who_is_no_administrator_any_more_is_no_operator(house, guest):
    house.account("chief", PASSWORD)
    house.ctl("user", "admin", "chief", "on")
    a, b = guest(), guest()
    a.ask(f"OPER chief :{PASSWORD}")
    house.ctl("user", "lock", "chief")
    assert verbs(a.ask(f"KILL {b.nick} :x")) == ["MODE", "481"]
    assert b.sync() == []


def test_idle_time_counts_from_the_last_message(guest):
    a, b = guest(), guest()
    time.sleep(1.2)
    idle = int(one(b.ask(f"WHOIS {a.nick}"), "317").params[2])
    assert idle >= 1
    a.ask(f"PRIVMSG {b.nick} :still here")
    assert until(lambda: int(one(b.ask(f"WHOIS {a.nick}"), "317").params[2]) < idle, what="activity")
