"""quintetctl top: who is there, in which order, on a terminal that does not flicker."""

import json
import os
import signal

import pytest

from glass import Glass
from imaps import Imap
from instance import until
from ircs import PASSWORD, Irc

KEYS = {"account", "peer", "service", "since", "bytes_in", "bytes_out", "memory", "measure", "pid", "unit"}


def top(instance, *options):
    return json.loads(instance.ctl("--json", "top", *options).stdout)


@pytest.fixture(name="house", scope="module")
def fixture_house(instance):
    """An instance in which toplady is in chat and reads mail."""
    instance.account("toplady", PASSWORD)
    with Irc(instance, "toplady", account=("toplady", PASSWORD)), Imap(instance, "toplady"):
        until(lambda: len(sessions(instance)) == 2, what="both are seen")
        yield instance


def sessions(instance):
    return [s for s in top(instance) if s["account"] == "toplady"]


def test_rows(house):
    rows = sessions(house)
    assert [r["service"] for r in rows] == ["chatd", "maild"]
    for row in rows:
        assert set(row) == KEYS and row["bytes_in"] > 0 and row["bytes_out"] > 0
        assert row["peer"] in ("127.0.0.1", "::1") and row["unit"] is None
        assert row["measure"] == "PSS" and 100_000 < row["memory"] < 200_000_000
        assert os.path.exists(f"/proc/{row['pid']}") and row["since"].endswith("Z")


def test_who_died_is_not_shown(house):
    with Irc(house, "toplady2", account=("toplady", PASSWORD)):
        until(lambda: len(sessions(house)) == 3, what="the third is seen")
        pid = max(r["pid"] for r in sessions(house) if r["service"] == "chatd")
        before = len(top(house))
        os.kill(pid, signal.SIGKILL)
        until(lambda: len(top(house)) < before, what="it is gone")
        assert pid not in [r["pid"] for r in top(house)]


def test_order(house):
    memory = [r["memory"] for r in top(house, "--sort", "memory")]
    assert memory == sorted(memory, reverse=True)
    services = [r["service"] for r in top(house, "--sort", "service")]
    assert services == sorted(services)
    since = [r["since"] for r in top(house, "--sort", "since")]
    assert since == sorted(since)
    refused = house.ctl("top", "--sort", "beauty", check=False)
    assert refused.returncode == 100 and "memory" in refused.stderr


def test_on_a_terminal(house):
    screen = Glass(["./bin/quintetctl", "top", "--interval", "1"], house.env, cwd=house.root, rows=12, columns=70)
    try:
        screen.shows(r"^toplady .* chatd")
        screen.shows(r", by service: ")
        assert screen.alternate
        screen.press("m", r", by memory: ")
        drawn = screen.text.count("\x1b[H")
        until(lambda: screen.read(0.1) and screen.text.count("\x1b[H") > drawn + 1, what="it is drawn again")
        assert "\x1b[2J" not in screen.text, "it never goes blank"
        assert screen.lines()[2] == "" and screen.lines()[3].startswith("ACCOUNT")
        screen.send("q")
        assert screen.status() == 0
        assert screen.text.rstrip().endswith("\x1b[?25h\x1b[?1049l") and screen.echoes()
    finally:
        screen.close()
