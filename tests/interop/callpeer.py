"""A peer of calls of our own making: IRC for the requests, and the protocol of quintet(7) over
OpenSSL's other binding, which has exporters."""

import contextlib
import re
import secrets
import socket

from OpenSSL import SSL

from ircs import USUAL, Irc

ALPN = b"quintet-call/1"


class Line:
    """A connection of a call."""

    def __init__(self, sock, pair, server=False, alpn=ALPN, timeout=30):
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        context.use_privatekey_file(str(pair[0]))
        context.use_certificate_chain_file(str(pair[1]))
        if server:
            context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
            context.set_alpn_select_callback(lambda _, names: ALPN if ALPN in names else SSL.NO_OVERLAPPING_PROTOCOLS)
        elif alpn:
            context.set_alpn_protos([alpn])
        # A socket that waits by itself: the binding does not know Python's own time limits.
        sock.settimeout(None)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeout.to_bytes(8, "little") + bytes(8))
        self.sock, self.tls, self.data = sock, SSL.Connection(context, sock), b""
        self.tls.set_accept_state() if server else self.tls.set_connect_state()
        self.tls.do_handshake()

    def send(self, *lines):
        for line in lines:
            self.tls.sendall(line if isinstance(line, bytes) else line.encode() + b"\r\n")

    def line(self):
        """The next line; None at the end."""
        while b"\r\n" not in self.data:
            try:
                self.data += self.tls.recv(16384)
            except SSL.ZeroReturnError:
                return None
            except SSL.SysCallError:
                return None
        line, self.data = self.data.split(b"\r\n", 1)
        return line.decode()

    def bytes(self, count):
        while len(self.data) < count:
            self.data += self.tls.recv(16384)
        got, self.data = self.data[:count], self.data[count:]
        return got

    def exporter(self, role, token):
        return self.tls.export_keying_material(f"EXPORTER-quintet-call {role} {token}".encode(), 32).hex()

    def begin(self, token, caller):
        """HELLO and WELCOME, both ways."""
        mine, theirs = ("caller", "answerer") if caller else ("answerer", "caller")
        self.send("HELLO 1 " + self.exporter(mine, token))
        hello = self.line()
        assert hello == "HELLO 1 " + self.exporter(theirs, token), hello
        self.send("WELCOME")
        assert (welcome := self.line()) == "WELCOME", welcome

    def close(self):
        with contextlib.suppress(SSL.Error):
            self.tls.shutdown()
        self.sock.close()


class Person(Irc):
    """Somebody who is logged in by certificate, and calls."""

    def __init__(self, instance, name, pair):
        super().__init__(instance, name, caps=(*USUAL, "quintet/calls"), account="certificate", cert=pair)
        self.pair = pair

    def dcc(self, nick, text):
        self.send(f"PRIVMSG {nick} :\x01DCC {text}\x01")

    def ask(self, nick, token=None):
        """A request; its token."""
        token = token or secrets.token_hex(16)
        self.dcc(nick, f"SCHAT chat 0 0 {token}")
        return token

    def answer(self):
        """The next DCC from somebody: its words."""
        while True:
            message = self.until("PRIVMSG", "NOTICE")[-1]
            found = re.fullmatch("\x01DCC (.*)\x01", message.text)
            if found:
                return found[1].split()

    def port(self):
        """Where the one who was asked listens."""
        words = self.answer()
        assert words[:3] == ["SCHAT", "chat", "2130706433"], words
        return int(words[3])


def dial(port):
    return socket.create_connection(("127.0.0.1", port), timeout=30)
