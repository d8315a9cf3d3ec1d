"""SEARCH: keys of rows and records, sets, what is returned and what is saved."""

import itertools
import time

import pytest

from imaps import Imap, PASSWORD, message

NAMES = (f"imsea{n}" for n in itertools.count())


def dated(subject, date, size=0):
    head = f"From: ann@quintet.test\r\nSubject: {subject}\r\nDate: {date}\r\n\r\n".encode()
    return head + b"x" * size + b"\r\n"


@pytest.fixture
def ann(instance):
    name = next(NAMES)
    instance.account(name, PASSWORD)
    return name


@pytest.fixture
def client(instance, ann):
    """Six messages with different dates and sizes; 2 is seen, 3 flagged, 4 has a keyword, 5 a draft."""
    with Imap(instance, ann) as c:
        options = {1: '"01-Feb-2026 23:30:00 -0500"', 2: r'(\Seen) "02-Feb-2026 00:30:00 +0100"',
                   3: r'(\Flagged \Answered) "03-Feb-2026 12:00:00 +0000"', 4: "(Work)",
                   5: r"(\Draft \Deleted)", 6: ""}
        dates = {1: "Sat, 24 Mar 2007 23:00:00 +0200", 2: "Sun, 25 Mar 2007 00:10:00 +1200",
                 3: "Sun, 25 Mar 2007 23:50:00 -1100", 4: "Mon, 26 Mar 2007 01:00:00 +0000", 5: "nonsense",
                 6: "27 Mar 2007 01:00:00 +0000"}
        for n in range(1, 7):
            c.append(dated(f"s{n}", dates[n], size=n * 100), options=options[n])
        c.ok("SELECT INBOX")
        yield c


def search(client, keys, command="SEARCH"):
    (answer,) = client.ok(f"{command} {keys}")
    assert answer.startswith(b"* SEARCH")
    return [int(n) for n in answer.split()[2:]]


def esearch(client, keys, command="SEARCH"):
    (answer,) = client.ok(f"{command} {keys}")
    head, _, found = answer.decode().partition(")")
    assert head.startswith('* ESEARCH (TAG "')
    return found.strip()


@pytest.mark.parametrize("keys, found", [
    ("ALL", [1, 2, 3, 4, 5, 6]), ("SEEN", [2]), ("UNSEEN", [1, 3, 4, 5, 6]), ("FLAGGED", [3]),
    ("ANSWERED", [3]), ("UNANSWERED", [1, 2, 4, 5, 6]), ("KEYWORD work", [4]), ("UNKEYWORD Work", [1, 2, 3, 5, 6]),
    ("KEYWORD nobody", []), ("DRAFT", [5]), ("DELETED", [5]), ("UNDELETED UNDRAFT", [1, 2, 3, 4, 6]),
    ("RECENT", [1, 2, 3, 4, 5, 6]), ("NEW", [1, 3, 4, 5, 6]), ("OLD", []),
    ("NOT SEEN", [1, 3, 4, 5, 6]), ("OR SEEN FLAGGED", [2, 3]), ("OR (1:3 UNSEEN) UID 6", [1, 3, 6]),
    ("NOT (OR SEEN NOT FLAGGED)", [3]), ("2:4,6 NOT 3", [2, 4, 6]), ("*", [6]), ("100", []), ("UID 3:*", [3, 4, 5, 6]),
    ("LARGER 400", [4, 5, 6]), ("SMALLER 300", [1, 2]), ("SMALLER 1", []),
])
def test_rows(client, keys, found):
    assert search(client, keys) == found


