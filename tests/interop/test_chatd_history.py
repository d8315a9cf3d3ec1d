"""What was said: CHATHISTORY, what is replayed to clients that do not ask, read markers, metadata;
and that nobody gets any of it who may not."""

import re
import time

import pytest

from instance import until
from ircrooms import guest, house, params  # noqa: F401
from ircs import ALL, PASSWORD, USUAL, Irc, name, one, only, room, verbs

PLAYBACK = tuple(cap for cap in ALL if cap != "draft/event-playback")


@pytest.fixture
def people(house):
    """Fresh accounts with a session each: people(2, caps)."""
    made = []

    def make(count=1, caps=PLAYBACK):
        names = [name("p") for _ in range(count)]
        for each in names:
            house.account(each, PASSWORD)
        made.extend(Irc(house, each, caps, account=(each, PASSWORD)) for each in names)
        return made[-count:] if count > 1 else made[-1]

    yield make
    for client in made:
        client.close()


def said(messages):
    return [m.text for m in only(messages, "PRIVMSG", "NOTICE")]


def history(client, question, target):
    """The one batch that answers; its messages."""
    got = client.ask("CHATHISTORY " + question)
    start, *inner, end = got
    assert start.verb == "BATCH" and start.params[1:] == ["chathistory", target], got
    ref = start.params[0][1:]
    assert start.params[0][0] == "+" and end.params == ["-" + ref]
    assert all(m.tags["batch"] == ref for m in inner)
    return inner


def say(client, target, texts):
    """Messages, each in a millisecond of its own; their echoes."""
    echoes = []
    for text in texts:
        echoes.append(one(client.ask(f"PRIVMSG {target} :{text}"), "PRIVMSG"))
        time.sleep(0.003)
    return echoes


def at(message):
    return "timestamp=" + message.tags["time"]


def by_id(message):
    return "msgid=" + message.id


# -- CHATHISTORY ----------------------------------------------------------------------------------


@pytest.fixture
def talked(guest):
    """Somebody in a channel where ten things were said, with their echoes."""
    client, channel = guest(PLAYBACK), room()
    client.join(channel)
    return client, channel, say(client, channel, [f"line {i}" for i in range(10)])


@pytest.mark.parametrize("ref", [by_id, at], ids=["msgid", "timestamp"])
def test_points_are_never_included_and_limits_count_from_them(talked, ref):
    client, channel, said_ = talked
    ids = [m.id for m in said_]

    def ask(question):
        return [m.id for m in history(client, question, channel)]

    assert ask(f"LATEST {channel} * 100") == ids
    assert ask(f"LATEST {channel} * 3") == ids[-3:]
    assert ask(f"LATEST {channel} {ref(said_[4])} 100") == ids[5:]
    assert ask(f"LATEST {channel} {ref(said_[4])} 2") == ids[-2:]
    assert ask(f"BEFORE {channel} {ref(said_[6])} 100") == ids[:6]
    assert ask(f"BEFORE {channel} {ref(said_[6])} 2") == ids[4:6]
    assert ask(f"AFTER {channel} {ref(said_[3])} 100") == ids[4:]
    assert ask(f"AFTER {channel} {ref(said_[3])} 2") == ids[4:6]
    assert ask(f"BETWEEN {channel} {ref(said_[1])} {ref(said_[8])} 100") == ids[2:8]
    assert ask(f"BETWEEN {channel} {ref(said_[1])} {ref(said_[8])} 2") == ids[2:4]
    assert ask(f"BETWEEN {channel} {ref(said_[8])} {ref(said_[1])} 2") == ids[6:8]
    assert ask(f"BETWEEN {channel} {ref(said_[4])} {ref(said_[4])} 9") == []
    assert ask(f"AROUND {channel} {ref(said_[5])} 1") == ids[5:6]
    assert ask(f"AROUND {channel} {ref(said_[5])} 3") == ids[4:7]
    assert ask(f"AROUND {channel} {ref(said_[9])} 4") == ids[6:10]


def test_history_is_what_was_delivered(talked):
    client, channel, said_ = talked
    got = history(client, f"LATEST {channel} * 100", channel)
    for then, now in zip(said_, got, strict=True):
        assert (then.source, then.verb, then.params) == (now.source, now.verb, now.params)
        assert then.tags["time"] == now.tags["time"] and then.id == now.id


