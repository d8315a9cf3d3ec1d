"""A small IRC client on a TLS connection to the house, for people who show their certificate."""

import time


class Irc:
    """In chat once it is made."""

    def __init__(self, house, name, identity=None, door="chatd", source="127.0.0.1"):
        self.tls = house.tls(door, source, identity)
        self.file = self.tls.makefile("rb")
        self.send(f"NICK {name}", f"USER {name} 0 * :{name}")
        self.until(" 001 ")
        self.sync()

    def send(self, *lines):
        self.tls.sendall("".join(line + "\r\n" for line in lines).encode())

    def line(self):
        """The next line; "" at the end."""
        line = self.file.readline().decode()
        if line.startswith("PING "):
            self.send("PONG" + line[4:].rstrip())
        return line.rstrip("\r\n")

    def until(self, wanted):
        """Lines up to the one with these words."""
        lines, deadline = [self.line()], time.monotonic() + 60
        while wanted not in lines[-1]:
            assert lines[-1] != "", f"the end instead of {wanted!r}: {lines}"
            assert time.monotonic() < deadline, f"no {wanted!r}: {lines}"
            lines.append(self.line())
        return lines

    def sync(self):
        self.send("PING :now")
        return self.until("PONG ")[:-1]

    def join(self, channel):
        """An account may be in it already."""
        self.send(f"JOIN {channel}")
        return self.sync()

    def seconds_until(self, wanted):
        """How long until it is told so, without a word of its own."""
        start = time.monotonic()
        self.until(wanted)
        return time.monotonic() - start

    def seconds_until_closed(self):
        start = time.monotonic()
        while self.line() != "":
            pass
        return time.monotonic() - start

    def close(self):
        self.file.close()
        self.tls.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
