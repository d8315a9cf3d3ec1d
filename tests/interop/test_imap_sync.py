"""Several sessions of one mailbox: each is told what the others did, once and in order; what a client
missed while it was away; IDLE and NOTIFY."""

import itertools
import re
import statistics
import time

import pytest

from imaps import Imap, PASSWORD, message, only
from smtps import Smtps, letter

NAMES = (f"imsync{n}" for n in itertools.count())


@pytest.fixture
def account(instance):
    name = next(NAMES)
    instance.account(name, PASSWORD)
    return name


@pytest.fixture
def pair(instance, account):
    """Two sessions with the INBOX selected, five messages in it."""
    with Imap(instance, account) as one, Imap(instance, account) as two:
        for n in range(5):
            one.append(message(f"number {n + 1}", f"m{n + 1}"))
        one.ok("SELECT INBOX")
        two.ok("SELECT INBOX")
        yield one, two


def number(pattern, answers):
    return int(re.search(pattern, b"\r\n".join(answers)).group(1))


# -- news -----------------------------------------------------------------------------------------

def test_new_messages_and_flags_are_told(pair):
    one, two = pair
    one.ok(r"STORE 3 +FLAGS.SILENT (\Seen Label)")
    one.append(message())
    untagged = two.ok("NOOP")
    assert b"* 6 EXISTS" in untagged and rb"* 3 FETCH (FLAGS (\Seen Label))" in untagged
    assert untagged.index(only(untagged, "FLAGS")[0]) < untagged.index(rb"* 3 FETCH (FLAGS (\Seen Label))")
    assert two.ok("NOOP") == [] and one.ok("NOOP") == []


def test_expunges_wait_for_a_command_that_may_tell_them(pair):
    one, two = pair
    one.ok(r"STORE 2,4 +FLAGS.SILENT (\Deleted)")
    one.ok("EXPUNGE")
    (said,) = two.ok("FETCH 5 UID")
    assert said == b"* 5 FETCH (UID 5)"
    assert not only(two.ok("SEARCH ALL"), "EXPUNGE")
    assert not only(two.ok(r"STORE 5 +FLAGS (\Seen)"), "EXPUNGE")
    assert sorted(only(two.ok("NOOP"), "EXPUNGE")) == [b"* 2 EXPUNGE", b"* 4 EXPUNGE"]
    assert two.ok("FETCH 3 UID") == [b"* 3 FETCH (UID 5)"]


def test_what_another_expunged_is_still_answered_for(pair):
    one, two = pair
    one.ok(r"STORE 2 +FLAGS.SILENT (\Deleted)")
    two.ok("NOOP")
    one.ok("EXPUNGE")
    (said,) = two.ok(r"STORE 2 +FLAGS (\Flagged)")
    assert said.startswith(b"* 2 FETCH (FLAGS (") and rb"\Flagged" in said
    assert b"number 2" in two.ok("FETCH 2 BODY.PEEK[HEADER]")[0]
    assert two.ok("COPY 2 Trash") == [b"* 2 EXPUNGE"]
    assert re.match(rb"OK \[COPYUID \d+ 2 1\]", two.said)


def test_a_silent_change_does_not_hide_anothers(pair):
    one, two = pair
    one.ok(r"STORE 1 +FLAGS.SILENT (\Answered)")
    untagged = two.ok(r"STORE 1:2 +FLAGS.SILENT (\Flagged)")
    assert len(untagged) == 1 and b"* 1 FETCH" in untagged[0] and rb"\Answered" in untagged[0]
    untagged = one.ok("NOOP")
    assert len(untagged) == 2 and all(rb"\Flagged" in a for a in untagged)


def test_recent_belongs_to_one_session(instance, account):
    with Imap(instance, account) as one, Imap(instance, account) as two, Imap(instance, account) as other:
        other.append(message())
        assert b"* 1 RECENT" in one.ok("SELECT INBOX") and b"* 0 RECENT" in two.ok("SELECT INBOX")
        other.append(message())
        assert b"* 2 RECENT" in one.ok("NOOP") and b"* 0 RECENT" in two.ok("NOOP")
        assert all(rb"\Recent" in a for a in one.ok("FETCH 1:2 FLAGS"))
        assert not any(rb"\Recent" in a for a in two.ok("FETCH 1:2 FLAGS"))
        two.append(message())
        assert b"* 3 RECENT" not in one.ok("NOOP")
        assert rb"\Recent" in two.ok("FETCH 3 FLAGS")[0] and rb"\Recent" not in one.ok("FETCH 3 FLAGS")[0]


