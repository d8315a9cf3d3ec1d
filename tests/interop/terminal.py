"""A program at a terminal of its own, for tests of prompts, echo and Ctrl-C."""

import os
import pty
import select
import signal
import termios
import time


PATIENCE_S = 60  # with a busy machine; nothing waits longer than it has to


class Terminal:
    """Starts argv with a pseudo-terminal as controlling terminal; stdin=None: standard input is it."""

    def __init__(self, argv, env, cwd=None, stdin=None, size=None):
        self.text = ""
        self.seen = 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                if size is not None:  # before the program looks
                    termios.tcsetwinsize(1, size)
                if stdin is not None:
                    os.dup2(stdin, 0)
                if cwd:
                    os.chdir(cwd)
                os.execve(argv[0], [str(a) for a in argv], env)
            finally:
                os._exit(99)

    def read(self, seconds):
        """Takes what comes; False at the end or after that time."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def expect(self, wanted, seconds=PATIENCE_S):
        """Reads until the text comes, behind what was expected before."""
        end = time.monotonic() + seconds
        while wanted not in self.text[self.seen:]:
            left = end - time.monotonic()
            assert left > 0 and self.read(left), f"no {wanted!r} in {self.text!r}"
        self.seen = self.text.index(wanted, self.seen) + len(wanted)

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def wait_echo(self, wanted, seconds=PATIENCE_S):
        end = time.monotonic() + seconds
        while self.echoes() != wanted:
            assert time.monotonic() < end, f"echo stays {not wanted}"
            time.sleep(0.01)

    def send(self, text):
        os.write(self.fd, text.encode())

    def answer(self, prompt, text):
        """Waits for a question whose answer is hidden, and types it."""
        self.expect(prompt)
        self.wait_echo(False)
        self.send(text + "\n")

    def status(self, seconds=PATIENCE_S):
        """The exit status; negative: the signal that killed it."""
        end = time.monotonic() + seconds
        while True:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.read(0.05):
                    pass
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                self.pid = 0
                raise AssertionError(f"it does not end: {self.text!r}")

    def close(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)
