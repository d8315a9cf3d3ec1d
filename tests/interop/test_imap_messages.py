"""Messages put into mailboxes, copied, moved, flagged and expunged, by one session."""

import itertools
import re

import pytest

from imaps import Imap, PASSWORD, message, only

NAMES = (f"immsg{n}" for n in itertools.count())


@pytest.fixture
def client(instance):
    name = next(NAMES)
    instance.account(name, PASSWORD)
    with Imap(instance, name) as c:
        yield c


def fill(client, count, mailbox="INBOX"):
    for n in range(count):
        client.append(message(f"number {n + 1}", f"m{n + 1}"), mailbox)


def uids(client):
    return [int(a.split()[4].rstrip(b")")) for a in client.ok("FETCH 1:* UID")] or []


# -- APPEND ---------------------------------------------------------------------------------------

def test_append(client):
    data = message()
    said = client.append(data, options=r'(\Seen \Flagged $Label) "01-Feb-2020 03:04:05 +0100"')
    assert re.match(rb"OK \[APPENDUID \d+ 1\]", said)
    client.ok("SELECT INBOX")
    (fetched,) = client.ok("FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
    assert b'INTERNALDATE "01-Feb-2020 03:04:05 +0100"' in fetched and data in fetched
    assert rb"\Flagged \Seen $Label" in fetched.replace(b"\\Recent", b"").replace(b"  ", b" ")
    tag = client.begin(f"APPEND INBOX {{{len(data)}}}")
    client.continued()
    client.send(data + b"\r\n")
    untagged, said = client.finish(tag)
    assert b"* 2 EXISTS" in untagged and b"* 2 RECENT" in untagged and said.startswith(b"OK")


def test_append_to_nowhere_and_of_nothing(client):
    assert b"[TRYCREATE]" in client.refused("APPEND nowhere {10}")
    client.refused("APPEND INBOX {0}")
    client.refused("APPEND INBOX", b"BAD")
    client.refused("APPEND INBOX hello", b"BAD")
    client.refused(r"APPEND INBOX (\Recent) {10}", b"BAD")
    assert b"[TOOBIG]" in client.refused("APPEND INBOX {26214401}")
    assert client.ok("STATUS INBOX (MESSAGES)") == [b"* STATUS INBOX (MESSAGES 0)"]


def test_append_many_at_once(client):
    one, two = message("one"), message("two")
    client.ok(b"APPEND INBOX (\\Seen) {%d+}\r\n%s {%d+}\r\n%s ($X) {%d+}\r\n%s" %
              (len(one), one, len(two), two, len(one), one))
    assert re.match(rb"OK \[APPENDUID \d+ 1:3\]", client.said)
    # An empty one at the end takes all back.
    client.refused(b"APPEND INBOX {%d+}\r\n%s {0+}\r\n" % (len(one), one))
    assert client.ok("STATUS INBOX (MESSAGES)") == [b"* STATUS INBOX (MESSAGES 3)"]


@pytest.mark.parametrize("count", [64, 65, 66, 200])
def test_append_more_than_at_once(client, count):
    """One command takes 64, or none of them."""
    each = [message(f"number {n}", f"m{n}") for n in range(count)]
    tag = client.tag()
    client.send(f"{tag} APPEND INBOX".encode()
                + b"".join(b" (\\Seen) {%d+}\r\n%s" % (len(data), data) for data in each) + b"\r\n")
    while not (said := client.line()).startswith(tag.encode()):
        pass
    (told,) = client.ok("STATUS INBOX (MESSAGES)")
    if count <= 64:
        assert b" OK " in said and b"MESSAGES 64)" in told
    else:
        assert b" NO [LIMIT]" in said and b"MESSAGES 0)" in told


def test_append_binary_and_utf8(client):
    data = message().replace(b"Hello", b"Hel\0lo")
    client.refused(b"APPEND INBOX {%d+}\r\n%s" % (len(data), data))
    client.ok(b"APPEND INBOX ~{%d+}\r\n%s" % (len(data), data))
    data = message("grün")
    client.refused(b"APPEND INBOX UTF8 (~{%d+}\r\n%s)" % (len(data), data), b"BAD")
    client.ok("ENABLE UTF8=ACCEPT")
    client.ok(b"APPEND INBOX UTF8 (~{%d+}\r\n%s)" % (len(data), data))
    client.refused(b"APPEND INBOX UTF8 (~{%d+}\r\n%s" % (len(data), data), b"BAD")
    assert client.ok("STATUS INBOX (MESSAGES)") == [b"* STATUS INBOX (MESSAGES 2)"]


def test_quota_is_told_before_the_message_comes(make_instance):
    own = make_instance()
    own.start("maild")
    own.account("ann", PASSWORD)
    own.ctl("set", "mail_quota", "1000")
    with Imap(own, "ann") as c:
        assert b"[OVERQUOTA]" in c.refused("APPEND INBOX {1001}")
        c.append(message())
        (quota,) = c.ok('GETQUOTA ""')
        assert quota == b'* QUOTA "" (STORAGE 1 0)'
        c.ok("SELECT INBOX")
        for _ in range(20):
            untagged, said = c.ask("COPY 1 Trash")
            if not said.startswith(b"OK"):
                break
        assert b"[OVERQUOTA]" in said


# -- COPY and MOVE --------------------------------------------------------------------------------

def test_copy(client):
    fill(client, 3)
    client.ok("SELECT INBOX")
    client.ok(r"STORE 2 +FLAGS (\Answered Mine)")
    client.ok("COPY 2:3 Trash")
    assert re.match(rb"OK \[COPYUID \d+ 2:3 1:2\]", client.said)
    assert b"[TRYCREATE]" in client.refused("COPY 1 nowhere")
    client.refused("COPY 4 Trash", b"BAD")
    client.ok("UID COPY 77 Trash")
    assert b"COPYUID" not in client.said
    client.ok("COPY 1:3 INBOX")
    assert len(uids(client)) == 6
    client.ok("SELECT Trash")
    assert rb"\Answered Mine" in client.ok("FETCH 1 FLAGS")[0]


def test_move(client):
    fill(client, 4)
    client.ok("SELECT INBOX")
    untagged = client.ok("MOVE 2,4 Trash")
    assert re.match(rb"\* OK \[COPYUID \d+ 2,4 1:2\]", untagged[0])
    assert sorted(only(untagged, "EXPUNGE")) == [b"* 2 EXPUNGE", b"* 4 EXPUNGE"]
    assert uids(client) == [1, 3]
    client.ok("ENABLE QRESYNC")
    untagged = client.ok("UID MOVE 3 Trash")
    assert b"* VANISHED 3" in untagged and b"[HIGHESTMODSEQ " in client.said
    client.ok("EXAMINE INBOX")
    assert b"[READ-ONLY]" in client.refused("MOVE 1 Trash")


def test_copies_of_more_than_one_batch(client):
    one = message()
    literal = b" {%d+}\r\n%s" % (len(one), one)
    for _ in range(4):
        client.ok(b"APPEND INBOX" + literal * 64)
    client.ok("SELECT INBOX")
    for count in (256, 512, 1024, 2048, 4096):
        client.ok("COPY 1:* INBOX")
        assert len(uids(client)) == 2 * count
    client.ok("COPY 1:* Trash")
    assert re.match(rb"OK \[COPYUID \d+ 1:8192 1:8192\]", client.said)
    client.ok(r"STORE 1:* +FLAGS.SILENT (\Deleted)")
    assert client.ok("STATUS INBOX (DELETED)") == [b"* STATUS INBOX (DELETED 8192)"]
    assert len(client.ok("EXPUNGE")) == 8192


# -- STORE ----------------------------------------------------------------------------------------

def flags(answer):
    return set(re.search(rb"FLAGS \(([^)]*)\)", answer).group(1).split()) - {rb"\Recent"}


def test_store(client):
    fill(client, 2)
    client.ok("SELECT INBOX")
    (said,) = only(client.ok(r"STORE 1 FLAGS (\Seen \Draft)"), "FETCH")
    assert flags(said) == {rb"\Seen", rb"\Draft"}
    (said,) = only(client.ok(r"STORE 1 +FLAGS \Flagged $Forwarded"), "FETCH")
    assert flags(said) == {rb"\Seen", rb"\Draft", rb"\Flagged", b"$Forwarded"}
    (said,) = only(client.ok(r"UID STORE 1 -FLAGS (\Seen \Draft)"), "FETCH")
    assert flags(said) == {rb"\Flagged", b"$Forwarded"} and b"UID 1" in said
    assert client.ok(r"STORE 1:2 +FLAGS.SILENT (\Deleted)") == []
    assert flags(client.ok("FETCH 2 FLAGS")[0]) == {rb"\Deleted"}
    client.refused("STORE 3 FLAGS ()", b"BAD")
    client.refused(r"STORE 1 +FLAGS (\Recent)", b"BAD")
    client.refused(r"STORE 1 +FLAGS (\Unknown)", b"BAD")
    client.ok(r"UID STORE 99 +FLAGS (\Seen)")
    client.ok("STORE 1 FLAGS ()")
    assert flags(client.ok("FETCH 1 FLAGS")[0]) == set()


def test_new_keywords_are_told_before_they_are_used(client):
    fill(client, 1)
    client.ok("SELECT INBOX")
    untagged = client.ok("STORE 1 +FLAGS (NewWord)")
    kinds = [b"FLAGS" if a.startswith(b"* FLAGS") else b"FETCH" for a in untagged if b"FETCH" in a or a.startswith(b"* FLAGS")]
    assert kinds == [b"FLAGS", b"FETCH"]
    for n in range(70):
        if not client.ask(f"STORE 1 +FLAGS.SILENT (k{n})")[1].startswith(b"OK"):
            break
    assert 50 < n < 70
    assert rb"\*" not in only(client.ok("SELECT INBOX"), "OK")[0]


def test_unchangedsince(client):
    fill(client, 2)
    client.ok("SELECT INBOX (CONDSTORE)")
    (said,) = only(client.ok(r"STORE 1 +FLAGS (\Seen)"), "FETCH")
    modseq = int(re.search(rb"MODSEQ \((\d+)\)", said).group(1))
    untagged = client.ok(rf"STORE 1:2 (UNCHANGEDSINCE {modseq - 1}) +FLAGS.SILENT (\Flagged)")
    assert b"[MODIFIED 1]" in client.said and len(untagged) == 1 and b"* 2 FETCH" in untagged[0]
    client.ok(rf"UID STORE 1 (UNCHANGEDSINCE {modseq}) +FLAGS (\Flagged)")
    assert b"MODIFIED" not in client.said
    client.ok(r"UID STORE 1:2 (UNCHANGEDSINCE 0) +FLAGS (\Answered)")
    assert b"[MODIFIED 1:2]" in client.said


# -- EXPUNGE, CLOSE -------------------------------------------------------------------------------

def test_expunge(client):
    fill(client, 5)
    client.ok("SELECT INBOX")
    client.ok(r"STORE 2,4,5 +FLAGS.SILENT (\Deleted)")
    untagged = client.ok("UID EXPUNGE 1:4")
    assert sorted(untagged) == [b"* 2 EXPUNGE", b"* 4 EXPUNGE"] and uids(client) == [1, 3, 5]
    assert client.ok("EXPUNGE") == [b"* 3 EXPUNGE"]
    assert client.ok("EXPUNGE") == []
    client.refused("UID EXPUNGE", b"BAD")
    client.refused("EXPUNGE 1", b"BAD")


def test_close_and_unselect(client):
    fill(client, 2)
    client.ok("SELECT INBOX")
    client.ok(r"STORE 1 +FLAGS.SILENT (\Deleted)")
    client.ok("UNSELECT")
    client.ok("EXAMINE INBOX")
    assert client.ok("CLOSE") == []
    assert client.ok("STATUS INBOX (MESSAGES)") == [b"* STATUS INBOX (MESSAGES 2)"]
    client.ok("SELECT INBOX")
    assert client.ok("CLOSE") == []
    assert client.ok("STATUS INBOX (MESSAGES)") == [b"* STATUS INBOX (MESSAGES 1)"]
    client.refused("CLOSE", b"BAD")
    client.refused("CHECK", b"BAD")
