"""Mail under systemd: a scripted submission and a scripted IMAP session."""

import base64
import re
import time

from house import PASSWORD, ask, read_line


def submit(house, sender, recipient, text, door="maild-submission"):
    """One message; how long its 250 took."""
    with house.tls(door) as session:
        assert read_line(session).startswith("220 ")
        session.sendall(b"EHLO x\r\n")
        while not read_line(session).startswith("250 "):
            pass
        token = base64.b64encode(f"\0{sender}\0{PASSWORD}".encode()).decode()
        for command, code in ((f"AUTH PLAIN {token}", "235"), (f"MAIL FROM:<{sender}@quintet.test>", "250"),
                              (f"RCPT TO:<{recipient}@quintet.test>", "250"), ("DATA", "354")):
            said = ask(session, command)
            assert said.startswith(code), said
        start = time.monotonic()
        session.sendall(text.encode() + b"\r\n.\r\n")
        said = read_line(session)
        assert said.startswith("250 "), said
        took = time.monotonic() - start
        assert ask(session, "QUIT").startswith("221 ")
        return took


class Imap:
    """A session that is logged in, by password or by certificate, with INBOX selected."""

    def __init__(self, house, name, identity=None, door="maild"):
        self.tls = house.tls(door, identity=identity)
        self.count = 0
        assert read_line(self.tls).startswith("* OK ")
        self.ask("AUTHENTICATE EXTERNAL =" if identity else f'LOGIN {name} "{PASSWORD}"')
        self.ask("SELECT INBOX")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()

    def ask(self, command):
        """What was answered, the last line OK."""
        self.count += 1
        self.tls.sendall(f"a{self.count} {command}\r\n".encode())
        lines = self.until(f"a{self.count} ")
        assert lines[-1].startswith(f"a{self.count} OK"), lines
        return lines

    def until(self, start):
        lines = [read_line(self.tls)]
        while not lines[-1].startswith(start):
            assert lines[-1], lines
            lines.append(read_line(self.tls))
        return lines

    def idle(self):
        self.tls.sendall(b"idle IDLE\r\n")
        assert read_line(self.tls).startswith("+ ")

    def done(self):
        self.tls.sendall(b"DONE\r\n")
        self.until("idle OK")

    def seconds_until(self, pattern, limit=60.0):
        start = time.monotonic()
        self.tls.settimeout(limit)
        while True:
            line = read_line(self.tls)
            assert line, f"the session ended before {pattern}"
            if re.search(pattern, line):
                return time.monotonic() - start