@pytest.mark.parametrize("keys, found", [
    ("ON 1-Feb-2026", [1]), ("BEFORE 2-Feb-2026", [1]), ("SINCE 2-Feb-2026 BEFORE 4-Feb-2026", [2, 3]),
    ("ON 2-Feb-2026", [2]), ("SINCE 4-Feb-2026", [4, 5, 6]),
    ("SENTON 24-Mar-2007", [1]), ("SENTON 25-Mar-2007", [2, 3]), ("SENTBEFORE 26-Mar-2007", [1, 2, 3]),
    ("SENTSINCE 26-Mar-2007", [4, 6]), ("NOT SENTSINCE 1-Jan-1990", [5]),
    ("OLDER 86400", [1, 2, 3]), ("YOUNGER 86400", [4, 5, 6]), ("YOUNGER 4294967295", [1, 2, 3, 4, 5, 6]),
    ("SAVEDSINCE 1-Jan-2026", [1, 2, 3, 4, 5, 6]), ("SAVEDBEFORE 1-Jan-2026", []), ("SAVEDATESUPPORTED", [1, 2, 3, 4, 5, 6]),
])
def test_dates(client, keys, found):
    """Days are those of the zone that stands there, whatever hour it is elsewhere."""
    assert search(client, keys) == found


def test_saved_on(client):
    today = time.strftime("%d-%b-%Y", time.gmtime())
    assert 6 in search(client, f"OR SAVEDON {today} SAVEDSINCE {today}")


def test_uids_and_numbers(client):
    client.ok("EXPUNGE")
    assert search(client, "ALL") == [1, 2, 3, 4, 5]
    assert search(client, "ALL", "UID SEARCH") == [1, 2, 3, 4, 6]
    assert search(client, "5", "UID SEARCH") == [6]
    assert search(client, "UID 5:6") == [5]


def test_email_id(client):
    (answer,) = client.ok("FETCH 3 EMAILID")
    identity = answer.split(b"(")[2].rstrip(b")").decode()
    assert search(client, f"EMAILID {identity}") == [3]
    assert search(client, "EMAILID Mnothing") == search(client, "THREADID Tnothing") == []


def test_modseq(client):
    highest, answer = client.ok("SEARCH MODSEQ 1 SEEN")  # the first word of MODSEQ, which enables it
    assert highest.startswith(b"* OK [HIGHESTMODSEQ ") and answer.startswith(b"* SEARCH 2 (MODSEQ ")
    (answer,) = client.ok("SEARCH MODSEQ 1 2")
    modseq = int(answer.split(b"MODSEQ ")[1].rstrip(b")"))
    (answer,) = client.ok(f'SEARCH MODSEQ "/flags/\\\\draft" all {modseq} 1:2')
    assert answer == b"* SEARCH 2 (MODSEQ %d)" % modseq
    (answer,) = client.ok("SEARCH MODSEQ 9999999")
    assert answer == b"* SEARCH"
    client.ok(r"STORE 1 +FLAGS.SILENT (\Flagged)")
    first = esearch(client, "RETURN (MIN) MODSEQ 1")
    last = esearch(client, "RETURN (MAX) MODSEQ 1")
    both = esearch(client, "RETURN (ALL COUNT) MODSEQ 1")
    assert first.split()[-1] == both.split()[-1] > last.split()[-1]


def test_returns(client):
    assert esearch(client, "RETURN () 2:4") == "ALL 2:4"
    assert esearch(client, "RETURN (ALL) 1,3:4,6") == "ALL 1,3:4,6"
    assert esearch(client, "RETURN (MIN MAX COUNT) NOT 1") == "MIN 2 MAX 6 COUNT 5"
    assert esearch(client, "RETURN (MIN COUNT) 100") == "COUNT 0"
    assert esearch(client, "RETURN (ALL) 100") == ""
    assert esearch(client, "RETURN (COUNT) ALL", "UID SEARCH") == "UID COUNT 6"
    client.refused("SEARCH RETURN (NONSENSE) ALL", b"BAD")
    client.refused("SEARCH RETURN (ALL", b"BAD")


