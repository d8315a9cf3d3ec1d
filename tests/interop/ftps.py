"""A small FTPS client whose every step can be done wrong, for the tests of ftpd."""

import contextlib
import re
import socket
import ssl

import talk

PASSWORD = "correct horse battery"


class Reply:
    """A whole reply: .code, .lines without their codes, .text joined."""

    def __init__(self, code, lines):
        self.code, self.lines = code, lines
        self.text = "\n".join(lines)

    def __repr__(self):
        return f"{self.code} {self.text}"


class Ftps:
    """A control connection. explicit: the door with AUTH TLS, which is done here unless clear."""

    def __init__(self, instance, cert=None, version=None, alpn=None, explicit=False, clear=False,
                 source=None, address="127.0.0.1", timeout=60.0):
        self.instance, self.address, self.timeout = instance, address, timeout
        self.context = talk.context(instance, cert=cert, alpn=alpn, version=version)
        port = instance.ports["ftp" if explicit else "ftps"]
        self.socket = socket.create_connection((address, port), timeout=timeout,
                                               source_address=(source, 0) if source else None)
        self.tls = None
        self.file = None
        if not explicit:
            self.secure()
        self.begin()
        self.banner = self.reply()
        if explicit and not clear:
            assert self.ask("AUTH TLS").code == 234
            self.secure()
            self.begin()

    def secure(self):
        self.tls = self.context.wrap_socket(self.socket, server_hostname=self.instance.host,
                                            suppress_ragged_eofs=False)
        self.socket = self.tls

    def begin(self):
        self.file = self.socket.makefile("rb")

    # -- control ----------------------------------------------------------------------------------

    def send(self, line):
        self.socket.sendall(line if isinstance(line, bytes) else line.encode() + b"\r\n")

    def line(self):
        got = self.file.readline()
        assert got.endswith(b"\r\n"), got
        return got[:-2].decode()

    def reply(self):
        first = self.line()
        match = re.match(r"(\d{3})([ -])(.*)$", first)
        assert match, first
        code, lines = match[1], [match[3]]
        while match[2] == "-":
            line = self.line()
            match_end = re.match(rf"{code} (.*)$", line)
            if match_end:
                lines.append(match_end[1])
                break
            lines.append(line)
        return Reply(int(code), lines)

    def ask(self, line):
        self.send(line)
        return self.reply()

    def expect(self, line, *codes):
        """The reply, which has one of the codes."""
        reply = self.ask(line)
        assert reply.code in codes, f"{line}: {reply}"
        return reply

    def at_end(self):
        """True after a clean close."""
        return self.file.readline() == b""

    def login(self, name, password=PASSWORD):
        self.expect(f"USER {name}", 331)
        reply = self.expect(f"PASS {password}", 230)
        self.expect("PBSZ 0", 200)
        self.expect("PROT P", 200)
        return reply

    # -- data -------------------------------------------------------------------------------------

    def passive(self):
        """A port by EPSV."""
        return int(re.search(r"\(\|\|\|(\d+)\|\)", self.expect("EPSV", 229).text)[1])

    def dial(self, port=None, source=None):
        """The bare TCP connection."""
        return socket.create_connection((self.address, port or self.passive()),
                                        timeout=self.timeout,
                                        source_address=(source, 0) if source else None)

    def wrap(self, data, session="own", context=None):
        """TLS on it. session: this connection's newest by default, None: a full handshake."""
        if session == "own":
            session = self.tls.session
        return (context or self.context).wrap_socket(
            data, server_hostname=self.instance.host, session=session, suppress_ragged_eofs=False)

    def begin_transfer(self, command, **options):
        """After the 150: the data connection with TLS."""
        data = self.dial()
        self.expect(command, 150)
        return self.wrap(data, **options)

    def put(self, path, content, command="STOR"):
        """Uploads in an orderly way; the final reply."""
        data = self.begin_transfer(f"{command} {path}" if path else command)
        data.sendall(content)
        self.finish(data)
        return self.reply()

    def cut(self, path, content, command="STOR"):
        """Uploads and drops the data connection without close_notify; the final reply."""
        data = self.begin_transfer(f"{command} {path}")
        if content:
            data.sendall(content)
        data.close()
        return self.reply()

    @staticmethod
    def finish(data):
        with contextlib.suppress(OSError):
            data.unwrap()
        data.close()

    def get(self, command):
        """What a download or listing sends up to its close_notify."""
        data = self.begin_transfer(command)
        content = talk.read_to_end(data)
        self.finish(data)
        reply = self.reply()
        assert reply.code == 226, reply
        return content

    def names(self, path=""):
        return self.get(f"NLST {path}".strip()).decode().split("\r\n")[:-1]

    def close(self):
        with contextlib.suppress(OSError):
            if self.file:
                self.file.close()
            self.socket.close()

    def quit(self):
        assert self.ask("QUIT").code == 221
        assert self.at_end()
        self.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


TLS_1_2 = ssl.TLSVersion.TLSv1_2
TLS_1_3 = ssl.TLSVersion.TLSv1_3