def test_answers_without_batch_are_the_bare_messages(talked, guest):
    client, channel, said_ = talked
    plain = guest(("draft/chathistory",))
    plain.join(channel)
    assert said(plain.ask(f"CHATHISTORY LATEST {channel} * 2")) == ["line 8", "line 9"]
    client.sync()


@pytest.mark.parametrize("words,code", [
    ("", None),
    ("NEWEST #x * 1", "INVALID_PARAMS"),
    ("LATEST", "INVALID_PARAMS"),
    ("LATEST {channel} *", "INVALID_PARAMS"),
    ("LATEST {channel} * 1 more", "INVALID_PARAMS"),
    ("LATEST {channel} * 0", "INVALID_PARAMS"),
    ("LATEST {channel} * ten", "INVALID_PARAMS"),
    ("LATEST {channel} * -5", "INVALID_PARAMS"),
    ("BEFORE {channel} * 5", "INVALID_PARAMS"),
    ("BEFORE {channel} timestamp=yesterday 5", "INVALID_PARAMS"),
    ("BEFORE {channel} msgid= 5", "INVALID_PARAMS"),
    ("BEFORE {channel} bookmark=1 5", "INVALID_PARAMS"),
    ("AFTER {channel} msgid=99999999-0000 5", "MESSAGE_ERROR"),
    ("BETWEEN {channel} timestamp=2026-01-01T00:00:00.000Z 5", "INVALID_PARAMS"),
    ("LATEST #nothing-of-the-kind * 5", "INVALID_TARGET"),
    ("LATEST nobody-of-this-name * 5", "INVALID_TARGET"),
    ("TARGETS * * 5", "INVALID_PARAMS"),
    ("TARGETS timestamp=2026-01-01T00:00:00.000Z 5", "INVALID_PARAMS"),
])
def test_what_is_malformed_is_refused_in_one_line(talked, words, code):
    client, channel, _ = talked
    got = client.ask("CHATHISTORY " + words.format(channel=channel))
    assert len(got) == 1
    if code is None:
        assert got[0].verb == "461"
    else:
        assert got[0].verb == "FAIL" and got[0].params[:2] == ["CHATHISTORY", code], got
        assert got[0].params[2] == words.split()[0]


def test_only_messages_without_event_playback(guest):
    a, b, channel = guest(PLAYBACK), guest(ALL), room()
    a.join(channel)
    b.join(channel)
    a.sync()
    a.ask(f"TOPIC {channel} :about", f"PRIVMSG {channel} :words", f"MODE {channel} +m",
          f"@+x=y;+draft/persist TAGMSG {channel}", f"NOTICE {channel} :more")
    b.sync()
    assert verbs(history(a, f"LATEST {channel} * 50", channel)) == ["PRIVMSG", "NOTICE"]
    played = verbs(history(b, f"LATEST {channel} * 50", channel))
    assert [v for v in played if v in ("TOPIC", "PRIVMSG", "MODE", "NOTICE")][-4:] == [
        "TOPIC", "PRIVMSG", "MODE", "NOTICE"]
    assert "JOIN" in played
    # A limit counts what is sent, not what is left out.
    assert verbs(history(a, f"LATEST {channel} * 2", channel)) == ["PRIVMSG", "NOTICE"]


def test_history_of_a_channel_is_its_members_alone(guest, people):
    a, stranger, channel = guest(PLAYBACK), guest(PLAYBACK), room()
    a.join(channel)
    a.ask(f"PRIVMSG {channel} :between us")
    question = f"CHATHISTORY LATEST {channel} * 10"

    def refused(client):
        got = client.ask(question)
        return len(got) == 1 and got[0].params[:3] == ["CHATHISTORY", "INVALID_TARGET", "LATEST"]

    assert refused(stranger)
    stranger.join(channel)
    assert said(stranger.ask(question)) == ["between us"]
    stranger.ask(f"PART {channel}")
    assert refused(stranger)
    stranger.join(channel)
    a.ask(f"KICK {channel} {stranger.nick}")
    stranger.sync()
    assert refused(stranger)
    # An account keeps its role in a channel when it leaves; that is no membership.
    keeper = people()
    own = room()
    keeper.join(own)
    keeper.ask(f"PRIVMSG {own} :mine", f"PART {own}")
    got = keeper.ask(f"CHATHISTORY LATEST {own} * 10")
    assert got[0].params[1] == "INVALID_TARGET"
    # Secret or not there at all: the answer is the same.
    a.ask(f"MODE {channel} +s")
    there = stranger.ask(question)[0].line.replace(channel, "#")
    not_there = stranger.ask("CHATHISTORY LATEST #none-such * 10")[0].line.replace("#none-such", "#")
    assert there == not_there


