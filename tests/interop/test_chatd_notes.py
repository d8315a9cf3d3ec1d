"""What people note beside what is said: read markers and metadata; and who may see which."""

import pytest

from ircrooms import PLAYBACK, guest, house, params, people  # noqa: F401
from ircs import PASSWORD, Irc, name, one, only, room, verbs


# -- read markers ---------------------------------------------------------------------------------

MARK = "2026-03-15T10:00:00.000Z"


def marker(messages):
    return one(messages, "MARKREAD").params


def test_markers_move_on_and_are_shown_at_the_join(guest):
    a, channel = guest(("draft/read-marker",)), room()
    got = a.join(channel)
    assert marker(got) == [channel, "*"] and verbs(got).index("MARKREAD") < verbs(got).index("366")
    assert marker(a.ask(f"MARKREAD {channel} timestamp={MARK}")) == [channel, f"timestamp={MARK}"]
    assert marker(a.ask(f"MARKREAD {channel}")) == [channel, f"timestamp={MARK}"]
    older = "2025-01-01T00:00:00.000Z"
    assert marker(a.ask(f"MARKREAD {channel} timestamp={older}")) == [channel, f"timestamp={MARK}"]
    a.ask(f"PART {channel}")
    assert marker(a.join(channel)) == [channel, f"timestamp={MARK}"]


def test_markers_cannot_be_in_the_future(guest):
    a, channel = guest(("draft/read-marker",)), room()
    a.join(channel)
    when = marker(a.ask(f"MARKREAD {channel} timestamp=2999-01-01T00:00:00.000Z"))[1]
    assert when < "timestamp=2999"


def test_markers_of_people_and_of_what_is_not_there(guest):
    a, b = guest(("draft/read-marker",)), guest()
    assert marker(a.ask(f"MARKREAD {b.nick} timestamp={MARK}")) == [b.nick, f"timestamp={MARK}"]
    assert marker(a.ask(f"MARKREAD {b.nick}")) == [b.nick, f"timestamp={MARK}"]
    assert marker(a.ask("MARKREAD #nothing-of-the-kind")) == ["#nothing-of-the-kind", "*"]
    assert b.sync() == []


@pytest.mark.parametrize("words,code", [
    ("", "NEED_MORE_PARAMS"), ("{channel} *", "INVALID_PARAMS"),
    ("{channel} timestamp=never", "INVALID_PARAMS"), ("{channel} " + MARK, "INVALID_PARAMS"),
])
def test_markers_are_times(guest, words, code):
    a, channel = guest(("draft/read-marker",)), room()
    a.join(channel)
    got = a.ask("MARKREAD " + words.format(channel=channel))
    assert one(got, "FAIL").params[:2] == ["MARKREAD", code]


def test_markers_are_shared_with_ones_own_devices_only(house, people):
    a, b = people(2)
    channel = room()
    a.join(channel)
    b.join(channel)
    with Irc(house, a.nick, PLAYBACK, account=(a.nick, PASSWORD)) as other:
        a.ask(f"MARKREAD {channel} timestamp={MARK}")
        assert marker(other.sync()) == [channel, f"timestamp={MARK}"]
        assert only(b.sync(), "MARKREAD") == []
        assert marker(b.ask(f"MARKREAD {channel}")) == [channel, "*"]
    a.quit()
    with Irc(house, a.nick, PLAYBACK, account=(a.nick, PASSWORD)) as later:
        assert [channel, f"timestamp={MARK}"] in params(later.welcome, "MARKREAD")


# -- metadata -------------------------------------------------------------------------------------

META = ("draft/metadata-3", "batch")


def batch_of(messages, target):
    start, *inner, end = messages
    assert start.params[1:] == ["metadata", target] and end.params == ["-" + start.params[0][1:]]
    return inner


def test_metadata_of_oneself_is_set_listed_and_removed(guest):
    a = guest(META)
    for target in ("*", a.nick):
        assert one(a.ask(f"METADATA {target} SET Avatar :https://a.example/x y"), "761").params[1:] == [
            a.nick, "avatar", "*", "https://a.example/x y"]
    a.ask("METADATA * SET color :#c90076")
    got = batch_of(a.ask("METADATA * GET color none avatar $bad"), a.nick)
    assert [(m.verb, m.params[2]) for m in got] == [
        ("761", "color"), ("766", "none"), ("761", "avatar"), ("FAIL", "$bad")]
    got = batch_of(a.ask("METADATA * LIST"), a.nick)
    assert {m.params[2]: m.params[4] for m in got} == {
        "avatar": "https://a.example/x y", "color": "#c90076"}
    assert one(a.ask("METADATA * SET color"), "766").params[1:3] == [a.nick, "color"]
    assert one(a.ask("METADATA * SET color"), "FAIL").params[:2] == ["METADATA", "KEY_NOT_SET"]
    assert [m.params[2] for m in batch_of(a.ask("METADATA * CLEAR"), a.nick)] == ["avatar"]
    assert batch_of(a.ask("METADATA * LIST"), a.nick) == []


