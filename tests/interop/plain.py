"""`quintet --plain` with a pipe for a person: lines go in one by one, and what it says is waited for."""

import os
import select
import subprocess
import time

PATIENCE_S, CLOSE_S = 60, 10


class Plain:
    def __init__(self, device, *parts):
        """Begins, and waits until these parts are there."""
        self.process = subprocess.Popen(device.argv(["--plain"]), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=device.env, cwd=device.folder)
        self.text, self.seen = "", 0
        for part in parts:
            self.ask("/status", f"{part}: up")

    def read(self, seconds):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return False
        data = os.read(self.process.stdout.fileno(), 65536)
        self.text += data.decode(errors="replace")
        return bool(data)

    def expect(self, wanted, seconds=PATIENCE_S):
        """Waits for the text, behind what was waited for before; the line in which it stands."""
        end = time.monotonic() + seconds
        while wanted not in self.text[self.seen:]:
            left = end - time.monotonic()
            assert left > 0 and self.read(left), f"no {wanted!r} in {self.text!r}"
        at = self.text.index(wanted, self.seen)
        self.seen = at + len(wanted)
        return self.text[self.text.rfind("\n", 0, at) + 1:].split("\n", 1)[0]

    def expect_all(self, *wanted, seconds=PATIENCE_S):
        """Waits for all of these, in any order, behind what was waited for before."""
        end = time.monotonic() + seconds
        while missing := [text for text in wanted if text not in self.text[self.seen:]]:
            left = end - time.monotonic()
            assert left > 0 and self.read(left), f"no {missing} in {self.text!r}"
        self.seen = max(self.text.index(text, self.seen) + len(text) for text in wanted)

    def say(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in lines).encode())
        self.process.stdin.flush()

    def ask(self, line, wanted, seconds=PATIENCE_S):
        """Says it again and again, until it says that."""
        end = time.monotonic() + seconds
        while True:
            self.say(line)
            begin = len(self.text)
            while self.read(0.5):
                pass
            if wanted in self.text[begin:]:
                self.seen = len(self.text)
                return
            assert time.monotonic() < end, f"no {wanted!r} in {self.text!r}"

    def leave(self, *lines, status=0):
        """Says these, ends its input; what it said on standard error."""
        self.say(*lines)
        self.process.stdin.close()
        while self.read(PATIENCE_S):
            pass
        err = self.process.stderr.read().decode(errors="replace")
        assert self.process.wait(timeout=PATIENCE_S) == status, self.text + err
        return err

    def close(self):
        """The end of its input, unless it is over; nothing may be wrong with it then."""
        if self.process.poll() is None:
            self.process.stdin.close()
        try:
            while self.read(CLOSE_S):
                pass
            self.process.wait(timeout=CLOSE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if not self.process.stderr.closed:
            assert "Sanitizer" not in (err := self.process.stderr.read().decode(errors="replace")), err
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()
