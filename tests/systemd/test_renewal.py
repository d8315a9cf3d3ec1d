"""quintet-renew: certificates are renewed by the unit, within its walls."""

import re

import pytest
from house import PORTS


def certificate(house, door):
    with house.tls(door) as session:
        return session.getpeercert()["serialNumber"]


def force(house):
    """quintetctl renew does nothing before two thirds of the life: ask for it."""
    path = house.machine.root / "run/systemd/system/quintet-renew.service.d"
    text = "[Service]\nExecStart=\nExecStart=/usr/sbin/quintetctl renew --force\n"
    house.machine.run(
        "sh",
        "-c",
        f"mkdir -p /{path.relative_to(house.machine.root)}"
        f" && printf '{text}' >/{path.relative_to(house.machine.root)}/force.conf"
        " && systemctl daemon-reload",
    )


def unforce(house):
    house.machine.run("rm", "-r", "/run/systemd/system/quintet-renew.service.d")
    house.machine.run("systemctl", "daemon-reload")


def renew(house):
    cursor = house.machine.cursor()
    house.machine.run("systemctl", "start", "quintet-renew.service")
    assert house.machine.property("quintet-renew.service", "Result") == "success"
    return house.machine.journal(cursor, "-u", "quintet-renew.service")


def test_timer_waits(house):
    assert house.machine.units("quintet-renew.timer") == ["quintet-renew.timer"]
    at = house.machine.run("systemctl", "list-timers", "--no-legend", "quintet-renew.timer").stdout
    assert "quintet-renew.service" in at


def test_nothing_is_due_yet(house):
    before = certificate(house, "cad")
    text = renew(house)
    assert len(re.findall(r"\bkept\b", text)) == 6
    assert certificate(house, "cad") == before


def test_new_certificates_are_used_at_once(house):
    before = {door: certificate(house, door) for door in PORTS if door != "cad-plain"}
    force(house)
    try:
        text = renew(house)
    finally:
        unforce(house)
    assert len(re.findall(r"\brenewed\b", text)) == 6
    after = {door: certificate(house, door) for door in before}
    assert all(after[d] != before[d] for d in before)
    house.ctl("check")


@pytest.mark.parametrize("service", ["ftpd", "chatd", "maild"])
def test_what_came_with_a_newer_version_is_made(house, service):
    """A house that was made before it came."""
    folder = f"/etc/quintet/credentials/{service}"
    before = certificate(house, service)
    house.machine.run("rm", "-r", folder)
    assert "it is missing" in renew(house)
    modes = house.machine.run("stat", "-c", "%a %U", folder, f"{folder}/tls.key").stdout.split()
    assert modes == ["700", "root", "600", "root"]
    assert certificate(house, service) != before


def test_the_sweep_reaches_the_tree(house):
    """What a killed upload left goes after a day, and nothing else."""
    old, new, mine = (f"/var/lib/quintet/files/shared/{name}" for name in (
        ".quintet-0123456789abcdef", ".quintet-fedcba9876543210", "mine"))
    script = f"umask 007; touch -d '2 days ago' {old} {mine}; touch {new}; chown quintet-ftpd {old}"
    house.machine.run("sh", "-c", script)
    renew(house)
    left = house.machine.run("sh", "-c", f"ls -d {old} {new} {mine}", check=False).stdout.split()
    assert left == [new, mine]
    house.machine.run("rm", new, mine)