def test_metadata_has_limits(guest):
    a = guest(META)
    assert one(a.ask("METADATA * SET k :" + "x" * 301), "FAIL").params[1] == "INVALID_VALUE"
    assert one(a.ask("METADATA * SET k :" + "x" * 300), "761")
    assert one(a.ask("METADATA * SET " + "k" * 65 + " :x"), "FAIL").params[1] == "INVALID_KEY"
    for i in range(49):
        assert one(a.ask(f"METADATA * SET k{i} :x"), "761")
    assert one(a.ask("METADATA * SET onemore :x"), "FAIL").params[1] == "LIMIT_REACHED"
    got = a.ask("METADATA * SUB " + " ".join(f"s{i}" for i in range(13)))
    assert one(got, "770").params[1:] == [f"s{i}" for i in range(13)]
    for i in range(13, 50):
        a.ask(f"METADATA * SUB s{i}")
    assert one(a.ask("METADATA * SUB s50"), "FAIL").params[1:3] == ["LIMIT_REACHED", "s50"]
    listed = [key for m in only(a.ask("METADATA * SUBS"), "772") for key in m.params[1:]]
    assert sorted(listed) == sorted(f"s{i}" for i in range(50))
    a.ask("METADATA * UNSUB s3 s4")
    assert "770" in verbs(a.ask("METADATA * SUB s50"))


@pytest.mark.parametrize("words,code", [
    ("nobody-of-this-name LIST", "INVALID_TARGET"), ("#none-such LIST", "INVALID_TARGET"),
    ("* DESTROY", "INVALID_PARAMS"), ("{other} SET k :v", "KEY_NO_PERMISSION"),
    ("{other} CLEAR", "KEY_NO_PERMISSION"), ("* SET \xfc :v", "INVALID_KEY"),
])
def test_metadata_refusals(guest, words, code):
    a, other = guest(META), guest()
    got = a.ask("METADATA " + words.format(other=other.nick))
    assert len(got) == 1 and got[0].verb == "FAIL" and got[0].params[1] == code, got


def test_metadata_of_a_channel_is_its_members_alone(guest):
    op, member, stranger, channel = guest(META), guest(META), guest(META), room()
    op.join(channel)
    member.join(channel)
    assert one(op.ask(f"METADATA {channel} SET topic-of :secrets"), "761")
    assert one(member.ask(f"METADATA {channel} SET k :v"), "FAIL").params[1] == "KEY_NO_PERMISSION"
    got = batch_of(member.ask(f"METADATA {channel} LIST"), channel)
    assert [m.params[4] for m in got] == ["secrets"]
    stranger.ask("METADATA * SUB topic-of")
    for words in ("GET topic-of", "LIST", "SYNC", "SET topic-of :x", "CLEAR"):
        got = stranger.ask(f"METADATA {channel} {words}")
        assert verbs(got) == ["FAIL"] and got[0].params[1] == "KEY_NO_PERMISSION"
        assert "secrets" not in got[0].line
    op.ask(f"MODE {channel} +s")
    assert one(stranger.ask(f"METADATA {channel} LIST"), "FAIL").params[1] == "INVALID_TARGET"
    op.ask(f"METADATA {channel} SET topic-of :changed")
    assert stranger.sync() == []


def test_metadata_of_the_invisible_is_for_those_who_share_a_channel(guest):
    a, b, channel = guest(META), guest(META), room()
    a.ask("METADATA * SET status :hiding")
    assert batch_of(b.ask(f"METADATA {a.nick} LIST"), a.nick)
    assert one(b.ask(f"WHOIS {a.nick}"), "760").params[1:] == [a.nick, "status", "*", "hiding"]
    a.ask(f"MODE {a.nick} +i")
    assert one(b.ask(f"METADATA {a.nick} LIST"), "FAIL").params[1] == "KEY_NO_PERMISSION"
    assert "760" not in verbs(b.ask(f"WHOIS {a.nick}"))
    a.join(channel)
    b.join(channel)
    assert batch_of(b.ask(f"METADATA {a.nick} LIST"), a.nick)


def test_metadata_changes_are_told_to_subscribers(guest):
    a, b, deaf, channel = guest(META), guest(META), guest(META), room()
    a.ask("METADATA * SET status :early")
    assert verbs(b.ask("METADATA * SUB status avatar")) == ["770", "774"]
    assert verbs(a.ask("METADATA * SET status :now")) == ["761"]
    assert b.sync() == []  # a stranger
    a.join(channel)
    got = b.ask(f"JOIN {channel}")
    assert [m.params[1:] for m in only(got, "761")] == [[a.nick, "status", "*", "now"]]
    deaf.join(channel)
    a.sync(), b.sync()
    assert verbs(a.ask("METADATA * SET status :then")) == ["761"]
    assert [m.params[1:] for m in b.sync()] == [[a.nick, "status", "*", "then"]]
    a.ask("METADATA * SET status", "METADATA * SET color :#fff")
    assert [(m.verb, m.params[1:3]) for m in b.sync()] == [("766", [a.nick, "status"])]
    a.ask(f"METADATA {channel} SET avatar :a-picture")
    assert [m.params[1:3] for m in b.sync()] == [[channel, "avatar"]]
    assert deaf.sync() == []
    synced = batch_of(b.ask("METADATA *ALL SYNC"), "*ALL")
    assert [m.params[1:3] for m in synced] == [[channel, "avatar"]]


def test_metadata_can_be_set_before_registration(house):
    nick = name()
    with Irc(house) as a:
        a.send("CAP LS 302", *(f"CAP REQ {cap}" for cap in META))
        a.send("METADATA * SUB status", "METADATA * SET status :first words",
               "METADATA somebody SET status :x")
        got = a.until("FAIL")
        assert one(got, "770").params == ["*", "status"]
        assert one(got, "761").params == ["*", "*", "status", "*", "first words"]
        assert got[-1].params[1] == "INVALID_TARGET"
        a.send(f"NICK {nick}", "USER u 0 * :r", "CAP END")
        burst = a.until("376", "422")
        assert one(burst, "761").params[1:] == [nick, "status", "*", "first words"]
        start = [m for m in only(burst, "BATCH") if m.params[1:] == ["metadata", nick]]
        assert len(start) == 1
        assert batch_of(a.ask("METADATA * LIST"), nick)
