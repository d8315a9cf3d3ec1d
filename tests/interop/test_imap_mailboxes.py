"""Mailboxes: made, listed in all ways, renamed, subscribed to, counted."""

import itertools

import pytest

from imaps import Imap, PASSWORD, message, only

NAMES = (f"imbox{n}" for n in itertools.count())


@pytest.fixture
def client(instance):
    name = next(NAMES)
    instance.account(name, PASSWORD)
    with Imap(instance, name) as c:
        yield c


def names(answers):
    return [a.rsplit(b" ", 1)[1].decode() for a in answers]


def listed(client, pattern="*", reference='""', command="LIST"):
    return names(client.ok(f"{command} {reference} {pattern}"))


def test_what_an_account_begins_with(client):
    answers = client.ok('LIST "" *')
    assert names(answers) == ["INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"]
    assert rb'* LIST (\HasNoChildren \Sent) "/" Sent' in answers
    assert listed(client, command="LSUB") == names(answers)
    assert client.ok('LIST "" ""') == [rb'* LIST (\Noselect) "/" ""']
    assert len(client.ok('LIST (SPECIAL-USE) "" * RETURN (SPECIAL-USE)')) == 5


def test_create_delete_rename(client):
    client.ok("CREATE work/plans/2026")
    assert client.said.startswith(b"OK [MAILBOXID (F")
    assert listed(client, "work*") == ["work", "work/plans", "work/plans/2026"]
    assert listed(client, "%", "work/") == ["work/plans"]
    assert b"[ALREADYEXISTS]" in client.refused("CREATE work")
    assert b"[ALREADYEXISTS]" in client.refused("CREATE inBox")
    client.refused("CREATE a//b")
    client.refused('CREATE "a*b"')
    client.ok("CREATE folder/")
    client.ok("RENAME work/plans job")
    assert listed(client, "job*") == ["job", "job/2026"] and listed(client, "work*") == ["work"]
    client.refused("RENAME job job/below")
    assert b"[ALREADYEXISTS]" in client.refused("RENAME job work")
    assert b"[NONEXISTENT]" in client.refused("RENAME nowhere somewhere")
    client.ok("DELETE job")
    assert client.ok('LIST "" job*')[0] == rb'* LIST (\Noselect \HasChildren) "/" job'
    assert client.ok('LIST "" (job*) RETURN (CHILDREN)')[0] == rb'* LIST (\NonExistent \HasChildren) "/" job'
    client.refused("SELECT job")
    client.refused("DELETE job")
    client.refused("DELETE INBOX")
    client.ok("DELETE job/2026")
    assert not client.ok('LIST "" job*')


def test_renaming_the_inbox_moves_its_messages(client):
    client.append(message())
    client.ok("RENAME INBOX old")
    (inbox,) = client.ok("STATUS INBOX (MESSAGES)")
    (old,) = client.ok("STATUS old (MESSAGES)")
    assert b"(MESSAGES 0)" in inbox and b"(MESSAGES 1)" in old


def test_rev2_tells_of_old_names(client):
    client.ok("CREATE before")
    assert client.ok("RENAME before behind") == []
    client.ok("ENABLE IMAP4rev2")
    assert client.ok("RENAME behind before") == [b'* LIST () "/" before ("OLDNAME" (behind))']


def test_uses(client):
    assert b"[USEATTR]" in client.refused(r"CREATE more (USE (\Sent))")
    assert b"[USEATTR]" in client.refused(r"CREATE more (USE (\All))")
    client.refused(r"CREATE more (USE \Sent)", b"BAD")
    client.ok("DELETE Sent")
    client.ok(r"CREATE Gesendet (USE (\Sent))")
    assert rb'* LIST (\HasNoChildren \Sent) "/" Gesendet' in client.ok('LIST "" *')


def test_names_beyond_ascii(client):
    client.ok("CREATE &AMQ-pfel&-Birnen")
    assert listed(client, "&AMQ-*") == ["&AMQ-pfel&-Birnen"]
    client.refused("CREATE &AMQ")
    client.ok("ENABLE UTF8=ACCEPT")
    assert client.ok('LIST "" "Ä*"'.encode())[0].endswith('"Äpfel&Birnen"'.encode())
    client.ok('SELECT "Äpfel&Birnen"'.encode())