# -- IDLE -----------------------------------------------------------------------------------------

def test_idle_hears_everything(pair):
    one, two = pair
    tag, _ = two.idle()
    one.ok(r"STORE 1 +FLAGS.SILENT (\Seen)")
    assert rb"\Seen" in two.heard(b"* 1 FETCH")
    one.append(message())
    two.heard(b"* 6 EXISTS")
    one.ok(r"STORE 2 +FLAGS.SILENT (\Deleted)")
    one.ok("EXPUNGE")
    two.heard(b"* 2 EXPUNGE")
    assert two.done(tag)[1].startswith(b"OK")
    tag, _ = two.idle()
    two.send("NOOP")
    assert two.finish(tag)[1].startswith(b"BAD")


def test_submitted_mail_wakes_an_idle_client(instance, account, pair):
    _, two = pair
    two.idle()
    took = []
    with Smtps(instance, account) as sender:
        for n in range(10):
            sender.message(account, [account], letter(account, f"wake {n}"))
            begun = time.monotonic()
            two.heard(b"EXISTS")
            took.append(time.monotonic() - begun)
    print("milliseconds:", [round(1000 * t, 1) for t in took])
    assert statistics.median(took) < 0.1


# -- CONDSTORE and QRESYNC ------------------------------------------------------------------------

def test_qresync_tells_what_was_missed(instance, account, pair):
    one, two = pair
    two.ok("ENABLE QRESYNC")
    said = two.ok("SELECT INBOX")
    validity, modseq = number(rb"UIDVALIDITY (\d+)", said), number(rb"HIGHESTMODSEQ (\d+)", said)
    two.ok("UNSELECT")
    one.ok(r"STORE 1 +FLAGS.SILENT (\Answered)")
    one.ok(r"STORE 2,4 +FLAGS.SILENT (\Deleted)")
    one.ok("EXPUNGE")
    one.append(message())
    untagged = two.ok(f"SELECT INBOX (QRESYNC ({validity} {modseq} 1:5))")
    assert b"* VANISHED (EARLIER) 2,4" in untagged
    (fetch,) = only(untagged, "FETCH")
    assert fetch.startswith(b"* 1 FETCH (UID 1 MODSEQ (") and rb"\Answered" in fetch
    untagged = two.ok(f"SELECT INBOX (QRESYNC ({validity} {modseq}))")
    assert len(only(untagged, "FETCH")) == 2
    for known in ("1:5 (1:3 1:3)", "(1,3 1,3)", "1:5,9 (1 1)"):  # the log knows better than what one matches
        assert b"* VANISHED (EARLIER) 2,4" in two.ok(f"SELECT INBOX (QRESYNC ({validity} {modseq} {known}))")
    two.refused(f"SELECT INBOX (QRESYNC ({validity} {modseq} 1:5 (1:3)))", b"BAD")
    two.ok("SELECT INBOX")
    assert not only(two.ok(f"SELECT INBOX (QRESYNC ({validity + 1} {modseq} 1:5))"), "VANISHED")
    assert b"* VANISHED (EARLIER) 2,4" in two.ok(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq} VANISHED)")
    two.refused("SELECT INBOX (QRESYNC (1))", b"BAD")
    one.refused(f"SELECT INBOX (QRESYNC ({validity} {modseq}))", b"BAD")


