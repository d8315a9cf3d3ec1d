"""What was said: CHATHISTORY, and what is replayed to clients that do not ask; and that nobody gets
any of it who may not."""

import re
import time

import pytest

from instance import until
from ircrooms import PLAYBACK, guest, house, params, people  # noqa: F401
from ircs import ALL, PASSWORD, USUAL, Irc, one, only, room, verbs

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
    there = stranger.ask(question)[0].params
    not_there = stranger.ask("CHATHISTORY LATEST #none-such * 10")[0].params
    assert there[:3] + there[4:] == not_there[:3] + not_there[4:]


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


# -- several lines, many pages --------------------------------------------------------------------


def test_several_lines_are_one_message_in_history_too(guest):
    a, plain, channel = guest(PLAYBACK), guest(("draft/chathistory", "batch", "server-time")), room()
    a.join(channel)
    plain.join(channel)
    a.sync()
    a.send(f"BATCH +1 draft/multiline {channel}", f"@batch=1 PRIVMSG {channel} :first line",
           f"@batch=1 PRIVMSG {channel} :second", f"@batch=1;draft/multiline-concat PRIVMSG {channel} : half",
           "BATCH -1")
    a.sync(), plain.sync()
    a.ask(f"PRIVMSG {channel} :and one more")
    got = a.ask(f"CHATHISTORY LATEST {channel} * 2")
    outer, inner = [m for m in only(got, "BATCH") if m.params[0][0] == "+"]
    assert outer.params[1] == "chathistory" and inner.params[1:] == ["draft/multiline", channel]
    assert inner.tags["batch"] == outer.params[0][1:] and inner.id
    lines = [m for m in only(got, "PRIVMSG") if m.tags["batch"] == inner.params[0][1:]]
    assert [m.text for m in lines] == ["first line", "second", " half"]
    assert "draft/multiline-concat" in lines[2].tags
    plain.sync()
    got = plain.ask(f"CHATHISTORY LATEST {channel} * 2")
    assert said(got)[-1] == "and one more" and said(got)[0] == "first line"


def test_pages_put_together_are_the_whole(talked):
    client, channel, said_ = talked
    for i in range(30):
        client.send(f"PRIVMSG {channel} :more {i}")
    client.sync()
    whole = [m.id for m in history(client, f"LATEST {channel} * 1000", channel)]
    assert len(whole) == 40 and whole[:10] == [m.id for m in said_]
    back, ref = [], "*"
    while page := history(client, f"{'LATEST' if ref == '*' else 'BEFORE'} {channel} {ref} 7", channel):
        back = [m.id for m in page] + back
        ref = by_id(page[0])
    forth, ref = [], "timestamp=2000-01-01T00:00:00.000Z"
    while page := history(client, f"AFTER {channel} {ref} 7", channel):
        forth += [m.id for m in page]
        ref = by_id(page[-1])
    assert back == whole and forth == whole


def test_much_history_reaches_a_slow_reader_whole(guest):
    a, channel = guest(PLAYBACK), room()
    a.join(channel)
    for first in range(0, 900, 100):
        a.send(*(f"PRIVMSG {channel} :{i} " + "x" * 380 for i in range(first, first + 100)))
        a.sync()
    a.send(f"CHATHISTORY LATEST {channel} * 1000")
    time.sleep(0.5)
    got = a.sync()
    assert [int(t.split()[0]) for t in said(got)] == list(range(900))


def test_who_logs_in_late_gets_what_came_before(house, people, guest):
    a, b = people(2)
    channel = room()
    late = guest(USUAL)
    late.join(channel)
    a.join(channel)
    b.quit()
    say(a, channel, ["heard live"])
    say(a, b.nick, ["waited for you"])
    late.sync()
    got = late.authenticate((b.nick, PASSWORD)) + late.sync()
    assert "waited for you" in said(got) and "heard live" not in said(got)
    late.quit()
    assert said(missed(house, b.nick, USUAL)) == []


def test_members_stay_through_a_restart(house, people):
    """Channels, roles and read markers are an account's, whatever becomes of the server."""
    channel, reads = room(), ("draft/read-marker",)
    a = people(1, (*PLAYBACK, *reads))
    a.join(channel)
    a.ask(f"MODE {channel} +s", f"PRIVMSG {channel} :before")
    marked = one(a.ask(f"MARKREAD {channel} timestamp=2024-01-01T00:00:00.000Z"), "MARKREAD").text
    house.services[-1].stop()
    house.start("chatd")
    with Irc(house, a.nick, reads, account=(a.nick, PASSWORD)) as back:
        assert one(back.welcome, "JOIN").text == channel
        assert one(back.welcome, "353").text.split() == [f"@{a.nick}"]
        assert one(back.welcome, "MARKREAD").params == [channel, marked]
        assert one(back.welcome, "PRIVMSG").text.endswith("] before")  # no PONG had told that it was received
        assert params(back.ask(f"MODE {channel}"), "324")[0][2] == "+nst"
