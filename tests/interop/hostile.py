"""Servers that do not behave, and an authority of their own to lend them certificates.

A Hostile server takes each connection in a thread of its own and remembers what it was sent.
"""

import base64
import contextlib
import datetime
import ipaddress
import socket
import ssl
import tempfile
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

SERVER_AUTH, CLIENT_AUTH, EMAIL_PROTECTION = (f"1.3.6.1.5.5.7.3.{n}" for n in (1, 2, 4))
PEER = "2.25.268329493512394017458362904857382010114"  # of lib/pki/cert.h
DAY = datetime.timedelta(days=1)
USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
          "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def usage(*names):
    return x509.KeyUsage(**{name: name in names for name in USAGES})


def pem(cert):
    return cert.public_bytes(serialization.Encoding.PEM)


def key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def key_purposes(*dotted):
    """The extension by hand: the library's own refuses numbers as large as those of PEER."""
    body = b""
    for text in dotted:
        first, second, *rest = map(int, text.split("."))
        oid = b""
        for number in (40 * first + second, *rest):
            septets = [number & 0x7F]
            while number := number >> 7:
                septets.append(number & 0x7F | 0x80)
            oid += bytes(reversed(septets))
        body += b"\x06" + bytes([len(oid)]) + oid
    assert len(body) < 128
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.37"), b"0" + bytes([len(body)]) + body)


class Authority:
    """Root and issuing CA, and leaves of all kinds."""

    def __init__(self, name="hostile"):
        self.root_key, self.issuing_key = (ec.generate_private_key(ec.SECP256R1()) for _ in "12")
        self.root = self.make_ca(f"{name} root", None, self.root_key.public_key(), 1)
        self.issuing = self.make_ca(f"{name} issuing", self.root, self.issuing_key.public_key(), 0)

    def make_ca(self, name, issuer, public_key, length):
        builder = self.builder(name, issuer.subject if issuer else None, public_key, self.root_key)
        return builder.add_extension(x509.BasicConstraints(True, length), True).add_extension(
            usage("key_cert_sign", "crl_sign"), True).sign(self.root_key, hashes.SHA256())

    @staticmethod
    def builder(name, issuer, public_key, issuer_key, start=-1, end=30):
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or subject)
                .public_key(public_key).serial_number(x509.random_serial_number())
                .not_valid_before(now() + start * DAY).not_valid_after(now() + end * DAY)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    issuer_key.public_key()), False))

    def leaf(self, name, public_key, names, purposes, start=-1, end=20):
        """purposes: dotted object identifiers."""
        builder = self.builder(name, self.issuing.subject, public_key, self.issuing_key, start, end)
        return (builder.add_extension(x509.BasicConstraints(False, None), True)
                .add_extension(usage("digital_signature"), True)
                .add_extension(key_purposes(*purposes), False)
                .add_extension(x509.SubjectAlternativeName(names), False)
                .sign(self.issuing_key, hashes.SHA256()))

    def host(self, name="localhost", **dates):
        """A context for a server of that name, which is on 127.0.0.1 and ::1."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(name)]
        if name == "localhost":
            names += [x509.IPAddress(ipaddress.ip_address(a)) for a in ("127.0.0.1", "::1")]
        cert = self.leaf(name, key.public_key(), names, [SERVER_AUTH], **dates)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile() as file:
            file.write(key_pem(key) + pem(cert) + pem(self.issuing))
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def user(self, name, public_key, **dates):
        return self.leaf(name, public_key, [x509.RFC822Name(f"{name}@hostile.test")],
                         [CLIENT_AUTH, EMAIL_PROTECTION, PEER], **dates)

    @property
    def fingerprint(self):
        return self.root.fingerprint(hashes.SHA256()).hex()


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
            connection.settimeout(20)
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
