"""A small scripted IRC client over TLS, for the tests of chatd: lines out, parsed messages in.

    with Irc(instance, "ann", account=("ann", PASSWORD), caps=ALL) as ann:
        ann.join("#room")
        ann.send("PRIVMSG #room :hello")
        messages = ann.sync()            # everything up to the answer of a PING
"""

import base64
import contextlib
import itertools
import secrets

import talk

PASSWORD = "correct horse battery"

USUAL = ("server-time", "message-tags", "account-tag", "batch")
ALL = USUAL + (
    "echo-message", "labeled-response", "multi-prefix", "setname", "extended-join", "account-notify",
    "away-notify", "chghost", "invite-notify", "userhost-in-names", "standard-replies", "extended-monitor",
    "draft/chathistory", "draft/event-playback", "draft/read-marker", "draft/message-redaction",
    "draft/multiline", "draft/channel-rename")

UNESCAPED = {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}


def unescape(value):
    out, rest = "", iter(value)
    for c in rest:
        if c == "\\":
            c = next(rest, "")
            c = UNESCAPED.get(c, c)
        out += c
    return out


class Message:
    """A line: .tags (dict, values unescaped), .source, .nick, .verb, .params."""

    def __init__(self, line):
        self.line = line
        self.tags, self.source = {}, ""
        if line.startswith("@"):
            tags, line = line[1:].split(" ", 1)
            for tag in tags.split(";"):
                key, _, value = tag.partition("=")
                self.tags[key] = unescape(value)
        if line.startswith(":"):
            self.source, line = line[1:].split(" ", 1)
        head, colon, last = (" " + line).partition(" :")
        words = head.split()
        self.verb, self.params = words[0], words[1:] + ([last] if colon else [])

    @property
    def nick(self):
        return self.source.partition("!")[0]

    @property
    def text(self):
        return self.params[-1] if self.params else ""

    @property
    def id(self):
        return self.tags.get("msgid")

    def __repr__(self):
        return self.line


class Irc:
    """A connection. With a nick it registers; account: (name, password) by SASL PLAIN, "certificate"
    by SASL EXTERNAL with cert=(key, certificate)."""

    tokens = itertools.count(1)

    def __init__(self, instance, nick=None, caps=(), account=None, cert=None, user="user",
                 realname="A Person", timeout=60.0):
        self.nick = nick
        self.tls = talk.connect(instance, instance.ports["irc"], timeout=timeout, cert=cert)
        self.file = self.tls.makefile("rb")
        self.welcome = []
        if nick is not None:
            self.register(caps, account, user, realname)

    # -- lines ------------------------------------------------------------------------------------

    def send(self, *lines):
        """Lines in one piece; bytes go as they are."""
        self.tls.sendall(b"".join(line if isinstance(line, bytes) else line.encode() + b"\r\n"
                                  for line in lines))

    def read(self):
        """The next message; None after the clean end."""
        line = self.file.readline()
        if line == b"":
            return None
        assert line.endswith(b"\r\n"), line
        message = Message(line[:-2].decode())
        if message.verb == "PING":
            self.send("PONG :" + message.text)
        return message

    def until(self, *verbs):
        """Messages up to and with the first of one of these verbs."""
        got = []
        while not got or got[-1].verb not in verbs:
            message = self.read()
            assert message is not None, f"the end instead of {verbs}: {got}"
            got.append(message)
        return got

    def sync(self):
        """All that is there for this client now."""
        token = f"sync{next(self.tokens)}"
        self.send("PING " + token)
        got = []
        while True:
            message = self.read()
            assert message is not None, f"the end came: {got}"
            if message.verb == "PONG" and message.text == token:
                return [m for m in got if m.verb != "PING"]
            got.append(message)

    def ask(self, *lines):
        """What these lines are answered, and whatever came before."""
        self.send(*lines)
        return self.sync()

    def rest(self):
        """Everything up to the end."""
        got = []
        while (message := self.read()) is not None:
            got.append(message)
        return got

    # -- log-in -----------------------------------------------------------------------------------

    def authenticate(self, account):
        """SASL; the messages it was answered."""
        mechanism, answer = "EXTERNAL", "+"
        if account != "certificate":
            name, password = account
            mechanism = "PLAIN"
            answer = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
        self.send(f"AUTHENTICATE {mechanism}")
        if (first := self.until("AUTHENTICATE", "904", "908", "FAIL"))[-1].verb != "AUTHENTICATE":
            return first
        self.send("AUTHENTICATE " + answer)
        return first + self.until("903", "904", "905", "907", "FAIL")

    def register(self, caps, account, user, realname):
        wanted = list(caps) + (["sasl"] if account and "sasl" not in caps else [])
        if wanted:
            self.send("CAP LS 302", *(f"CAP REQ :{cap}" for cap in wanted))
        self.send(f"NICK {self.nick}", f"USER {user} 0 * :{realname}")
        if account:
            got = self.authenticate(account)
            assert got[-1].verb == "903", got
        if wanted:
            self.send("CAP END")
        self.welcome = self.until("001")
        self.nick = self.welcome[-1].params[0]
        self.welcome += self.sync()

    def join(self, *channels):
        """Joins; all that came then. A channel that one is in already is answered by nothing."""
        return self.ask(*(f"JOIN {channel}" for channel in channels))

    # -- end --------------------------------------------------------------------------------------

    def quit(self, text="bye"):
        self.send(f"QUIT :{text}")
        got = self.rest()
        self.close()
        return got

    def cut(self):
        """Gone without a word, as when the line is lost."""
        self.file.close()
        self.tls.close()

    def close(self):
        with contextlib.suppress(OSError, ValueError):
            self.cut()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def room():
    """A channel name of one's own."""
    return "#r" + secrets.token_hex(5)


def name(prefix="u"):
    """A nick or account name of one's own."""
    return prefix + secrets.token_hex(4)


def verbs(messages):
    return [m.verb for m in messages]


def only(messages, *wanted):
    """Those of these verbs."""
    return [m for m in messages if m.verb in wanted]


def one(messages, *wanted):
    """The only one of these verbs."""
    (found,) = only(messages, *wanted)
    return found
