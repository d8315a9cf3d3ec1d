"""The Debian packages, the way an administrator meets them: install, upgrade, remove, purge.

The tests are one story in this order, on one machine.
"""

import json
import re
import shutil
import subprocess

import pytest
from conftest import DEB, TOP, package
from house import PASSWORD, PORTS, House, ask, assert_time

STATE = ["/var/lib/quintet", "/etc/quintet"]
OURS = r"(daytimed|ftpd|chatd|maild|cad|keeper|quintet)"


@pytest.fixture(scope="module", name="house")
def fixture_house(machine):
    return House(machine, TOP)


def dpkg(machine, *arguments):
    """As dpkg -i PACKAGE-FILE ..., with the files of this host brought in."""
    put = []
    for a in arguments:
        if hasattr(a, "name"):
            shutil.copy(a, machine.root / "root")
            a = f"/root/{a.name}"
        put.append(a)
    return machine.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", *put).stdout


def quintet(machine, *arguments, **more):
    """The client as root's own: it is on the machine itself."""
    return machine.run("env", "HOME=/root", "quintet", *arguments, **more).stdout


def higher(path, folder, version):
    """The same package under a higher version."""
    tree = folder / path.stem
    subprocess.run(["dpkg-deb", "-R", str(path), str(tree)], check=True, timeout=60)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()))
    made = folder / f"{path.name.split('_')[0]}_{version}.deb"
    subprocess.run(["dpkg-deb", "-b", "-Znone", str(tree), str(made)], check=True, timeout=60)
    return made


def our_units(machine, kind, state):
    command = ["systemctl", "list-unit-files", "--no-legend", f"--state={state}", f"*.{kind}"]
    listed = machine.run(*command, check=False)  # 1: there are none
    return sorted(re.findall(rf"(?m)^({OURS}\S*)", listed.stdout))


def assert_content(machine):
    """What the person left is there, and every service answers."""
    services = json.loads(quintet(machine, "--json", "status"))["services"]
    assert [s["state"] for s in services] == ["ok"] * len(PORTS)
    assert "user:              ann" in quintet(machine, "whoami")
    assert "kept" in quintet(machine, "ftp", "ls")
    assert "said before" in quintet(machine, "chat", "history", "#house")
    assert "written before" in quintet(machine, "mail", "list")
    assert re.search(r"\d\d:\d\d:\d\d", quintet(machine, "daytime"))


def test_lintian_has_nothing_to_say():
    (changes,) = DEB.glob("*.changes")
    command = ["lintian", "--allow-root", "-EviIL", "+pedantic", str(changes)]
    said = subprocess.run(command, timeout=120, check=False, capture_output=True, text=True)
    assert re.findall(r"(?m)^[EWIPX]: .*", said.stdout) == []
    assert said.returncode == 0, said.stderr


def test_installing_opens_no_door(machine, house):
    dpkg(machine, "-i", package("quintet-server"), package("quintet-client"))
    assert our_units(machine, "target", "disabled") != []
    for kind in ("target", "socket", "service", "timer"):
        assert our_units(machine, kind, "enabled") == [], kind
        assert [u for u in machine.units(f"*.{kind}") if re.match(OURS, u)] == [], kind
    assert house.processes() == []
    modes = {"/var/lib/quintet/files": "2770 root quintet", "/etc/quintet/credentials": "700 root root"}
    for path, mode in modes.items():
        assert machine.run("stat", "-c", "%a %U %G", path).stdout.strip() == mode, path
    (version,) = re.findall(r"quintet-server_([^_]+)_", package("quintet-server").name)
    for program in ("quintet", "quintetctl"):
        assert version in machine.run(program, "--version").stdout


def test_init_and_one_command_bring_it_up(machine, house):
    house.ctl("init", "--domain", "quintet.test", "--host", "host.quintet.test", "--host-name", "localhost")
    machine.run("systemctl", "enable", "--now", "quintet.target")
    token = max(house.ctl("invite", "create", "--name", "ann").split(), key=len)
    (machine.root / "root/password").write_text(PASSWORD + "\n")
    (machine.root / "root/password").chmod(0o600)
    arguments = ["--user", "ann", "--root", "/etc/quintet/pki/root.pem", "--invite", token]
    quintet(machine, "enroll", "host.quintet.test", *arguments, "--password-file", "/root/password")
    (machine.root / "root/kept").write_text("put before\n")
    quintet(machine, "ftp", "put", "/root/kept")
    quintet(machine, "chat", "send", "--join", "#house", "said before")
    machine.run("sh", "-c", "echo text | HOME=/root quintet mail send -s 'written before' ann")
    assert_content(machine)


@pytest.mark.parametrize("target", ["quintet.target", "quintet-wait.target"])
def test_an_upgrade_keeps_all_and_goes_on(machine, house, tmp_path, target):
    """Sessions live on, listeners are the new ones, a new door is open: in both kinds of activation."""
    other = {"quintet.target": "quintet-wait.target", "quintet-wait.target": "quintet.target"}[target]
    machine.run("systemctl", "disable", "--now", other)
    machine.run("systemctl", "enable", "--now", target)
    session = house.daytime()
    before = sorted(u for u in machine.units("*.socket") if re.match(OURS, u))
    assert "keeper.socket" in before
    listener = machine.property("daytimed-wait.service", "MainPID")
    machine.run("systemctl", "stop", next(u for u in before if u.startswith("chatd")))
    version = f"9.{len(target)}"
    made = [higher(package(f"quintet-{p}"), tmp_path, version) for p in ("server", "client")]
    assert "nothing is to be done" in dpkg(machine, "-i", *made)
    assert_time(ask(session))
    session.close()
    assert (machine.property("daytimed-wait.service", "MainPID") != listener) == (listener != "0")
    assert machine.property(target, "ActiveState") == "active"
    assert machine.units(other) == []
    assert sorted(u for u in machine.units("*.socket") if re.match(OURS, u)) == before
    assert machine.units("*", "failed") == []
    assert_content(machine)


def test_removing_leaves_what_people_have(machine, house):
    session = house.daytime()
    dpkg(machine, "-r", "quintet-server")
    with pytest.raises(OSError):
        assert_time(ask(session))
        session.close()
        house.daytime()
    house.wait_until(lambda: house.processes() == [])
    assert machine.run("ls", "/usr/libexec/quintet", check=False).returncode != 0
    for path in [f"{STATE[0]}/store/data.mdb", f"{STATE[0]}/files", f"{STATE[1]}/root.key"]:
        assert (machine.root / path[1:]).exists(), path
    dpkg(machine, "-i", package("quintet-server"))
    machine.run("systemctl", "enable", "--now", "quintet.target")
    assert_content(machine)


def test_purging_removes_it(machine):
    dpkg(machine, "-P", "quintet-server", "quintet-client")
    for path in [*STATE, "/run/quintet", "/usr/libexec/quintet"]:
        assert not (machine.root / path[1:]).exists() and machine.run("ls", path, check=False).returncode != 0
    links = machine.run("find", "/etc/systemd", "/var/lib/systemd").stdout
    assert not re.search(rf"/{OURS}[^/]*\n", links), links
    assert machine.units("*", "failed") == []
    # so that nobody else is given their numbers
    assert "quintet-cad" in machine.run("getent", "passwd").stdout