def test_words_to_operators_stay_with_operators(guest):
    op, plain, channel = guest(PLAYBACK), guest(PLAYBACK), room()
    op.join(channel)
    plain.join(channel)
    op.ask(f"PRIVMSG @{channel} :for operators", f"PRIVMSG {channel} :for all")
    plain.ask(f"PRIVMSG @{channel} :to the operators")
    op.sync()
    assert said(history(plain, f"LATEST {channel} * 10", channel)) == ["for all", "to the operators"]
    assert said(history(op, f"LATEST {channel} * 10", channel)) == [
        "for operators", "for all", "to the operators"]


def test_redacted_messages_are_gone(talked):
    client, channel, said_ = talked
    client.ask(f"REDACT {channel} {said_[3].id} :oops")
    got = said(history(client, f"LATEST {channel} * 100", channel))
    assert "line 3" not in got and len(got) == 9
    assert said(history(client, f"AFTER {channel} {by_id(said_[3])} 1", channel)) == ["line 4"]


def test_talks_are_for_the_two_who_hold_them(house, people, guest):
    a, b, c = people(3)
    g = guest(PLAYBACK)
    say(a, b.nick, ["one"])
    b.sync()
    say(b, a.nick, ["two"])
    a.sync()
    say(a, c.nick, ["aside"])
    say(a, g.nick, ["to a guest"])
    b.sync(), c.sync(), g.sync(), a.sync()
    assert said(history(a, f"LATEST {b.nick} * 10", b.nick)) == ["one", "two"]
    upper = a.nick.upper()
    assert said(history(b, f"LATEST {upper} * 10", upper)) == ["one", "two"]
    assert said(history(c, f"LATEST {b.nick} * 10", b.nick)) == []
    assert said(history(c, f"LATEST {a.nick} * 10", a.nick)) == ["aside"]
    assert said(history(a, f"LATEST {g.nick} * 10", g.nick)) == ["to a guest"]
    assert said(history(guest(PLAYBACK), f"LATEST {a.nick} * 10", a.nick)) == []
    # Whoever takes a guest's nick afterwards does not take what was said to it.
    nick = g.nick
    g.quit()
    with Irc(house, nick, PLAYBACK) as later:
        assert said(history(later, f"LATEST {a.nick} * 10", a.nick)) == []
    # Who is away for now can still be asked about.
    b.quit()
    assert said(history(a, f"LATEST {b.nick} * 10", b.nick)) == ["one", "two"]


def test_targets_by_their_last_message(people):
    a, b, c = people(3)
    first, second = room(), room()
    a.join(first, second)
    times = {}
    for target in (first, b.nick, second, c.nick):
        times[target] = say(a, target, ["x"])[0].tags["time"]
    ages, future = "timestamp=2020-01-01T00:00:00.000Z", "timestamp=2999-01-01T00:00:00.000Z"

    def ask(words):
        got = a.ask(f"CHATHISTORY TARGETS {words}")
        assert got[0].params[1] == "draft/chathistory-targets" and got[-1].verb == "BATCH"
        assert all(m.params[0] == "TARGETS" for m in got[1:-1])
        return [tuple(m.params[1:]) for m in got[1:-1]]

    every = list(times.items())
    assert ask(f"{ages} {future} 50") == every
    assert ask(f"{ages} {future} 2") == every[:2]
    assert ask(f"{future} {ages} 2") == every[2:]
    assert ask(f"timestamp={times[first]} timestamp={times[c.nick]} 50") == every[1:3]
    say(a, first, ["again"])  # only the last message of a target counts
    assert [t for t, _ in ask(f"{ages} timestamp={times[c.nick]} 50")] == [b.nick, second]
    a.ask(f"PART {second}")
    assert second not in dict(ask(f"{ages} {future} 50"))


def test_labels_come_on_the_batch(talked):
    client, channel, _ = talked
    got = client.ask(f"@label=mine CHATHISTORY LATEST {channel} * 2")
    assert got[0].tags.get("label") == "mine" and got[0].verb == "BATCH"
    assert one(client.ask("@label=other CHATHISTORY LATEST #no * 2"), "FAIL").tags["label"] == "other"