def test_vanished_and_modseq_in_news(pair):
    one, two = pair
    two.ok("ENABLE QRESYNC")
    one.ok(r"STORE 1:4 +FLAGS.SILENT (\Deleted)")
    untagged = two.ok("NOOP")
    assert len(untagged) == 4 and all(re.search(rb"UID \d MODSEQ \(\d+\)", a) for a in untagged)
    one.ok("EXPUNGE")
    assert two.ok("NOOP") == [b"* VANISHED 1:4"]
    two.ok(r"STORE 1 +FLAGS.SILENT (\Deleted)")
    assert two.ok("EXPUNGE") == [b"* VANISHED 5"] and b"[HIGHESTMODSEQ " in two.said


@pytest.mark.parametrize("command", ["FETCH 1 MODSEQ", "UID FETCH 1 FLAGS (CHANGEDSINCE 1)", "SEARCH MODSEQ 1",
                                     "STORE 1 (UNCHANGEDSINCE 1) +FLAGS.SILENT (a)", "ENABLE QRESYNC",
                                     "STATUS INBOX (HIGHESTMODSEQ)", "SORT (DATE) UTF-8 MODSEQ 1"])
def test_who_asks_for_modseq_is_told_it_from_now_on(pair, command):
    one, two = pair
    one.ok(r"STORE 2 +FLAGS.SILENT (\Seen)")
    assert b"MODSEQ" not in b"".join(two.ok("NOOP"))
    assert [b"[HIGHESTMODSEQ " in a for a in two.ok(command)].count(True) == 1
    assert b"[HIGHESTMODSEQ " not in b"".join(two.ok(command))
    one.ok(r"STORE 2 +FLAGS.SILENT (\Flagged)")
    (told,) = only(two.ok("NOOP"), "FETCH")
    assert b"MODSEQ (" in told


def test_modseq_never_goes_back(pair):
    one, two = pair
    seen = []
    for command in (r"STORE 1 +FLAGS (\Seen)", "COPY 1 Trash", "COPY 1 INBOX", r"STORE 1 +FLAGS (\Deleted)", "EXPUNGE"):
        one.ok(command)
        said = only(two.ok("STATUS INBOX (HIGHESTMODSEQ)"), "STATUS")
        seen.append(number(rb"HIGHESTMODSEQ (\d+)", said))
    assert seen == sorted(seen) and seen[0] == seen[1] and len(set(seen[1:])) == 4


# -- NOTIFY ---------------------------------------------------------------------------------------

def test_notify(instance, account):
    with Imap(instance, account) as one, Imap(instance, account) as two:
        two.ok("SELECT INBOX")
        untagged = two.ok("NOTIFY SET STATUS (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]) MessageExpunge)) "
                          "(personal (MessageNew MessageExpunge MailboxName SubscriptionChange))")
        assert len(only(untagged, "STATUS")) == 5
        one.append(message("told at once"))
        assert b"told at once" in two.heard(b"* 1 FETCH")
        one.append(message(), "Trash")
        assert b"MESSAGES 1" in two.heard(b"* STATUS Trash")
        one.ok("CREATE fresh")
        assert two.heard(b"* LIST").endswith(b"fresh")
        one.ok("RENAME fresh newer")
        assert two.heard(b"* LIST").endswith(b'newer ("OLDNAME" (fresh))')
        one.ok("SUBSCRIBE newer")
        assert rb"\Subscribed" in two.heard(b"* LIST")
        one.ok("UNSUBSCRIBE newer")
        assert rb"\Subscribed" not in two.heard(b"* LIST")
        one.ok("DELETE newer")
        assert rb"\NonExistent" in two.heard(b"* LIST")
        one.ok("SELECT INBOX")
        one.ok(r"STORE 1 +FLAGS (\Deleted)")
        one.ok("EXPUNGE")
        two.heard(b"* 1 EXPUNGE")
        two.ok("NOTIFY NONE")
        one.append(message(), "Trash")
        assert two.ok("NOOP") == []


def test_notify_refuses_what_it_does_not_know(instance, account):
    with Imap(instance, account) as c:
        assert b"[BADEVENT (MessageNew " in c.refused("NOTIFY SET (personal (MessageNew MessageExpunge ServerMetadataChange))")
        c.refused("NOTIFY SET (selected (MessageNew))", b"BAD")
        c.refused("NOTIFY", b"BAD")
        c.refused("NOTIFY SET (selected (MailboxName))", b"BAD")
