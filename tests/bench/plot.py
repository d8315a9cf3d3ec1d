"""One question as a picture: a bar per program, the median's length, with its spread. SVG as text; it
needs nothing to be looked at but a browser, and is read without colour: ours are named in bold."""

from html import escape

WIDTH, LEFT, RIGHT, TOP, ROW, BAR = 840, 300, 120, 64, 30, 18
STYLE = """
  text { font: 13px sans-serif; fill: #222 }
  .question { font-size: 17px; font-weight: bold }
  .unit, .tick { fill: #666; font-size: 12px }
  .name { text-anchor: end }
  .ours { font-weight: bold }
  .tick { text-anchor: middle }
  .bar { fill: #b4b9c1 }
  .bar.ours { fill: #2b6cb0 }
  .grid { stroke: #e2e4e8 }
  .spread { stroke: #222; stroke-width: 1.3 }
"""


def steps(top):
    """Round numbers from 0 to at least top, four to eight of them."""
    step = 1e-6
    while True:
        for factor in (1, 2, 5):
            if top / (step * factor) <= 7:
                count = int(-(-top // (step * factor)))
                return [i * step * factor for i in range(max(count, 1) + 1)]
        step *= 10


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def element(name, text=None, **attributes):
    inside = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
                     for key, value in attributes.items())
    return f"<{name}{inside}/>" if text is None else f"<{name}{inside}>{escape(text)}</{name}>"


def grid(ticks, scale, bottom):
    for tick in ticks:
        x = LEFT + tick * scale
        yield element("line", x1=f"{x:.1f}", y1=TOP - 4, x2=f"{x:.1f}", y2=bottom, class_="grid")
        yield element("text", number(tick), x=f"{x:.1f}", y=bottom + 16, class_="tick")


def bar(row, y, scale):
    mark = " ours" if row["ours"] else ""
    middle = y + BAR / 2
    yield element("text", row["name"], x=LEFT - 8, y=middle + 4.5, class_="name" + mark)
    yield element("rect", x=LEFT, y=y, width=f"{max(row['median'] * scale, 1):.1f}", height=BAR,
                  class_="bar" + mark)
    yield element("line", x1=f"{LEFT + row['min'] * scale:.1f}", x2=f"{LEFT + row['max'] * scale:.1f}",
                  y1=middle, y2=middle, class_="spread")
    yield element("text", number(row["median"]), x=f"{LEFT + row['max'] * scale + 6:.1f}", y=middle + 4.5,
                  class_=mark.strip())


def svg(question):
    """question: what table.keep() wrote."""
    bars = question["bars"]
    ticks = steps(max(row["max"] for row in bars) or 1)
    scale = (WIDTH - LEFT - RIGHT) / ticks[-1]
    bottom = TOP + ROW * len(bars)
    better = "less" if question["less"] else "more"
    parts = [element("title", question["question"]), f"<style>{STYLE}</style>",
             element("rect", width="100%", height="100%", fill="#fff"),
             element("text", question["question"], x=16, y=26, class_="question"),
             element("text", f"{question['unit']}; {better} is better", x=16, y=46, class_="unit"),
             *grid(ticks, scale, bottom)]
    for i, row in enumerate(bars):
        parts += bar(row, TOP + ROW * i + (ROW - BAR) / 2, scale)
    height = bottom + 30
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" role="img">\n' + "\n".join(parts) + "\n</svg>\n")
