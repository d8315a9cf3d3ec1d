"""SORT: keys and their order, ESORT's returns, long mailboxes."""

import itertools
import random

import pytest

from imaps import Imap, PASSWORD

NAMES = (f"imsor{n}" for n in itertools.count())
# From, To, Cc, Subject, Date, INTERNALDATE
ROWS = [
    ("Zoe Adams <bob@x.org>", "carol@x.org", "", "Re: banana", "Mon, 2 Feb 2026 10:00:00 +0000", "05-Feb-2026 10:00:00 +0000"),
    ("ann@x.org", "Dan <dan@x.org>, a@x.org", "z@x.org", "apple", "Sun, 1 Feb 2026 22:00:00 -1100", "03-Feb-2026 10:00:00 +0000"),
    ("=?utf-8?q?=C3=84nne?= <carol@x.org>", "", "b@x.org", "[list] Cherry (fwd)", None, "02-Feb-2026 09:30:00 +0000"),
    ("Bob <Bob@x.org>", "ann@x.org", "", "Fwd: BANANA", "Mon, 2 Feb 2026 12:00:00 +0300", "04-Feb-2026 10:00:00 +0000"),
    ("dan@x.org", "bert@x.org", "", "", "garbage", "01-Feb-2026 10:00:00 +0000"),
]


def build(row, n):
    head = f"From: {row[0]}\r\n"
    for name, value in (("To", row[1]), ("Cc", row[2]), ("Subject", row[3]), ("Date", row[4])):
        head += f"{name}: {value}\r\n" if value else ""
    return (head + "\r\n" + "x" * (500 - 100 * n) + "\r\n").encode()


@pytest.fixture(scope="module")
def ann(instance):
    name = next(NAMES)
    instance.account(name, PASSWORD)
    with Imap(instance, name) as c:
        for n, row in enumerate(ROWS):
            c.append(build(row, n), options=f'"{row[5]}"')
    return name


@pytest.fixture
def client(instance, ann):
    with Imap(instance, ann) as c:
        c.ok("SELECT INBOX")
        yield c


def sort(client, keys, rest="UTF-8 ALL", command="SORT"):
    (answer,) = client.ok(f"{command} ({keys}) {rest}")
    assert answer.startswith(b"* SORT")
    return [int(n) for n in answer.split()[2:]]


@pytest.mark.parametrize("keys, order", [
    ("ARRIVAL", [5, 3, 2, 4, 1]), ("REVERSE ARRIVAL", [1, 4, 2, 3, 5]), ("SIZE", [5, 4, 3, 2, 1]),
    ("DATE", [5, 2, 4, 3, 1]), ("REVERSE DATE", [1, 3, 2, 4, 5]),
    ("FROM", [2, 1, 4, 3, 5]), ("TO", [3, 4, 5, 1, 2]), ("CC ARRIVAL", [5, 4, 1, 3, 2]),
    ("SUBJECT", [5, 2, 1, 4, 3]), ("SUBJECT REVERSE ARRIVAL", [5, 2, 1, 4, 3]), ("SUBJECT ARRIVAL", [5, 2, 4, 1, 3]),
    ("DISPLAYFROM", [2, 3, 4, 5, 1]), ("DISPLAYTO", [3, 4, 5, 1, 2]), ("REVERSE DISPLAYFROM", [1, 5, 4, 3, 2]),
])
def test_keys(client, keys, order):
    """Dates count in UTC; who has none was sent when it came."""
    assert sort(client, keys) == order


def test_programs_and_uids(client):
    assert sort(client, "REVERSE SIZE", "US-ASCII 2:4 NOT 3") == [2, 4]
    assert sort(client, "SUBJECT", "UTF-8 UID 1:2", "UID SORT") == [2, 1]
    assert sort(client, "SUBJECT", "UTF-8 NOT ALL") == []
    for wrong in ("SORT () UTF-8 ALL", "SORT (NONSENSE) UTF-8 ALL", "SORT (REVERSE) UTF-8 ALL", "SORT (DATE) ALL",
                  "SORT DATE UTF-8 ALL", "SORT (DATE) UTF-8"):
        client.refused(wrong, b"BAD")
    assert client.refused("SORT (DATE) x-none ALL").startswith(b"NO [BADCHARSET")


def test_extended(client):
    def esort(returns, keys, command="SORT"):
        (answer,) = client.ok(f"{command} RETURN ({returns}) ({keys}) UTF-8 ALL")
        return answer.decode().partition(") ")[2]
    assert esort("", "SIZE") == "ALL 5,4,3,2,1"
    assert esort("ALL", "REVERSE SIZE") == "ALL 1:5"
    assert esort("MIN MAX COUNT", "ARRIVAL") == "MIN 5 MAX 1 COUNT 5"
    assert esort("PARTIAL 2:4", "ARRIVAL") == "PARTIAL (2:4 3,2,4)"
    assert esort("PARTIAL -1:-2", "ARRIVAL", "UID SORT") == "UID PARTIAL (-1:-2 4,1)"
    client.ok("SORT RETURN (SAVE PARTIAL 1:2) (ARRIVAL) UTF-8 ALL")
    assert client.ok("SEARCH $") == [b"* SEARCH 3 5"]


def test_many(instance):
    """The same order as Python gives, ties by number."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    name = next(NAMES)
    instance.account(name, PASSWORD)
    rows = [(chance.choice("abcdef"), chance.choice(["", "ant", "Bee", "bee", "Crow", "[x]", "_y"]),
             chance.randrange(10)) for _ in range(3000)]
    with Imap(instance, name) as c:
        for at in range(0, len(rows), 60):
            parts = b""
            for who, subject, day in rows[at:at + 60]:
                data = (f"From: {who}@x.org\r\nSubject: {subject}\r\nDate: {day + 1} Jan 2026 00:00:00 +0000\r\n"
                        f"\r\n.\r\n").encode()
                parts += b" {%d+}\r\n%s" % (len(data), data)
            c.ok(b"APPEND INBOX" + parts)
        c.ok("SELECT INBOX")
        keys = {"FROM": lambda r: r[0], "SUBJECT": lambda r: r[1].upper(),
                "DATE": lambda r: r[2]}
        for wanted in (["FROM"], ["SUBJECT", "DATE"], ["DATE", "FROM", "SUBJECT"], ["SUBJECT", "FROM"]):
            order = sorted(range(len(rows)), key=lambda i: tuple(keys[k](rows[i]) for k in wanted))
            assert sort(c, " ".join(wanted)) == [i + 1 for i in order], wanted
