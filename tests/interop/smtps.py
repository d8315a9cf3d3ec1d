"""A scripted SMTP client over TLS for the tests of submission: every byte is the test's, replies are
looked at line by line."""

import base64
import re

import talk
from imaps import PASSWORD, Imap

ENHANCED = re.compile(r"(\d)\.\d{1,3}\.\d{1,3} ")


class Reply:
    """A whole reply: .code, .lines without their codes, .status ("2.1.0" or ""), .text joined."""

    def __init__(self, code, lines):
        self.code, self.lines = code, lines
        found = ENHANCED.match(lines[0])
        self.status = found.group(0).strip() if found else ""
        self.text = "\n".join(lines)

    def __repr__(self):
        return f"{self.code} {self.text}"


def plain(name, password=PASSWORD, authzid=""):
    return base64.b64encode(f"{authzid}\0{name}\0{password}".encode()).decode()


class Smtps:
    """A connection, greeted by the server. account: EHLO and AUTH PLAIN are done."""

    def __init__(self, instance, account=None, password=PASSWORD, cert=None, timeout=60.0, port=None):
        self.instance = instance
        self.tls = talk.connect(instance, port or instance.ports["submissions"], timeout, cert=cert)
        self.file = self.tls.makefile("rb")
        self.banner = self.reply()
        if account:
            self.expect("EHLO test", 250)
            self.expect(f"AUTH PLAIN {plain(account, password)}", 235)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.tls.close()

    def send(self, data):
        """Bytes as they are, or a line of text."""
        self.tls.sendall(data if isinstance(data, bytes) else data.encode() + b"\r\n")

    def reply(self):
        lines = []
        while True:
            line = self.file.readline()
            assert line.endswith(b"\r\n") and len(line) <= 512, line
            text = line[:-2].decode()
            lines.append(text[4:])
            if text[3:4] != "-":
                return Reply(int(text[:3]), lines)

    def ask(self, data):
        self.send(data)
        return self.reply()

    def expect(self, data, code):
        got = self.ask(data)
        assert got.code == code, (data, got)
        return got

    def ended(self):
        """True at a clean close."""
        return self.file.readline() == b""

    # -- messages ---------------------------------------------------------------------------------

    def envelope(self, sender, *recipients, params=""):
        domain = self.instance.domain
        self.expect(f"MAIL FROM:<{sender}@{domain}>{params}" if sender else f"MAIL FROM:<>{params}", 250)
        for name in recipients:
            self.expect(f"RCPT TO:<{name}@{domain}>", 250)

    def message(self, sender, recipients, data):
        """One message by DATA, its bytes without the last dot; the reply."""
        self.envelope(sender, *recipients)
        self.expect("DATA", 354)
        return self.ask(data + b".\r\n")


def letter(sender, subject, msgid=None, body="Hello.", more="", domain="quintet.test"):
    """A message as bytes."""
    head = f"From: {sender}@{domain}\r\nSubject: {subject}\r\n{more}"
    if msgid:
        head += f"Message-ID: <{msgid}@{domain}>\r\n"
    return f"{head}\r\n{body}\r\n".encode()


def inbox(instance, name, mailbox="INBOX"):
    """All messages of a mailbox, as bytes."""
    with Imap(instance, name) as imap:
        imap.ok(f"EXAMINE {mailbox}")
        found = []
        for answer in imap.ok("FETCH 1:* BODY.PEEK[]"):
            whole = re.match(rb"\* \d+ FETCH \(.*?BODY\[\] \{(\d+)\}\r\n", answer, re.S)
            if whole:
                found.append(answer[whole.end():whole.end() + int(whole.group(1))])
        return found


def with_subject(instance, name, subject):
    """The messages that somebody has of that subject."""
    mark = f"Subject: {subject}\r\n".encode()
    return [m for m in inbox(instance, name) if mark in m]
