"""FETCH: sections of messages, parts without their encoding, and messages that lie in files."""

import email
import email.policy
import hashlib
import itertools

import pytest

from imapfetch import fetch, fetched, with_parts
from imaps import Imap, PASSWORD, message

NAMES = (f"imbod{n}" for n in itertools.count())
BIG = 3 << 20


@pytest.fixture(scope="module")
def ann(instance):
    name = next(NAMES)
    instance.account(name, PASSWORD)
    with Imap(instance, name) as c:
        c.append(message("plain", "plain"))
        c.append(with_parts())
        c.append(with_parts(text="a long line of text\n" * (BIG // 20), blob=bytes(range(256)) * (BIG // 256)))
    return name


@pytest.fixture
def client(instance, ann):
    with Imap(instance, ann, patience=120) as c:
        c.ok("EXAMINE INBOX")
        yield c


def section(client, number, name):
    return fetch(client, number, f"BODY.PEEK[{name}]")[f"BODY[{name}]"]


def texts(data):
    """What the whole message has, by Python's parser, as sections name it."""
    whole = email.message_from_bytes(data, policy=email.policy.SMTP)
    first, html = whole.get_payload()[0].get_payload()
    return {"1.1": first, "1.2": html, "2": whole.get_payload()[1], "3": whole.get_payload()[2]}


@pytest.mark.parametrize("number", [2, 3])
def test_sections(client, number):
    whole = section(client, number, "")
    header, _, body = whole.partition(b"\r\n\r\n")
    assert section(client, number, "HEADER") == header + b"\r\n\r\n"
    assert section(client, number, "TEXT") == body
    for name, part in texts(whole).items():
        if name != "3":
            got = section(client, number, name)
            assert got in body
            encoding = part["content-transfer-encoding"]
            again = email.message_from_bytes(b"Content-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n" + got)
            assert again.get_payload(decode=True) == part.get_payload(decode=True)
        mime = section(client, number, name + ".MIME")
        assert mime.endswith(b"\r\n\r\n") and mime in whole
        assert part.get_content_type().encode() in mime
    inner = section(client, number, "3")
    assert b"Subject: within\r\n" in inner
    assert section(client, number, "3.HEADER") + section(client, number, "3.TEXT") == inner
    assert section(client, number, "3.1") == section(client, number, "3.TEXT") == b"inner text, quietly\r\n"
    assert section(client, number, "3.HEADER.FIELDS (subject x-none)") == b"Subject: within\r\n\r\n"


def test_header_fields(client):
    fields = section(client, 1, "HEADER.FIELDS (To Subject)")
    assert fields == b"To: bob@quintet.test\r\nSubject: plain\r\n\r\n"
    others = section(client, 1, "HEADER.FIELDS.NOT (To Subject DATE)")
    assert others == b"From: Ann <ann@quintet.test>\r\nMessage-ID: <plain@quintet.test>\r\n\r\n"
    assert section(client, 1, "HEADER.FIELDS (X-None)") == b"\r\n"


def test_what_is_not_there(client):
    for name in ("2", "1.1", "1.HEADER", "1.TEXT", "9.MIME"):
        assert section(client, 1, name) is None, name
    assert section(client, 1, "1") == section(client, 1, "TEXT") == b"Hello, Bob.\r\n"
    for wrong in ("MIME", "0", "1.", "HEADER.FIELDS ()", "1.FOO"):
        client.refused(f"FETCH 1 BODY.PEEK[{wrong}]", b"BAD")


@pytest.mark.parametrize("number", [1, 3])
def test_partial(client, number):
    whole = section(client, number, "")
    for offset, length in ((0, 10), (5, 1), (len(whole) - 3, 10), (len(whole), 10), (len(whole) + 99, 5),
                           (7, 200000), (0, 1 << 40)):
        got = fetch(client, number, f"BODY.PEEK[]<{offset}.{length}>")[f"BODY[]<{offset}>"]
        assert got == whole[offset:offset + length], (offset, length)
    header = section(client, number, "HEADER.FIELDS (Subject)")
    assert fetch(client, number, "BODY.PEEK[HEADER.FIELDS (Subject)]<3.9>")["BODY[HEADER.FIELDS (Subject)]<3>"] \
        == header[3:12]
    client.refused("FETCH 1 BODY.PEEK[]<0.0>", b"BAD")


def test_old_names(client):
    got = fetch(client, 1, "(RFC822 RFC822.HEADER RFC822.TEXT)")
    assert got["RFC822"] == got["RFC822.HEADER"] + got["RFC822.TEXT"] == message("plain", "plain")


@pytest.mark.parametrize("number", [2, 3])
def test_binary(client, number):
    parts = texts(section(client, number, ""))
    for name in ("1.1", "1.2", "2"):
        plain = parts[name].get_payload(decode=True)
        got = fetch(client, number, f"(BINARY.PEEK[{name}] BINARY.SIZE[{name}])")
        assert got[f"BINARY[{name}]"] == plain and int(got[f"BINARY.SIZE[{name}]"]) == len(plain)
        for offset, length in ((0, 5), (300, 1000), (len(plain) - 2, 9), (len(plain) + 1, 9)):
            window = fetch(client, number, f"BINARY.PEEK[{name}]<{offset}.{length}>")
            assert window[f"BINARY[{name}]<{offset}>"] == plain[offset:offset + length]
    assert fetch(client, number, "BINARY.PEEK[3]")["BINARY[3]"] == section(client, number, "3")


def test_binary_marks_nul(client):
    (answer,) = client.ok("FETCH 2 BINARY.PEEK[2]")
    assert b"BINARY[2] ~{10240}\r\n\0\1\2" in answer
    (answer,) = client.ok("FETCH 2 BINARY.PEEK[2]<1.50>")
    assert b"BINARY[2]<1> {50}\r\n\1\2" in answer


def test_unknown_encoding(instance):
    name = next(NAMES)
    instance.account(name, PASSWORD)
    with Imap(instance, name) as c:
        c.append(b"Subject: x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: x-uue\r\n\r\nabc\r\n")
        c.ok("SELECT INBOX")
        assert c.refused("FETCH 1 BINARY.PEEK[1]").startswith(b"NO [UNKNOWN-CTE]")
        answers, said = c.ask("FETCH 1 BINARY.SIZE[1]")
        assert said.startswith(b"NO [UNKNOWN-CTE]") and answers == []
        answers, said = c.ask("FETCH 1 (UID BINARY.SIZE[1] FLAGS)")
        assert said.startswith(b"NO [UNKNOWN-CTE]") and fetched(answers)[1]["UID"] == b"1"
        assert section(c, 1, "1") == b"abc\r\n"


def test_large_messages_come_whole(client):
    """Read in pieces outside of any view; the next items of the same answer stand behind it."""
    got = fetch(client, 3, "(UID BODY.PEEK[] RFC822.SIZE BODY.PEEK[2] FLAGS)")
    assert int(got["RFC822.SIZE"]) == len(got["BODY[]"]) > 2 * BIG and got["UID"] == b"3"
    assert got["BODY[2]"] in got["BODY[]"]
    digest = hashlib.sha256(got["BODY[]"]).hexdigest()
    assert fetch(client, 3, "EMAILID")["EMAILID"] == [b"M" + digest[:32].encode()]
    three = fetched(client.ok("FETCH 1:3 (BODY.PEEK[TEXT] PREVIEW)"))
    assert len(three) == 3 and three[3]["PREVIEW"].startswith(b"a long line of text a long line")


def test_a_client_that_goes_away_in_the_midst(instance, ann, client):
    with Imap(instance, ann) as other:
        other.ok("EXAMINE INBOX")
        other.begin("FETCH 1:* BODY.PEEK[]")
        other.fill()
    client.ok("NOOP")


def test_lost_bytes(instance):
    """A disk that has lost a body: what is begun cannot be ended, what is not is refused."""
    name = next(NAMES)
    instance.account(name, PASSWORD)
    data = message("lost", "lost") + b"a line of text that fills the disk\r\n" * 30000
    with Imap(instance, name) as c:
        c.append(data)
        c.append(message("kept", "kept"))
        c.ok("SELECT INBOX")
        (blob,) = [p for p in instance.path("state/blobs").rglob("*") if p.is_file() and p.stat().st_size == len(data)]
        blob.write_bytes(data[:500000])
        with Imap(instance, name) as other:
            other.ok("EXAMINE INBOX")
            with pytest.raises((EOFError, OSError)):
                other.ok("FETCH 1 BODY.PEEK[]")
        assert section(c, 1, "HEADER") == data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        blob.unlink()
        answers, said = c.ask("FETCH 1:2 (UID BODY.PEEK[])")
        assert said.startswith(b"NO [") and list(fetched(answers)) == [2]
        assert c.ok("SEARCH BODY hello") == [b"* SEARCH 2"]
        got = fetched(c.ok("FETCH 1:2 (UID ENVELOPE)"))
        assert got[1]["ENVELOPE"][1] == b"lost" and section(c, 2, "") == message("kept", "kept")
