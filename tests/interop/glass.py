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
        super().__init__(argv, env, cwd, size=(rows, columns))
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
        elif letter == "J" and numbers == "2":
            self.clear()
        elif letter == "J":
            self.cells[self.row][self.column:] = [" "] * (self.columns - self.column)
            self.cells[self.row + 1:] = [[" "] * self.columns for _ in self.cells[self.row + 1:]]
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



# -- what ncurses sends ---------------------------------------------------------------------------

# Modes of the keypad, cursor, paste, wrapping and windows' titles, character sets, which change nothing here.
QUIET = re.compile(r"\x1b(=|>|[()][B0]|\]104\x07|"
                   r"\[(\?(1|7|12|25|2004|12;25)[hl]|\?[01]c|2[23];0;0t|34[hl]|4l))|[\x07\x0e\x0f]")
LETTERS = "@ABCDGHJKLMPSTXbdfmr"


class CursesGlass(Glass):
    """What xterm, the Linux console and the like do with the sequences that ncurses chooses for them.
    Nothing else passes: whatever a stranger's text brings along is an error."""

    def clear(self):
        super().clear()
        self.looks = [[""] * self.columns for _ in range(self.rows)]
        self.look, self.wraps = "", False
        self.top, self.bottom = 0, self.rows - 1
        self.last = " "

    def resize(self, rows, columns):
        self.feed()
        super().resize(rows, columns)

    def blank(self, row, start, end):
        for i in range(start, min(end, self.columns)):
            self.cells[row][i], self.looks[row][i] = " ", ""

    def scroll(self, first, count):
        """Rows from first to the bottom of the region go up by count, down if it is negative."""
        for grid, empty in ((self.cells, " "), (self.looks, "")):
            part = grid[first:self.bottom + 1]
            new = [[empty] * self.columns for _ in range(min(abs(count), len(part)))]
            grid[first:self.bottom + 1] = part[count:] + new if count > 0 else new + part[:count]

    def shift(self, count):
        """Cells from the cursor on go to the left by count, to the right if it is negative."""
        for grid, empty in ((self.cells, " "), (self.looks, "")):
            row = grid[self.row]
            part, new = row[self.column:], [empty] * abs(count)
            row[self.column:] = (part[count:] + new if count > 0 else new + part[:count])[:len(part)]

    def erase(self, letter, n):
        if letter == "X":
            self.blank(self.row, self.column, self.column + max(n, 1))
            return
        self.blank(self.row, 0 if n in (1, 2) else self.column, self.column + 1 if n == 1 else self.columns)
        rows = {0: range(self.row + 1, self.rows), 1: range(self.row), 2: range(self.rows)}[n]
        for row in rows if letter == "J" else ():
            self.blank(row, 0, self.columns)

    def move(self, letter, n, second):
        by = max(n, 1)
        if letter in "Hf":
            self.row, self.column = by - 1, max(second, 1) - 1
        elif letter == "G":
            self.column = by - 1
        elif letter == "d":
            self.row = by - 1
        else:
            self.row += {"A": -by, "B": by}.get(letter, 0)
            self.column += {"C": by, "D": -by}.get(letter, 0)
        self.row = min(max(self.row, 0), self.rows - 1)
        self.column = min(max(self.column, 0), self.columns - 1)
        self.wraps = False

    def sequence(self, numbers, letter):
        if letter in "hl" and numbers == "?1049":
            self.alternate = letter == "h"
            self.clear()
            return
        assert re.fullmatch(r"[0-9;]*", numbers) and letter in LETTERS, (numbers, letter)
        first, *more = [int(n or 0) for n in numbers.split(";")]
        if letter in "ABCDGHdf":
            self.move(letter, first, more[0] if more else 0)
        elif letter in "JKX":
            self.erase(letter, first)
        elif letter in "P@":
            self.shift(max(first, 1) * (1 if letter == "P" else -1))
        elif letter in "LM":
            self.scroll(self.row, max(first, 1) * (1 if letter == "M" else -1))
        elif letter in "ST":
            self.scroll(self.top, max(first, 1) * (1 if letter == "S" else -1))
        elif letter == "b":
            for _ in range(max(first, 1)):
                self.put(self.last)
        elif letter == "r":
            self.top, self.bottom = max(first, 1) - 1, (more[0] if more else self.rows) - 1
            self.row = self.column = 0
        else:
            self.look = numbers if numbers.strip("0;") else ""

    def put(self, c):
        if c in "\r\b":
            self.column, self.wraps = 0 if c == "\r" else max(self.column - 1, 0), False
        elif c == "\t":
            self.column = min(self.column // 8 * 8 + 8, self.columns - 1)
        elif c == "\n":
            if self.row == self.bottom:
                self.scroll(self.top, 1)
            elif self.row < self.rows - 1:
                self.row += 1
        elif unicodedata.combining(c):
            at = self.column if self.wraps else max(self.column - 1, 0)
            self.cells[self.row][at - (self.cells[self.row][at] == "" and at > 0)] += c
        else:
            assert c >= " " and c != "\x7f" and not "\x80" <= c <= "\x9f", repr(c)
            self.put_wide(c, 2 if unicodedata.east_asian_width(c) in "WF" else 1)

    def put_wide(self, c, width):
        if self.wraps:
            self.column, self.wraps = 0, False
            self.put("\n")
        if self.row < self.rows and self.column + width <= self.columns:
            cells, looks = self.cells[self.row], self.looks[self.row]
            # Half a wide character does not stay.
            if cells[self.column] == "" and self.column > 0:
                cells[self.column - 1] = " "
            end = self.column + width
            if end < self.columns and cells[end] == "":
                cells[end] = " "
            cells[self.column:end] = [c] + [""] * (width - 1)
            looks[self.column:end] = [self.look] * width
        self.last = c
        self.column += width
        if self.column >= self.columns:
            self.column, self.wraps = self.columns - 1, True

    def feed(self):
        while self.fed < len(self.text):
            if quiet := QUIET.match(self.text, self.fed):
                self.fed = quiet.end()
            elif self.text[self.fed] == "\x1b" and self.text[self.fed + 1:self.fed + 2] == "M":
                self.fed += 2
                if self.row == self.top:
                    self.scroll(self.top, -1)
                else:
                    self.row = max(self.row - 1, 0)
            elif found := SEQUENCE.match(self.text, self.fed):
                self.sequence(*found.groups())
                self.fed = found.end()
            elif self.text[self.fed] == "\x1b":
                assert len(self.text) - self.fed < 12, self.text[self.fed:self.fed + 40]
                return
            else:
                self.put(self.text[self.fed])
                self.fed += 1

    def looks_at(self, pattern):
        """The attributes of the cell where the pattern begins."""
        for cells, looks in zip(self.cells, self.looks):
            if found := re.search(pattern, "".join(cells)):
                seen = 0
                for cell, look in zip(cells, looks):
                    if seen >= found.start():
                        return look
                    seen += len(cell)
        raise AssertionError(f"no {pattern!r} on\n{self.shown()}")