# -- replay to clients that do not ask ------------------------------------------------------------


def missed(house, account, caps=()):
    """What a client of an account is told when it comes, behind 001."""
    with Irc(house, account, caps, account=(account, PASSWORD)) as client:
        messages = client.welcome
        client.quit()
    return messages


def test_what_was_missed_is_replayed_once(house, people):
    a, b = people(2)
    channel = room()
    b.join(channel)
    a.join(channel)
    b.quit()
    say(a, channel, ["in the channel", "and again"])
    say(a, b.nick, ["to you"])
    got = missed(house, b.nick, USUAL)
    assert said(got) == ["in the channel", "and again", "to you"]
    assert verbs(got).index("JOIN") < verbs(got).index("PRIVMSG")
    batches = [m.params for m in only(got, "BATCH") if len(m.params) > 1]
    assert [p[1:] for p in batches] == [["chathistory", channel], ["chathistory", a.nick]]
    echo = one([m for m in got if m.text == "to you"], "PRIVMSG")
    assert echo.nick == a.nick and echo.params[0] == b.nick
    assert said(missed(house, b.nick, USUAL)) == []


def test_times_are_told_in_the_text_where_nothing_else_can(house, people):
    a, b = people(2)
    b.quit()
    then = say(a, b.nick, ["words", "\x01ACTION waves\x01"])
    got = said(missed(house, b.nick))
    stamp = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] "
    assert re.fullmatch(stamp + "words", got[0]), got
    assert re.fullmatch("\x01ACTION " + stamp + "waves\x01", got[1]), got
    assert then[0].tags["time"][:10] in got[0]


def test_clients_that_know_chathistory_ask_for_themselves(house, people):
    a, b = people(2)
    b.quit()
    say(a, b.nick, ["ask for me"])
    assert said(missed(house, b.nick, PLAYBACK)) == []
    with Irc(house, b.nick, PLAYBACK, account=(b.nick, PASSWORD)) as again:
        assert said(history(again, f"LATEST {a.nick} * 5", a.nick)) == ["ask for me"]


def test_old_requests_are_not_asked_again(house, people):
    a, b = people(2)
    b.quit()
    a.ask(f"PRIVMSG {b.nick} :\x01VERSION\x01", f"PRIVMSG {b.nick} :real")
    assert said(missed(house, b.nick, USUAL)) == ["real"]


def test_each_device_has_a_place_of_its_own(house, people):
    a, b = people(2)
    b.quit()

    def comes(device):
        account = (f"{b.nick}@{device}", PASSWORD)
        with Irc(house, b.nick, USUAL, account=account) as client:
            messages = client.welcome
            client.quit()
        return said(messages)

    comes("phone"), comes("desk")
    say(a, b.nick, ["first"])
    assert comes("phone") == ["first"]
    say(a, b.nick, ["second"])
    assert comes("phone") == ["second"]
    assert comes("desk") == ["first", "second"]


def test_a_line_that_is_cut_loses_nothing(house, people):
    a, b = people(2, USUAL + ("echo-message",))
    channel = room()
    b.join(channel)
    a.join(channel)
    b.cut()
    until(lambda: "QUIT" in verbs(a.sync()), what="the QUIT")
    say(a, channel, ["while you were cut off"])
    assert "while you were cut off" in said(missed(house, b.nick, USUAL))


def test_what_is_too_much_is_counted(house, people):
    a, b = people(2)
    b.quit()
    a.send(*(f"PRIVMSG {b.nick} :number {i}" for i in range(1030)))
    a.sync()
    got = missed(house, b.nick, USUAL)
    texts = [m.text for m in only(got, "PRIVMSG")]
    assert texts == [f"number {i}" for i in range(30, 1030)]
    notes = [m.text for m in only(got, "NOTICE") if a.nick in m.text]
    assert len(notes) == 1 and re.search(r"\b30 more", notes[0])


def test_nothing_from_before_the_join_is_replayed(house, people):
    a, b = people(2)
    channel = room()
    a.join(channel)
    say(a, channel, ["before"])
    b.join(channel)
    say(a, channel, ["behind"])
    b.cut()
    until(lambda: "QUIT" in verbs(a.sync()), what="the QUIT")
    assert said(missed(house, b.nick, USUAL)) == ["behind"]


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
