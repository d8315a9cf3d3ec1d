"""Servers that do not behave.

A Hostile server takes each connection in a thread of its own and remembers what it was sent.
"""

import base64
import contextlib
import socket
import threading
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from forge import pem

def certs_only(*certs):
    return base64.b64encode(pkcs7.serialize_certificates(list(certs), serialization.Encoding.DER))


def answer(body=b"", status="200 OK", kind="text/plain", length=None, extra=""):
    size = len(body) if length is None else length
    return (f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n{extra}\r\n"
            ).encode() + body


class Hostile:
    """handle(connection) runs per connection; context: TLS first. Everything read is in .requests."""

    def __init__(self, handle, context=None, backlog=16):
        self.handle, self.context = handle, context
        self.requests = []
        self.ended = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError, ValueError, IndexError), connection:
            connection.settimeout(60)
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            self.handle(connection)
            with contextlib.suppress(OSError):
                if self.context:
                    connection.unwrap()

    def everything(self):
        return b"".join(self.requests)

    def close(self):
        self.ended.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    # -- handlers ---------------------------------------------------------------------------------

    def stay_silent(self, connection):
        self.ended.wait(20)

    def http(self, pages):
        """Answers by path: bytes, or a function of the body that gives them."""
        def handle(connection):
            file = connection.makefile("rb")
            while True:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = file.readline()
                    if not line:
                        return
                    head += line
                length = [int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:")]
                body = file.read(length[0] if length else 0)
                self.requests.append(head + body)
                page = pages.get(head.split(b" ")[1].decode(), answer(b"nothing here\n", "404 Not Found"))
                connection.sendall(page(body) if callable(page) else page)
        self.handle = handle
        return self


def directory(root, doors):
    lines = ["domain hostile.test", "host localhost", f"root-sha256 {root}"]
    return ("\n".join(lines + [f"door {d}" for d in doors]) + "\n").encode()


def write_profile(folder, authority, port, doors, name="hostile", user="mallory", host="localhost"):
    """A profile without certificate, as enrolment would leave it."""
    place = Path(folder) / name
    place.mkdir(parents=True, mode=0o700)
    (place / "account").write_text(f"user {user}\nhost {host}\nport {port}\n")
    (place / "directory").write_bytes(directory(authority.fingerprint, doors))
    (place / "root.pem").write_bytes(pem(authority.root))
    (place / "chain.pem").write_bytes(pem(authority.issuing))
    (Path(folder) / "current").write_text(name)
    return place
