"""A booted Debian machine that knows nothing of Quintet, for the packages of `make deb`."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "systemd"))

import root  # noqa: E402
from machine import Machine, cannot_boot  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
DEB = TOP / "build" / "deb"


def package(name):
    """The one file of a package that `make deb` left."""
    (path,) = DEB.glob(f"{name}_*.deb")
    return path


@pytest.fixture(scope="module")
def machine():
    reason = cannot_boot()
    if reason:
        pytest.skip(f"booting a container needs {reason}")
    folder = TOP / "build" / "packages"
    folder.mkdir(exist_ok=True)
    base = root.archive(TOP / "build" / "systemd")
    if not (folder / base.name).exists():
        os.link(base, folder / base.name)
    with Machine(folder) as m:
        (m.root / "etc/hosts").write_text("127.0.0.1 localhost host.quintet.test\n")
        m.boot()
        yield m


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the journal says."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and "machine" in item.funcargs:
        text = item.funcargs["machine"].run("journalctl", "--no-pager", "-n", "120", check=False)
        report.sections.append(("journal", text.stdout))
