"""Medians with spread, and tables of them."""

import statistics


class Figure:
    """Repetitions of one measure: median, and the spread as min..max."""

    def __init__(self, values):
        self.values = list(values)
        self.median = statistics.median(self.values)

    def __str__(self):
        digits = 0 if self.median >= 100 else 1 if self.median >= 10 else 2
        return (f"{self.median:.{digits}f} "
                f"({min(self.values):.{digits}f}..{max(self.values):.{digits}f})")


def show(title, columns, rows):
    """Prints a table; cells are turned into text."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    print(f"\n{title}")
    for row in [columns, *rows]:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def ratio(name, value, goal=None, at_least=False):
    """One line: a ratio, against its goal where there is one."""
    line = f"  {name}: {value:.2f}"
    if goal is not None:
        met = value >= goal if at_least else value <= goal
        line += f" (goal: {'at least' if at_least else 'at most'} {goal}) {'met' if met else 'NOT MET'}"
    print(line)