def test_partial(client):
    assert esearch(client, "RETURN (PARTIAL 1:2) NOT 1") == "PARTIAL (1:2 2:3)"
    assert esearch(client, "RETURN (PARTIAL 4:2) NOT 1") == "PARTIAL (2:4 3:5)"
    assert esearch(client, "RETURN (PARTIAL -1:-2 COUNT) ALL") == "PARTIAL (-1:-2 5:6) COUNT 6"
    assert esearch(client, "RETURN (PARTIAL -6:-100) ALL") == "PARTIAL (-6:-100 1)"
    assert esearch(client, "RETURN (PARTIAL 7:9) ALL") == "PARTIAL (7:9 NIL)"
    assert esearch(client, "RETURN (PARTIAL 1:9) 4") == "PARTIAL (1:9 4)"
    for wrong in ("PARTIAL", "PARTIAL 1", "PARTIAL 1:-2", "PARTIAL 0:1", "PARTIAL 1:*", "ALL PARTIAL 1:2"):
        client.refused(f"SEARCH RETURN ({wrong}) ALL", b"BAD")


def saved(client):
    return search(client, "$")


def test_saved(client):
    assert saved(client) == []
    assert client.ok("SEARCH RETURN (SAVE) 2:4") == []
    assert saved(client) == [2, 3, 4]
    assert search(client, "NOT $") == [1, 5, 6]
    assert search(client, "UID $", "UID SEARCH") == [2, 3, 4]
    assert [a.split()[1] for a in client.ok("FETCH $ UID")] == [b"2", b"3", b"4"]
    for returns, kept in (("SAVE MIN", [2]), ("SAVE MIN MAX", [2, 6]), ("SAVE MIN COUNT", [2, 3, 4, 5, 6]),
                          ("SAVE PARTIAL 1:2", [2, 3]), ("SAVE PARTIAL 1:2 MAX", [2, 3, 6]),
                          ("SAVE PARTIAL 1:2 COUNT", [2, 3, 4, 5, 6]), ("SAVE PARTIAL 8:9", [])):
        client.ok(f"SEARCH RETURN ({returns}) NOT 1")
        assert saved(client) == kept, returns


def test_saved_follows_expunges_and_failures(client):
    client.ok("SEARCH RETURN (SAVE) 4:6")
    client.refused("SEARCH RETURN (SAVE NONSENSE) 1", b"BAD")
    assert saved(client) == [4, 5, 6]
    client.ok("EXPUNGE")
    assert saved(client) == [4, 5]
    client.refused("SEARCH RETURN (SAVE) CHARSET x-none TEXT a", b"NO")
    assert saved(client) == []
    client.ok("SEARCH RETURN (SAVE) ALL")
    client.ok("SELECT INBOX")
    assert saved(client) == []


def test_rev2_answers_extended(client):
    client.ok("ENABLE IMAP4rev2")
    assert esearch(client, "2:3") == "ALL 2:3"
    assert esearch(client, "100", "UID SEARCH") == "UID"


def test_expunged_elsewhere(instance, ann, client):
    with Imap(instance, ann) as other:
        other.ok("SELECT INBOX")
        other.ok("EXPUNGE")
        assert search(client, "DELETED") == [5], "it is there till it is told"
        assert b"* 5 EXPUNGE" in client.ok("NOOP")
        assert search(client, "DELETED") == []


def test_bad_programs(client):
    for wrong in ("", "NONSENSE", "OR SEEN", "NOT", "(", "(ALL", "SEEN)", "ON 32-Jan-2026", "LARGER x", "UID",
                  "OLDER 0", "KEYWORD", "HEADER Subject", "(" * 60 + "ALL" + ")" * 60, "NOT " * 2000 + "ALL"):
        client.refused(f"SEARCH {wrong}", b"BAD")
    assert search(client, "NOT " * 100 + "SEEN") == [2]
    assert search(client, "(" * 40 + "SEEN" + ")" * 40) == [2]


def test_empty_mailbox(client):
    client.ok("SELECT Trash")
    assert search(client, "ALL") == search(client, "1:*") == search(client, "UID 1:*") == []
    assert esearch(client, "RETURN (MIN COUNT ALL) ALL") == "COUNT 0"
    assert client.ok("SORT (DATE) UTF-8 ALL") == [b"* SORT"]
    assert client.ok("THREAD REFERENCES UTF-8 ALL") == [b"* THREAD"]