def test_subscriptions(client):
    client.ok("UNSUBSCRIBE Junk")
    client.ok("UNSUBSCRIBE Junk")
    client.ok("SUBSCRIBE not/there")
    lsub = client.ok('LSUB "" *')
    assert "Junk" not in names(lsub) and b'* LSUB () "/" not/there' in lsub
    assert rb'* LSUB (\Noselect) "/" not' in client.ok('LSUB "" %')
    assert "not/there" not in listed(client)
    extended = client.ok('LIST (SUBSCRIBED) "" *')
    assert rb'* LIST (\NonExistent \Subscribed) "/" not/there' in extended
    recursive = client.ok('LIST (SUBSCRIBED RECURSIVEMATCH) "" %')
    assert rb'* LIST (\NonExistent) "/" not ("CHILDINFO" ("SUBSCRIBED"))' in recursive
    client.refused('LIST (RECURSIVEMATCH) "" *', b"BAD")


def test_list_with_status(client):
    client.append(message(), options=r"(\Seen)")
    client.append(message(msgid="two"))
    answers = client.ok('LIST "" (INBOX Trash) RETURN (STATUS (MESSAGES UNSEEN))')
    assert answers[1] == b"* STATUS INBOX (MESSAGES 2 UNSEEN 1)"
    assert answers[3] == b"* STATUS Trash (MESSAGES 0 UNSEEN 0)"


def test_status(client):
    data = message()
    client.append(data, options=r"(\Deleted)")
    client.append(data)
    (said,) = client.ok("STATUS inbox (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ SIZE "
                        "APPENDLIMIT MAILBOXID DELETED DELETED-STORAGE)")
    words = dict(zip(*[iter(said.split(b"(", 1)[1][:-1].split())] * 2))
    assert words[b"MESSAGES"] == b"2" and words[b"RECENT"] == b"2" and words[b"UIDNEXT"] == b"3"
    assert words[b"UNSEEN"] == b"2" and words[b"DELETED"] == b"1"
    assert int(words[b"SIZE"]) == 2 * len(data) and int(words[b"DELETED-STORAGE"]) == len(data)
    assert words[b"APPENDLIMIT"] == b"26214400"
    client.refused("STATUS nowhere (MESSAGES)")
    client.refused("STATUS INBOX ()", b"BAD")
    client.refused("STATUS INBOX (FOO)", b"BAD")


def test_select_tells_all(client):
    client.append(message(), options=r"(\Seen $Work)")
    client.append(message())
    answers = client.ok("SELECT INBOX")
    text = b"\r\n".join(answers)
    assert b"* 2 EXISTS" in text and b"* 2 RECENT" in text and b"[UNSEEN 2]" in text
    assert b"[UIDNEXT 3]" in text and b"[UIDVALIDITY " in text and b"[HIGHESTMODSEQ " in text
    assert b"$Work" in only(answers, "FLAGS")[0] and rb"\*)]" in text
    assert client.said.startswith(b"OK [READ-WRITE]")
    text = b"\r\n".join(client.ok("EXAMINE INBOX"))
    assert b"[CLOSED]" in text and b"* 0 RECENT" in text and b"[PERMANENTFLAGS ()]" in text
    assert client.said.startswith(b"OK [READ-ONLY]")
    assert b"[READ-ONLY]" in client.refused(r"STORE 1 +FLAGS (\Seen)")
    assert b"[READ-ONLY]" in client.refused("EXPUNGE")
    client.refused("SELECT nowhere")
    client.refused("FETCH 1 FLAGS", b"BAD")


def test_uidvalidity_is_never_given_again(client):
    def validity():
        (said,) = client.ok("STATUS again (UIDVALIDITY)")
        return int(said.split()[-1].rstrip(b")"))

    seen = []
    for _ in range(3):
        client.ok("CREATE again")
        seen.append(validity())
        client.ok("DELETE again")
    assert seen == sorted(set(seen))


def test_a_deleted_mailbox_ends_those_who_have_it_open(instance):
    account = next(NAMES)
    instance.account(account, PASSWORD)
    with Imap(instance, account) as one, Imap(instance, account) as other:
        one.ok("CREATE going")
        one.ok("SELECT going")
        other.ok("SELECT going")
        one.ok("DELETE going")
        one.ok("NOOP")
        one.refused("FETCH 1 FLAGS", b"BAD")
        other.ask("NOOP")
        assert b"* BYE" in other.heard(b"* BYE")
