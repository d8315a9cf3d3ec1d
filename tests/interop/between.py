"""What stands between a device and an ftpd of its own: it can cut the line, and it can hold a transfer
where it is, so that what a test does to a transfer under way never meets one that is over.

The device is led to 127.0.0.1; that ftpd is asked at ::1, and its data ports are the same on both.
"""

import contextlib
import os
import socket
import threading

import pytest

from instance import free_port, until

DATA_PORTS = 4
PATIENCE_S = 120


def listen_in_a_row():
    """Listeners at 127.0.0.1 on ports in a row, which are free at ::1 as well; above the ephemeral ones."""
    for first in range(61000 + os.getpid() % 4000, 65530 - DATA_PORTS):
        with contextlib.ExitStack() as made, contextlib.suppress(OSError):
            row = [made.enter_context(socket.create_server(("127.0.0.1", first + i))) for i in range(DATA_PORTS)]
            for i in range(DATA_PORTS):
                socket.create_server(("::1", first + i), family=socket.AF_INET6).close()
            made.pop_all()
            return row
    raise AssertionError("no ports in a row are free")


class Between:
    """See above. Counts control connections, and the bytes of data connections."""

    def __init__(self):
        self.door = free_port()
        self.data = listen_in_a_row()
        ports = [listener.getsockname()[1] for listener in self.data]
        self.passive = f"{ports[0]}-{ports[-1]}"
        self.control = socket.create_server(("127.0.0.1", 0))
        self.own_port = self.control.getsockname()[1]
        self.pairs, self.count = [], 0
        self.changed = threading.Condition()
        self.shut, self.limit, self.moved = False, None, 0
        for listener in (self.control, *self.data):
            threading.Thread(target=self.serve, args=(listener,), daemon=True).start()

    def serve(self, listener):
        port = listener.getsockname()[1]
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.connect, args=(near, port), daemon=True).start()

    def connect(self, near, port):
        control = port == self.own_port
        with self.changed:
            if control:
                self.changed.wait_for(lambda: not self.shut, PATIENCE_S)
            try:
                far = socket.create_connection(("::1", self.door if control else port))
            except OSError:
                near.close()
                return
            if control:
                self.count += 1
                self.pairs.append((near, far))
        for a, b in ((near, far), (far, near)):
            threading.Thread(target=self.copy, args=(a, b, control), daemon=True).start()

    def copy(self, a, b, control):
        try:
            while data := a.recv(65536):
                if not control:
                    self.take(len(data))
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def take(self, count):
        with self.changed:
            self.moved += count
            self.changed.wait_for(lambda: self.limit is None or self.moved <= self.limit, PATIENCE_S)

    # -- for tests --------------------------------------------------------------------------------

    def hold(self, after):
        """From now on data connections move so many bytes, and no more until release()."""
        with self.changed:
            self.limit, self.moved = after, 0

    def wait_held(self):
        """A transfer is under way, and stays so: all that it was let move is on its way or there."""
        until(lambda: self.moved > self.limit, what="a transfer under way")

    def release(self):
        with self.changed:
            self.limit = None
            self.changed.notify_all()

    @contextlib.contextmanager
    def line_cut(self):
        """Cuts all control connections; new ones wait until the end of the block, as does held data."""
        with self.changed:
            self.shut = True
            pairs, self.pairs = self.pairs, []
        for s in (s for pair in pairs for s in pair):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()
        try:
            yield
        finally:
            with self.changed:
                self.shut = False
                self.changed.notify_all()
            self.release()

    def close(self):
        for listener in (self.control, *self.data):
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self.line_cut():
            pass


@pytest.fixture(scope="module")
def between_all(instance):
    """An ftpd behind it, for the tests of a module."""
    made = Between()
    service = instance.start("ftpd", env={"QUINTET_FTP_PASSIVE": made.passive}, port=made.door)
    service.name = "ftpd-behind"
    yield made
    made.close()
    service.stop()


@pytest.fixture
def between(instance, ann, between_all):
    """The device's door "ftps" leads through it while the test runs."""
    directory = ann.profiles / "localhost/directory"
    account = ann.profiles / "localhost/account"
    kept = {path: path.read_text() for path in (directory, account)}
    directory.write_text(kept[directory].replace(f" ftps {instance.ports['ftps']}",
                                                 f" ftps {between_all.own_port}"))
    account.write_text(kept[account].replace("localhost", "127.0.0.1"))
    assert str(between_all.own_port) in directory.read_text()
    between_all.count = 0
    yield between_all
    for path, text in kept.items():
        path.write_text(text)
    between_all.release()
