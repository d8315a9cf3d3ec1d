"""Mail at its limits: a full disk in DATA and APPEND, the longest messages, many messages in one mailbox,
messages made to hurt."""

import contextlib
import os
import random
import smtplib
import subprocess
import time

import pytest
from audit import check_store
from imaps import PASSWORD, Imap, message
from mailers import Smtp
from test_full import fill

MANY = 100_000
BATCH = 64
LONGEST = 26_214_400


def people(instance, *names):
    for name in names:
        instance.account(name, PASSWORD)
    return instance.start("maild"), instance.start("maild-submission")


def letter(body, subject="a subject", msgid="one"):
    return (f"From: ann@quintet.test\r\nTo: bob@quintet.test\r\nSubject: {subject}\r\n"
            f"Message-ID: <{msgid}@quintet.test>\r\n\r\n{body}\r\n")


def attempt(smtp, text):
    """The reply's code."""
    try:
        smtp.sendmail("ann@quintet.test", ["bob@quintet.test"], text)
    except smtplib.SMTPResponseException as error:
        smtp.rset()
        return error.smtp_code
    except smtplib.SMTPRecipientsRefused as error:
        return error.recipients["bob@quintet.test"][0]
    return 250


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a file system of its own")
@pytest.mark.parametrize("size", [2_000, 200_000], ids=["in the store", "as a file"])
def test_disk_full(make_instance, size):
    instance = make_instance(init=False)
    state = instance.path("state")
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=2770", "tmpfs", state], check=True)
    try:
        instance.give(state)
        instance.ctl("init", "--domain", instance.domain, "--host", instance.host)
        people(instance, "ann", "bob")
        body = "\r\n".join(["x" * 70] * (size // 72))
        with Smtp(instance, "ann") as smtp, Imap(instance, "bob") as bob:
            assert attempt(smtp, letter(body, msgid="before")) == 250
            taken = 1
            filler = fill(state, 8192 if size < 65536 else 100_000)
            for n in range(12):
                code = attempt(smtp, letter(body, msgid=f"full{n}"))
                assert code in (250, 452), code
                taken += code == 250
            assert code == 452
            # Pages that were freed before may still take some.
            for n in range(60):
                _, said = bob.ask(f"APPEND INBOX {{{size}+}}\r\n".encode() + b"%09d" % n + b"y" * (size - 9))
                if said.startswith(b"NO"):
                    break
                taken += 1
            assert said.startswith(b"NO [UNAVAILABLE]"), said
            bob.ok("SELECT INBOX")
            assert len(bob.ok("FETCH 1:* (UID)")) == taken
            filler.unlink()
            assert attempt(smtp, letter(body, msgid="after")) == 250
            bob.append(message(), "INBOX")
            bob.ok("NOOP")
            assert len(bob.ok("FETCH 1:* (UID)")) == taken + 2
        check_store(instance)
    finally:
        for service in instance.services:
            service.stop()
        subprocess.run(["umount", "-l", state], check=True)


def test_the_longest_message(make_instance):
    """As long as the limit allows, byte for byte the same; one byte more is refused, by SIZE and in the end."""
    instance = make_instance()
    people(instance, "ann", "bob")
    rng = random.Random(1)
    line = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(76)) + "\r\n"
    head = letter("")
    body = line * ((LONGEST - len(head) - 2000) // len(line))
    with Smtp(instance, "ann") as smtp, Imap(instance, "bob") as bob:
        assert attempt(smtp, letter(body)) == 250
        code, said = smtp.docmd("MAIL", f"FROM:<ann@quintet.test> SIZE={LONGEST + 1}")
        assert code == 552 and b"26214400" in said, said
        assert attempt(smtp, letter(body + line * 100)) == 552
        bob.ok("SELECT INBOX")
        (answer,) = bob.ok("FETCH 1 BODY.PEEK[TEXT]")
        assert body.encode() in answer
        whole = letter(body, msgid="two").encode()
        bob.append(whole, "Archive")
        bob.ok("SELECT Archive")
        (answer,) = bob.ok("FETCH 1 BODY.PEEK[]")
        assert whole in answer
        (answer,) = bob.ok(f"FETCH 1 BODY.PEEK[]<{len(whole) - 10}.100>")
        assert answer.endswith(b"{10}\r\n" + whole[-10:] + b")")
        tag = bob.tag()
        bob.send(f"{tag} APPEND Archive {{{LONGEST + 1}}}")
        answer = bob.line()
        assert b"NO [TOOBIG]" in answer, answer
    check_store(instance)


def append_many(imap, count, mailbox):
    one = message()
    for at in range(0, count, BATCH):
        n = min(BATCH, count - at)
        imap.ok(f"APPEND {mailbox}".encode() + f" {{{len(one)}+}}\r\n".encode().join([b"", *[one] * n]))


def test_many_messages(make_instance, capsys):
    """A mailbox of a hundred thousand: opened, listed, searched, cleared."""
    instance = make_instance(variant="release")
    people(instance, "ann")
    with Imap(instance, "ann") as ann:
        append_many(ann, MANY, "Archive")
        took = {}

        def timed(command):
            start = time.monotonic()
            answers = ann.ok(command)
            took[command] = time.monotonic() - start
            return answers

        assert b"* 100000 EXISTS" in timed("SELECT Archive")
        flags = timed("FETCH 1:* (FLAGS)")
        assert len(flags) == MANY and flags[-1].startswith(b"* 100000 FETCH (FLAGS ("), flags[-1]
        assert timed("UID SEARCH RETURN (COUNT) UNSEEN")[0].endswith(b"COUNT 100000")
        timed("STORE 1:* +FLAGS.SILENT (\\Deleted \\Seen)")
        assert timed("UID SEARCH RETURN (COUNT) DELETED SEEN")[0].endswith(b"COUNT 100000")
        timed("CLOSE")
        assert timed("STATUS Archive (MESSAGES SIZE)")[0].endswith(b"(MESSAGES 0 SIZE 0)")
    check_store(instance)
    with capsys.disabled():
        print("\n" + ", ".join(f"{command}: {s:.2f} s" for command, s in took.items()))


def nested(depth):
    """Multiparts inside of each other."""
    head = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n' for n in range(depth))
    return head + "\r\nthe bottom\r\n" + "".join(f"--b{n}--\r\n" for n in reversed(range(depth)))


def inside(depth):
    """Messages inside of each other."""
    return "Content-Type: message/rfc822\r\n\r\n" * depth + "Subject: the bottom\r\n\r\nhello\r\n"


BOMBS = {
    "multiparts in multiparts": nested(3000),
    "messages in messages": inside(20000),
    "many parts": "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b\r\n\r\nx\r\n" * 200_000 + "--b--\r\n",
    "many parameters": "Content-Type: text/plain" + "".join(f";\r\n n*{n}*=x" for n in range(50_000)) + "\r\n\r\nx",
    "many addresses": "To: " + ",\r\n ".join(f"a{n}@b" for n in range(100_000)) + "\r\n\r\nx",
    "a huge field": "Subject: " + "\r\n ".join(["y" * 900] * 3000) + "\r\n\r\nx",
    "many fields": "".join(f"X-{n}: y\r\n" for n in range(200_000)) + "\r\nx",
    "open parentheses": "To: " + "(" * 500_000 + "\r\n\r\nx",
    "encoded words": "Subject: " + "\r\n ".join(["=?utf-8?B?" + "eA==" * 10 + "?="] * 20_000) + "\r\n\r\nx",
    "references": "References: " + "\r\n ".join(f"<{n}@x>" for n in range(100_000)) + "\r\n\r\nx",
}
ITEMS = "(ENVELOPE BODYSTRUCTURE BODY BODY.PEEK[HEADER.FIELDS (To Subject)] BODY.PEEK[1] PREVIEW)"


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_a_message_like_others(make_instance, name):
    """Taken, told, searched, sorted and given back as it came; and all of it soon."""
    instance = make_instance(variant="release")
    people(instance, "ann")
    bomb = BOMBS[name].encode()
    with Imap(instance, "ann") as ann:
        start = time.monotonic()
        ann.append(bomb, "INBOX")
        ann.ok("SELECT INBOX")
        ann.ok(f"FETCH 1 {ITEMS}")
        ann.ok("SEARCH OR TEXT nowhere SUBJECT nowhere")
        ann.ok("SORT (SUBJECT FROM DATE) UTF-8 ALL")
        ann.ok("THREAD REFERENCES UTF-8 ALL")
        (answer,) = ann.ok("FETCH 1 BODY.PEEK[]")
        assert bomb in answer
        # Hundreds of times what it takes: what grows with the square of the input takes minutes.
        assert time.monotonic() - start < 30


def test_floods_of_literals(make_instance):
    """What is announced is not believed: no memory is asked for before it is known to be wanted."""
    instance = make_instance()
    people(instance, "ann")
    floods = [b"LOGIN {4000000000}", b"LOGIN {4000000000+}", b"LOGIN {99999999999999999999}", b"LOGIN " + b"(" * 60000,
              b"LOGIN {70000}", b"AUTHENTICATE PLAIN " + b"A" * 200_000, b"A" * 300_000]
    for flood in floods:
        with Imap(instance) as stranger, contextlib.suppress(OSError, EOFError):
            stranger.send(b"x " + flood + b"\r\n")
            answer = stranger.line()
            assert answer.startswith((b"x BAD", b"x NO", b"* BYE", b"* BAD")), (flood[:40], answer)
    with Imap(instance, "ann") as ann:
        for flood in (b"SEARCH " + b"(" * 10000, b"FETCH " + b"1," * 50000 + b"1 FLAGS",
                      b"SEARCH " + b"NOT " * 20000 + b"ALL", b"LIST \"\" " + b"%*" * 5000):
            ann.send(b"x " + flood + b"\r\n")
            while not (answer := ann.line()).startswith((b"x BAD", b"x NO", b"x OK", b"* BAD")):
                assert answer.startswith(b"* LIST"), (flood[:40], answer)
        ann.send(b"y SELECT {100000000}\r\n")
        assert ann.line().startswith((b"y BAD", b"y NO", b"* BYE"))
    with Imap(instance, "ann") as ann:
        ann.ok("SELECT INBOX")
