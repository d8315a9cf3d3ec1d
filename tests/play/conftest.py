"""The machine in the middle: Debian with systemd, to which Quintet comes as the packages of `make deb`."""

import os
import sys

import pytest

sys.path[:0] = [os.path.join(os.path.dirname(__file__), "..", "systemd"), os.path.dirname(__file__)]

import root  # noqa: E402
from machine import Machine, cannot_boot  # noqa: E402
from stage import TOP, Stage  # noqa: E402


@pytest.fixture(scope="module", name="stage")
def fixture_stage(tmp_path_factory):
    reason = cannot_boot()
    if reason:
        pytest.skip(f"booting a container needs {reason}")
    folder = TOP / "build" / "play"
    folder.mkdir(exist_ok=True)
    base = root.archive(TOP / "build" / "systemd")
    if not (folder / base.name).exists():
        os.link(base, folder / base.name)
    with Machine(folder) as machine:
        machine.boot()
        with Stage(machine, tmp_path_factory.mktemp("desks")) as stage:
            yield stage


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed act shows what the machine's journal says, and what the people see."""
    outcome = yield
    report = outcome.get_result()
    stage = item.funcargs.get("stage")
    if report.failed and stage is not None:
        text = stage.machine.run("journalctl", "--no-pager", "-n", "80", check=False).stdout
        report.sections.append(("journal", text))
        for name, screen in stage.screens.items():
            report.sections.append((f"{name}'s screen", screen.shown()))
