"""Medians with spread, tables of them, and what of a table is to be drawn. Tables are printed; under
BENCH_FOLDER what is to be drawn is kept there too, for report.py."""

import json
import os
import re
import statistics
from pathlib import Path


class Figure:
    """Repetitions of one measure: median, and the spread as min..max."""

    def __init__(self, values):
        self.values = list(values)
        self.median = statistics.median(self.values)

    def __str__(self):
        digits = 0 if self.median >= 100 else 1 if self.median >= 10 else 2
        return (f"{self.median:.{digits}f} "
                f"({min(self.values):.{digits}f}..{max(self.values):.{digits}f})")


class Plot:
    """One question, answered by one column of a table: a bar for each row that has a figure there.
    ours: how the names of our own rows begin."""

    def __init__(self, column, question, unit, ours, less=False):
        self.column, self.question, self.unit = column, question, unit
        self.ours, self.less = ours, less

    def bars(self, columns, rows):
        at = self.column if isinstance(self.column, int) else columns.index(self.column)
        for row in rows:
            if isinstance(row[at], Figure):
                values = row[at].values
                yield {"name": row[0], "median": row[at].median, "min": min(values), "max": max(values),
                       "ours": row[0].startswith(self.ours)}


def show(title, columns, rows, plots=()):
    """Prints a table; cells are turned into text."""
    for plot in plots:
        keep(plot, list(plot.bars(columns, rows)))
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    print(f"\n{title}")
    for row in [columns, *rows]:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def keep(plot, bars):
    """Questions are drawn in the order in which they were answered."""
    folder = os.environ.get("BENCH_FOLDER")
    if not folder or not bars:
        return
    count = len(list(Path(folder).glob("*.json")))
    name = re.sub(r"[^a-z0-9]+", "-", plot.question.lower()).strip("-")
    text = json.dumps({"question": plot.question, "unit": plot.unit, "less": plot.less, "bars": bars})
    Path(folder, f"{count + 1:02}-{name}.json").write_text(text)


def ratio(name, value, goal=None, at_least=False):
    """One line: a ratio, against its goal where there is one."""
    line = f"  {name}: {value:.2f}"
    if goal is not None:
        met = value >= goal if at_least else value <= goal
        line += f" (goal: {'at least' if at_least else 'at most'} {goal}) {'met' if met else 'NOT MET'}"
    print(line)
