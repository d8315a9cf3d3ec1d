"""SEARCH: headers and bodies, decoded and without regard to case; character sets; long messages."""

import base64
import itertools
import quopri
import time

import pytest

from imapfetch import with_parts
from imaps import Imap, PASSWORD

NAMES = (f"imtex{n}" for n in itertools.count())
LONG = b"".join(b"line %d of a long text\r\n" % n for n in range(200000))


def build(header, body=b"body\r\n"):
    return header.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


MESSAGES = [
    build("From: =?utf-8?q?J=C3=B6rg_M=C3=BCller?= <joerg@example.org>\nTo: (at work) bob @ (home) example.net\n"
          "Subject: =?iso-8859-1?q?Gr=FC=DFe?=\n =?iso-8859-1?q?_aus_K=F6ln?=\nX-Note: first",
          b"Plain seven bit text about harvest.\r\n"),
    build("From: ann@example.org\nCc: A Group: carol@example.org, dave@example.org;\nSubject: folded\n subject line\n"
          "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable",
          quopri.encodestring("Über den Wolken, STRASSE".encode("latin-1"))),
    build("From: ann@example.org\nSubject: base64\nContent-Type: text/plain; charset=utf-8\n"
          "Content-Transfer-Encoding: base64", base64.encodebytes("Привет, мир! needle in base64".encode())),
    build("From: ann@example.org\nSubject: hypertext\nContent-Type: text/html; charset=utf-8",
          "<p>Sch&ouml;ne <b>Aussicht</b></p>".encode()),
    build("From: ann@example.org\nSubject: japanese\nContent-Type: text/plain; charset=iso-2022-jp",
          "日本語のメール\r\n".encode("iso-2022-jp")),
    build("From: ann@example.org\nSubject: picture\nContent-Type: image/png\nContent-Transfer-Encoding: base64",
          base64.encodebytes(b"hidden harvest")),
    with_parts(),
    build("From: long@example.org\nSubject: long", LONG + b"the very last words\r\n"),
    build("From: long@example.org\nSubject: wide\nContent-Type: text/plain; charset=utf-8\n"
          "Content-Transfer-Encoding: base64",
          base64.encodebytes(("ä" * 100000 + "Nadel" + "ö" * 100000).encode())),
]


@pytest.fixture(scope="module")
def client(instance):
    name = next(NAMES)
    instance.account(name, PASSWORD)
    with Imap(instance, name, patience=120) as c:
        for data in MESSAGES:
            c.append(data)
        c.ok("EXAMINE INBOX")
        yield c


def search(client, keys, charset=None):
    """keys: text with {words} as literals, in UTF-8 or the character set."""
    command = b"SEARCH" + (b" CHARSET " + charset.encode() if charset else b"")
    for word in keys.split(" "):
        data = word.replace("_", " ").encode(charset or "utf-8")
        command += b" " + (data if word.isascii() and word.isalnum() else b"{%d+}\r\n%s" % (len(data), data))
    (answer,) = client.ok(command)
    return [int(n) for n in answer.split()[2:]]


@pytest.mark.parametrize("keys, found", [
    ("SUBJECT Grüße_aus_Köln", [1]), ("SUBJECT GRÜSSE", [1]), ("SUBJECT folded_subject", [2]), ("SUBJECT nothing", []),
    ("FROM Jörg_Müller", [1]), ("FROM JOERG@EXAMPLE", [1]), ("FROM =?utf-8", []), ("TO bob@example.net", [1]),
    ("TO work", [1]), ("CC carol@example.org", [2]), ("CC a_group", [2]), ("TO CAROL@", [7]), ("FROM ännchen", [7]),
    ("HEADER X-Note FIRST", [1]), ("HEADER X-Note {}", [1]), ("HEADER x-none {}", []),
    ("NOT HEADER To {}", [2, 3, 4, 5, 6, 8, 9]), ("HEADER Message-ID parts@quintet", [7]),
])
def test_headers(client, keys, found):
    assert search(client, keys.replace("{}", "")) == found


@pytest.mark.parametrize("keys, found", [
    ("BODY harvest", [1]), ("BODY HARVEST", [1]), ("TEXT harvest", [1]), ("BODY über_den", [2]), ("BODY strasse", [2]),
    ("BODY ПРИВЕТ", [3]), ("BODY needle_in", [3]), ("BODY Schöne_Aussicht", [4]), ("BODY 日本語", [5]),
    ("BODY hidden", []), ("BODY grüße", [7]), ("BODY inner_text", [7]), ("BODY within", [7]),
    ("TEXT parts@quintet", [7]), ("BODY parts@quintet", []), ("TEXT all.bin", [7]),
    ("BODY the_very_last", [8]), ("BODY äänadelöö", [9]), ("TEXT line_199999_of", [8]), ("BODY line_200000_of", []),
    ("NOT BODY e", []), ("OR BODY needle SUBJECT picture", [3, 6]), ("FROM long BODY words", [8]),
    ("BODY last_words FROM ann", []),
])
def test_bodies(client, keys, found):
    got = search(client, keys)
    assert [n for n in got if not keys.startswith("NOT")] == found


def test_charsets(client):
    for charset in ("UTF-8", "ISO-8859-1", "windows-1252"):
        assert search(client, "SUBJECT Köln", charset) == [1], charset
    assert search(client, "BODY Привет", "koi8-r") == [3]
    assert search(client, "BODY harvest", "US-ASCII") == [1]
    said = client.refused("SEARCH CHARSET x-none SUBJECT a")
    assert said.startswith(b"NO [BADCHARSET (") and b"UTF-8" in said


def test_words_across_pieces(client):
    """Bodies are read in pieces: what lies across two is found."""
    for n in range(2000, 200000, 9973):
        words = f"line_{n}_of_a_long_text".replace("_", " ").encode()
        (answer,) = client.ok(b"SEARCH 8 BODY {%d+}\r\n%s" % (len(words), words))
        assert answer == b"* SEARCH 8", n


def test_a_long_search_ends_with_its_account(instance):
    """A search that would take half a minute does not outlive the right to search."""
    name = next(NAMES)
    instance.account(name, PASSWORD)
    with Imap(instance, name) as c:
        data = build("From: ann@example.org\nSubject: x", b"".join(LONG.splitlines(True)[:200]))
        c.ok(b"APPEND INBOX" + b"".join(b" {%d+}\r\n%s" % (len(data), data) for _ in range(50)))
        c.ok("SELECT INBOX")
        for _ in range(5):
            c.ok("COPY 1:* INBOX")
            c.ok("NOOP")
        keys = " ".join(f"NOT BODY nothing{n}" for n in range(450))
        tag = c.begin(f"SEARCH {keys}")
        time.sleep(0.7)
        begun = time.monotonic()
        instance.ctl("user", "lock", name)
        with pytest.raises((EOFError, OSError)):
            c.finish(tag)
        assert time.monotonic() - begun < 5


def test_utf8_needs_no_charset(instance):
    name = next(NAMES)
    instance.account(name, PASSWORD)
    with Imap(instance, name) as c:
        c.append(MESSAGES[0])
        c.ok("ENABLE UTF8=ACCEPT")
        c.ok("SELECT INBOX")
        assert c.ok('SEARCH SUBJECT "Köln"'.encode()) == [b"* SEARCH 1"]
        c.refused("SEARCH CHARSET UTF-8 SUBJECT x", b"BAD")
