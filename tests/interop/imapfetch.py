"""FETCH answers taken apart, and messages to fetch."""

import email.policy
import re
from email.message import EmailMessage

TOKEN = re.compile(rb'~?\{(\d+)\}\r\n|"((?:[^"\\]|\\.)*)"|([()])|((?:[^\s()\[\]"]+(?:\[[^\]]*\])?(?:<\d+>)?)+)| ')


def values(data):
    """A list of bytes, None and lists."""
    at, stack = 0, [[]]
    while at < len(data):
        found = TOKEN.match(data, at)
        assert found, data[at:at + 60]
        at = found.end()
        literal, quoted, paren, atom = found.groups()
        if literal is not None:
            stack[-1].append(data[at:at + int(literal)])
            at += int(literal)
        elif quoted is not None:
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", quoted))
        elif paren == b"(":
            stack.append([])
        elif paren == b")":
            inner = stack.pop()
            stack[-1].append(inner)
        elif atom is not None:
            stack[-1].append(None if atom == b"NIL" else atom)
    assert len(stack) == 1
    return stack[0]


def fetched(answers):
    """{number: {"FLAGS": [...], ...}} of the FETCH answers among others; each number stands once."""
    found = {}
    for answer in answers:
        if not re.match(rb"\* \d+ FETCH ", answer):
            continue
        number, items = int(answer.split()[1]), values(answer.split(b" ", 3)[3])[0]
        assert len(items) % 2 == 0, answer
        assert number not in found, f"{number} is told twice"
        found[number] = {items[i].decode(): items[i + 1] for i in range(0, len(items), 2)}
    return found


def fetch(client, number, items):
    """What is told of one message."""
    return fetched(client.ok(f"FETCH {number} {items}"))[number]


def with_parts(text="Grüße\n" * 20, blob=bytes(range(256)) * 40):
    """A message of text, HTML, an attachment and a message inside; bytes with CR LF."""
    inner = EmailMessage(policy=email.policy.SMTP)
    inner["From"], inner["Subject"] = "Inner <inner@example.org>", "within"
    inner.set_content("inner text, quietly\n")
    m = EmailMessage(policy=email.policy.SMTP)
    m["From"], m["To"] = "Ännchen <ann@quintet.test>", "Bob <bob@quintet.test>, carol@quintet.test"
    m["Subject"], m["Date"] = "Viele Teile – many parts", "Sat, 21 Nov 2026 10:00:00 +0100"
    m["Message-ID"] = "<parts@quintet.test>"
    m.set_content(text, cte="quoted-printable")
    m.add_alternative(f"<p>Hallo <b>{text[:20]}</b></p>", subtype="html", cte="base64")
    m.add_attachment(blob, maintype="application", subtype="octet-stream", filename="all.bin")
    m.add_attachment(inner)
    return bytes(m)
