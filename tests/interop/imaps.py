"""A scripted IMAP client: every byte of what the server says is looked at, literals stay where they
stood, and nothing is sent but what the test says."""

import re
import time

import talk

PASSWORD = "correct horse battery"
LITERAL = re.compile(rb"\{(\d+)\}$")
MESSAGE = (b"From: Ann <ann@quintet.test>\r\nTo: bob@quintet.test\r\nSubject: %s\r\n"
           b"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%s@quintet.test>\r\n\r\nHello, Bob.\r\n")


def message(subject="a subject", msgid="one"):
    """A short plain message, as bytes."""
    return MESSAGE % (subject.encode(), msgid.encode())


class Refused(AssertionError):
    """The server said NO or BAD where the test wanted OK."""


class Imap:
    """One connection, in a with statement. account: logged in by LOGIN with PASSWORD; cert: (key,
    certificate) for TLS."""

    def __init__(self, instance, account=None, password=PASSWORD, cert=None, port=None, patience=60):
        self.socket = talk.connect(instance, port or instance.ports["imaps"], timeout=patience, cert=cert)
        self.have = b""
        self.tags = 0
        self.greeting = self.line()
        if account:
            self.ok(f'LOGIN {account} "{password}"')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    # -- bytes ------------------------------------------------------------------------------------

    def send(self, data):
        """Bytes as they are, or a line of text."""
        self.socket.sendall(data if isinstance(data, bytes) else data.encode() + b"\r\n")

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("the server has closed the connection")
        return data

    def fill(self):
        self.have += self.more()

    def take(self, count):
        """A literal may be long: its pieces are put together once."""
        pieces, there = [self.have], len(self.have)
        while there < count:
            pieces.append(self.more())
            there += len(pieces[-1])
        whole = b"".join(pieces)
        data, self.have = whole[:count], whole[count:]
        return data

    def line(self):
        """The next answer without its end; literals stay in it: b"{3}\\r\\nabc"."""
        answer = b""
        while True:
            while b"\r\n" not in self.have:
                self.fill()
            part, _, self.have = self.have.partition(b"\r\n")
            answer += part
            literal = LITERAL.search(part)
            if not literal:
                return answer
            answer += b"\r\n" + self.take(int(literal.group(1)))

    # -- commands ---------------------------------------------------------------------------------

    def tag(self):
        self.tags += 1
        return f"t{self.tags}"

    def begin(self, command):
        """Sends a command (text, or bytes with its literals in them as non-synchronizing ones), and
        returns its tag."""
        tag = self.tag()
        command = command.encode() if isinstance(command, str) else command
        self.send(tag.encode() + b" " + command + b"\r\n")
        return tag

    def finish(self, tag):
        """Untagged answers up to the tagged one, and that one behind its tag."""
        untagged = []
        while True:
            answer = self.line()
            if answer.startswith(tag.encode() + b" "):
                return untagged, answer[len(tag) + 1:]
            untagged.append(answer)

    def ask(self, command):
        return self.finish(self.begin(command))

    def ok(self, command):
        """The untagged answers; the tagged one has to be OK and is kept in .said."""
        untagged, self.said = self.ask(command)
        if not self.said.startswith(b"OK"):
            raise Refused(f"{command!r}: {self.said!r}")
        return untagged

    def refused(self, command, word=b"NO"):
        """The tagged answer, which has to begin with that word."""
        _, said = self.ask(command)
        assert said.startswith(word), f"{command!r}: {said!r}"
        return said

    def append(self, data, mailbox="INBOX", options=""):
        """APPEND by a non-synchronizing literal. The tagged answer's bytes."""
        head = f"APPEND {mailbox} {options}{' ' if options else ''}{{{len(data)}+}}\r\n".encode()
        self.ok(head + data)
        return self.said

    def continued(self):
        """Waits for "+ ..."; what is behind it."""
        answer = self.line()
        assert answer.startswith(b"+"), answer
        return answer[2:]

    # -- IDLE -------------------------------------------------------------------------------------

    def idle(self):
        tag = self.begin("IDLE")
        untagged = []
        while not (answer := self.line()).startswith(b"+"):
            untagged.append(answer)
        return tag, untagged

    def done(self, tag):
        self.send("DONE")
        return self.finish(tag)

    def heard(self, what, patience=60):
        """Reads until an answer has these bytes; it."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            answer = self.line()
            if what in answer:
                return answer
        raise AssertionError(f"{what!r} was not heard")


def only(answers, word):
    """Those that are of one kind: only(answers, "FETCH")."""
    word = word.encode()
    return [a for a in answers if word in a.split(b" ")[1:3]]
