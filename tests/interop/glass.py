"""A terminal of a certain size, and what stands on it: for programs that draw whole screens with the
few sequences that quintet uses (position, erase, attributes, alternate screen)."""

import fcntl
import re
import struct
import termios
import time
import unicodedata

from terminal import PATIENCE_S, Terminal

SEQUENCE = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])")
LOOKS = ("0", "1", "7", "1;7")


class Glass(Terminal):
    def __init__(self, argv, env, cwd=None, rows=24, columns=80):
        super().__init__(argv, env, cwd)
        self.rows, self.columns = rows, columns
        self.fed = 0
        self.alternate = False
        self.clear()
        self.resize(rows, columns)

    def clear(self):
        self.cells = [[" "] * self.columns for _ in range(self.rows)]
        self.row = self.column = 0

    def resize(self, rows, columns):
        """The size as the kernel tells it to the program, with SIGWINCH."""
        self.rows, self.columns = rows, columns
        self.clear()
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    # -- what is drawn ----------------------------------------------------------------------------

    def sequence(self, numbers, letter):
        first = int(numbers.split(";")[0] or 0) if not numbers.startswith("?") else 0
        if letter == "H":
            row, _, column = numbers.partition(";")
            self.row, self.column = int(row or 1) - 1, int(column or 1) - 1
        elif letter == "K":
            start = 0 if numbers == "2" else self.column
            for i in range(start, self.columns):
                self.cells[self.row][i] = " "
        elif letter == "J":
            self.clear()
        elif letter == "D":
            self.column -= max(first, 1)
        elif letter in "hl" and numbers == "?1049":
            self.alternate = letter == "h"
            self.clear()
        else:
            assert (letter == "m" and numbers in LOOKS) or numbers in ("?25", "?2004"), (numbers, letter)

    def put(self, c):
        if c == "\r":
            self.column = 0
        elif c == "\n":
            self.row = min(self.row + 1, self.rows - 1)
        elif c >= " ":
            if unicodedata.combining(c):
                self.cells[self.row][self.column - 1] += c
                return
            wide = unicodedata.east_asian_width(c) in "WF"
            # Nothing may be drawn beyond the edge: it would wrap and spoil the next row.
            assert not self.alternate or self.column + wide < self.columns, (c, self.cells[self.row])
            if self.row < self.rows and self.column < self.columns:
                self.cells[self.row][self.column] = c
            if wide:
                self.cells[self.row][self.column + 1] = ""
            self.column += 1 + wide

    def feed(self):
        """Draws what has come since; an unfinished sequence waits."""
        while self.fed < len(self.text):
            c = self.text[self.fed]
            if c == "\x1b":
                found = SEQUENCE.match(self.text, self.fed)
                if not found:
                    assert len(self.text) - self.fed < 12, self.text[self.fed:self.fed + 40]
                    return
                self.sequence(*found.groups())
                self.fed = found.end()
            else:
                self.put(c)
                self.fed += 1

    def lines(self):
        self.feed()
        return ["".join(row).rstrip() for row in self.cells]

    def shown(self):
        return "\n".join(self.lines())

    def shows(self, pattern, seconds=PATIENCE_S):
        """Waits until the pattern (a regular expression) stands on it; the match."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.shown(), re.M)):
            left = end - time.monotonic()
            assert left > 0, f"no {pattern!r} on\n{self.shown()}"
            self.read(min(left, 0.5))
        return found

    def press(self, keys, pattern, seconds=PATIENCE_S):
        self.send(keys)
        return self.shows(pattern, seconds)

