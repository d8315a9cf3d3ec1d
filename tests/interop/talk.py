"""Small TLS clients for the interop tests."""

import contextlib
import socket
import ssl


def context(instance, cert=None, alpn=None, version=None):
    """A client that verifies our server; cert: (key, certificate) files."""
    c = ssl.create_default_context(cafile=str(instance.root_pem))
    if cert:
        c.load_cert_chain(str(cert[1]), str(cert[0]))
    if alpn:
        c.set_alpn_protocols(alpn)
    if version:
        c.minimum_version = c.maximum_version = version
    return c


def raw(port, timeout=60.0):
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def connect(instance, port, timeout=60.0, **options):
    """A TLS connection; a cut without close_notify raises ssl.SSLEOFError on reading."""
    return context(instance, **options).wrap_socket(
        raw(port, timeout), server_hostname=instance.host, suppress_ragged_eofs=False)


def read_to_end(tls):
    """Everything up to the close_notify."""
    data = b""
    while True:
        piece = tls.recv(65536)
        if not piece:
            return data
        data += piece


class Dialogue:
    """Lines in, lines out."""

    def __init__(self, instance, port, **options):
        self.tls = connect(instance, port, **options)
        self.file = self.tls.makefile("rb")
        self.banner = self.line()

    def line(self):
        got = self.file.readline()
        assert got.endswith(b"\r\n"), got
        return got[:-2].decode()

    def send(self, text):
        self.tls.sendall(text if isinstance(text, bytes) else text.encode())

    def ask(self, request):
        self.send(request + "\r\n")
        return self.line()

    def at_end(self):
        """True after a clean close."""
        return self.file.readline() == b""

    def close(self):
        with contextlib.suppress(OSError):
            self.file.close()
            self.tls.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
