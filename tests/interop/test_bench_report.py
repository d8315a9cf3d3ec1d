"""The report's pictures: what a table keeps of itself, and what is drawn of it."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/bench"))

import plot  # noqa: E402
from table import Figure, Plot, show  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(name="picture")
def fixture_picture(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_FOLDER", str(tmp_path))
    show("files", ["server", "MB/s"],
         [["ours, <static>", Figure([1200, 1250, 1300])], ["peer & co", Figure([620, 625, 630])], ["none", "-"]],
         [Plot("MB/s", "How fast?", "MB/s", ("ours",))])
    (kept,) = tmp_path.glob("*.json")
    assert kept.name == "01-how-fast.json"
    return ElementTree.fromstring(plot.svg(json.loads(kept.read_text())))


def test_a_bar_for_each_that_has_a_figure(picture):
    bars = [r for r in picture.iter(SVG + "rect") if r.get("class", "").startswith("bar")]
    assert [b.get("class") for b in bars] == ["bar ours", "bar"]
    long, short = (float(b.get("width")) for b in bars)
    assert abs(long / short - 2) < 0.01
    assert long < float(picture.get("width"))


def test_what_is_said(picture):
    said = [t.text for t in picture.iter(SVG + "text")]
    assert said[0] == "How fast?" and said[1] == "MB/s; more is better"
    assert "ours, <static>" in said and "peer & co" in said and "none" not in said
    assert "1,250" in said and "625" in said


@pytest.mark.parametrize("top, last", [(0.03, 0.03), (7, 7), (99, 100), (156000, 200000), (1, 1)])
def test_ticks_are_round_and_reach_the_top(top, last):
    ticks = plot.steps(top)
    assert ticks[0] == 0 and 2 <= len(ticks) <= 9
    assert ticks[-1] == pytest.approx(last)


def test_an_unknown_table_is_refused():
    done = subprocess.run([sys.executable, TOP / "tests/bench/report.py", "nonsense"], capture_output=True,
                          text=True, check=False, timeout=60)
    assert done.returncode == 1 and "no nonsense" in done.stderr
