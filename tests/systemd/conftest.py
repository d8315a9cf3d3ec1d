"""One booted machine with Quintet installed the way an administrator does it, for all tests."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from house import House  # noqa: E402
from machine import Machine, cannot_boot  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ["daytimed", "ftpd", "ftpd-explicit", "chatd", "maild", "maild-submission", "cad"]
TOOLS = ["systemd-nspawn", "mmdebstrap", "nsenter", "setpriv"]


def pytest_collection_modifyitems(items):
    """Files in this order: what is installed, then the default units, then units/wait."""
    order = ["test_units", "test_keeper", "test_activation", "test_files", "test_chat", "test_mail", "test_renewal"]
    order += ["test_admin", "test_revocation", "test_wait"]
    items.sort(key=lambda item: order.index(item.module.__name__))


SCORES = []


@pytest.fixture(scope="session")
def scores():
    """(unit, score, limit) of systemd-analyze security, printed at the end."""
    return SCORES


def pytest_terminal_summary(terminalreporter):
    for unit, score, limit in SCORES:
        terminalreporter.write_line(f"security {unit:<34} {score:.1f} (at most {limit:.1f})")


@pytest.fixture(scope="session")
def machine():
    reason = cannot_boot()
    if reason:
        pytest.skip(f"booting a container needs {reason}")
    missing = [t for t in TOOLS if shutil.which(t) is None]
    assert not missing, f"make packages-systemd: {missing} not found"
    with Machine(TOP / "build" / "systemd") as m:
        # make check-systemd has built all
        command = ["make", "-s", "-o", "all", "-C", str(TOP), "install", f"DESTDIR={m.root}"]
        made = subprocess.run(command, timeout=120, check=False, capture_output=True, text=True)
        if made.returncode != 0:
            pytest.exit(f"make install failed\n{made.stdout}{made.stderr}", 1)
        m.boot()
        yield m


@pytest.fixture(scope="session")
def house(machine):
    """The three steps of the manual: accounts and folders, init, enable."""
    machine.run("systemd-sysusers")
    machine.run("systemd-tmpfiles", "--create")
    machine.run(
        "quintetctl",
        "init",
        "--domain",
        "quintet.test",
        "--host",
        "host.quintet.test",
        "--host-name",
        "localhost",
    )
    machine.run("systemctl", "enable", "--now", "quintet.target")
    return House(machine, TOP)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the journal says, fields and all."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and "machine" in item.funcargs:
        options = ["--no-pager", "-o", "verbose", "-n", "30", "--output-fields"]
        fields = "MESSAGE,PEER,REASON,ERROR,COMMANDS,_PID,UNIT"
        text = item.funcargs["machine"].run("journalctl", *options, fields, check=False).stdout
        report.sections.append(("journal", text))


@pytest.fixture(autouse=True)
def nothing_failed(request):
    """After each test no unit is in the failed state, and no session is left."""
    yield
    if "house" not in request.fixturenames:
        return
    house = request.getfixturevalue("house")
    try:
        house.wait_until(lambda: not any(house.sessions(s) for s in SERVICES))
    finally:
        house.machine.run("systemctl", "stop", *[f"{s}@*" for s in SERVICES])
    assert house.machine.units("*", "failed") == []
