"""quintetctl and chat: channels and people, the house's word to them, policies, what a removal does."""

import json
import time

import pytest

from instance import until
from ircs import PASSWORD, Irc, name, one, only, room, verbs
from ircrooms import guest, house, pair  # noqa: F401

SETTINGS = {
    "chat_about": ("Quintet", "Our house", "x" * 201), "chat_accounts": ("required", "optional", "perhaps"),
    "chat_always_on": ("yes", "no", "maybe"), "chat_auto_login": ("yes", "no", "1"),
    "chat_channels": ("50", "0", "-1"), "chat_flood_burst": ("50", "1", "0"),
    "chat_flood_rate": ("10", "0", "fast"), "chat_keep": ("90d", "0", "long"),
    "chat_lag": ("20000", "100", "99"), "chat_motd": ("", "Be kind.", "x" * 256),
    "chat_quota_day": ("64M", "0", "lots"), "chat_register_early": ("yes", "no", "later"),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings(host, setting):
    standard, other, bad = SETTINGS[setting]
    rows = {r["setting"]: r for r in host.json("get")}
    assert rows[setting]["value"] == rows[setting]["default"] == standard and rows[setting]["meaning"]
    host.ctl("set", setting, bad, status=1)
    host.ctl("set", setting, other)
    assert host.ctl("get", setting) == other + "\n"
    host.ctl("set", setting, "--default")
    assert host.ctl("get", setting) == standard + "\n"


def test_no_setting_of_chat_is_left_out(host):
    assert {r["setting"] for r in host.json("get") if r["setting"].startswith("chat_")} == {*SETTINGS, "chat_password"}


@pytest.mark.parametrize("on_the_line", [True, False])
def test_the_password_is_told_to_nobody(host, on_the_line):
    secret = "open, sesame"
    said = host.ctl("set", "chat_password", secret if on_the_line else "-", text=secret + "\n")
    assert "(set)" in said
    assert host.ctl("get", "chat_password") == "(set)\n"
    told = said + host.ctl("get") + host.ctl("--json", "get") + host.ctl("audit") + host.complaint
    assert secret not in told and "$y$" not in told and "chat_password=(secret)" in told
    assert secret.encode() not in host.path("state/store/data.mdb").read_bytes()
    host.ctl("set", "chat_password", "x" * 201, status=1)
    assert "xxx" not in host.complaint
    host.ctl("set", "chat_password", "--default")
    assert host.ctl("get", "chat_password") == "\n"


def test_the_password_opens_the_door(make_instance):
    own = make_instance()
    own.ctl("set", "chat_accounts", "optional")
    own.ctl("set", "chat_password", "sesame")
    own.ctl("set", "throttle_source", "3")
    own.ctl("set", "throttle_decay_s", "1h")
    own.start("chatd")

    def knock(*lines):
        with Irc(own) as client:
            client.send(*lines, "NICK someone", "USER u 0 * :Somebody", "QUIT")
            return client.rest()

    assert "001" in verbs(knock("PASS sesame"))
    assert "needed" in knock()[-1].text
    for _ in range(4):
        assert verbs(knock("PASS Sesame")) == ["464", "ERROR"]
    late = knock("PASS sesame")
    assert verbs(late) == ["464", "ERROR"] and "try again later" in late[-1].text
    assert "wrong chat_password" in own.ctl("audit").stdout


# -- channels and people --------------------------------------------------------------------------


def table(house, what):  # noqa: F811
    return json.loads(house.ctl("--json", "chat", what).stdout)


def test_channels(house, guest):  # noqa: F811
    channel = room()
    with Irc(house, "ann", account=("ann", PASSWORD)) as ann:
        visitor = guest()
        ann.join(channel)
        ann.ask(f"MODE {channel} +skl word 9", f"TOPIC {channel} :of tables", f"INVITE {visitor.nick} {channel}")
        visitor.join(channel)
        for text in ("one", "two", "three"):
            ann.send(f"PRIVMSG {channel} :{text}")
        visitor.ask(f"NOTICE {channel} :four", f"TAGMSG {channel}")
        ann.sync()
        row = one_channel(house, channel)
        assert (row["members"], row["present"], row["founder"], row["modes"]) == (2, 2, "ann", "+klnst")
        assert (row["messages"], row["topic"]) == (4, "of tables") and row["created"].endswith("Z")
        ann.quit()
    until(lambda: one_channel(house, channel)["present"] == 1)
    assert one_channel(house, channel)["members"] == 2
    said = house.ctl("chat", "channels").stdout
    assert said.startswith("CHANNEL") and channel in said and "word" not in said


def one_channel(house, channel):  # noqa: F811
    (row,) = [r for r in table(house, "channels") if r["channel"] == channel]
    return row


def test_people(house, guest):  # noqa: F811
    visitor = guest()
    with Irc(house, "bob", account=("bob", PASSWORD)) as bob, Irc(house, "bob", account=("bob", PASSWORD)) as phone:
        bob.join(room(), room())
        phone.ask("AWAY :at lunch")
        rows = {r["nick"]: r for r in table(house, "people")}
        assert (rows["bob"]["account"], rows["bob"]["sessions"], rows["bob"]["channels"]) == ("bob", 2, 2)
        assert rows["bob"]["away"] == "at lunch" and rows["bob"]["since"].endswith("Z")
        assert (rows[visitor.nick]["account"], rows[visitor.nick]["sessions"]) == ("", 1)
        assert "127.0.0.1" not in house.ctl("chat", "people").stdout


def test_top_shows_who_talks(house, guest):  # noqa: F811
    guest()
    with Irc(house, "bob", account=("bob", PASSWORD)):
        def rows():
            found = json.loads(house.ctl("--json", "top").stdout)
            return {r["account"]: r for r in found if r["service"] == "chatd"}

        until(lambda: {"bob", ""} <= set(rows()), what="bob and a guest in top")
        assert rows()["bob"]["peer"] == rows()[""]["peer"] == "127.0.0.1"
        assert f" {rows()['bob']['pid']} " in house.ctl("top").stdout


# -- what the house says and does -----------------------------------------------------------------


def soon(client, *wanted):
    """Without a word of the client's own: what the bell brings it, within a second."""
    start = time.monotonic()
    got = client.until(*wanted)
    assert time.monotonic() - start < 5  # a busy machine; without the bell it would be 15
    return got[-1]


def test_a_broadcast_reaches_all(house, guest):  # noqa: F811
    listeners = [guest(), guest(("server-time", "message-tags"))]
    for client in listeners:
        client.sync()
    assert "to all" in house.ctl("chat", "broadcast", "Dinner", "is", "served: ñ").stdout
    for client in listeners:
        heard = soon(client, "NOTICE")
        assert heard.source == "localhost" and heard.text == "Dinner is served: ñ"
    assert "Dinner is served" in house.ctl("audit", "--event", "chat-broadcast").stdout
    for bad in (["x" * 391], ["two\nlines"], [""], []):
        assert house.ctl("chat", "broadcast", *bad, check=False).returncode == 100
    assert listeners[0].sync() == []


def test_drop(house, pair):  # noqa: F811
    channel, op, other = pair
    op.ask(f"PRIVMSG {channel} :soon forgotten")
    other.sync()
    assert channel in house.ctl("chat", "drop", channel).stdout
    for client in (op, other):
        while (kicked := soon(client, "KICK")).params[1] != client.nick:
            assert kicked.params[1] in (op.nick, other.nick)
        assert kicked.params[0] == channel and "removed" in kicked.text
    assert all(r["channel"] != channel for r in table(house, "channels"))
    assert one(op.ask(f"PRIVMSG {channel} :hello?"), "403", "404")
    assert house.ctl("chat", "drop", channel, check=False).returncode == 1
    assert house.ctl("chat", "drop", check=False).returncode == 100
    assert channel in house.ctl("audit", "--event", "chat-drop").stdout
    house.ctl("check")


def test_kill(house, pair):  # noqa: F811
    channel, op, other = pair
    house.ctl("chat", "kill", other.nick, "enough", "now")
    assert "enough now" in soon(other, "ERROR").text
    assert soon(op, "QUIT").nick == other.nick
    done = house.ctl("chat", "kill", other.nick, check=False)
    assert done.returncode == 1 and "nick" in done.stderr
    assert other.nick in house.ctl("audit", "--event", "chat-kill").stdout
    assert channel in {r["channel"] for r in table(house, "channels")}


def test_a_removed_account_leaves_chat(house, guest):  # noqa: F811
    who, watcher, channel, empty = name(), guest(), room(), room()
    house.account(who, PASSWORD)
    with Irc(house, who, account=(who, PASSWORD)) as leaver:
        leaver.join(channel, empty)
        watcher.join(channel)
        leaver.ask(f"PRIVMSG {channel} :remember me")
        watcher.sync()
        said = house.ctl("user", "remove", who).stdout
        assert "channels that it was in: 2" in said and "Channels that it founded: 2" in said
        assert soon(watcher, "QUIT").nick == who
        assert only(leaver.rest(), "ERROR")
    row = one_channel(house, channel)
    assert (row["founder"], row["members"], row["messages"]) == ("", 1, 1)
    assert all(r["channel"] != empty for r in table(house, "channels"))
    house.ctl("check")


def test_a_locked_account_is_out_at_once(house, guest):  # noqa: F811
    who, watcher, channel = name(), guest(), room()
    house.account(who, PASSWORD)
    with Irc(house, who, account=(who, PASSWORD)) as locked:
        locked.join(channel)
        watcher.join(channel)
        house.ctl("user", "lock", who)
        assert only(locked.rest(), "ERROR")
        assert soon(watcher, "QUIT").nick == who
    row = one_channel(house, channel)
    assert (row["founder"], row["members"], row["present"]) == (who, 2, 1)
