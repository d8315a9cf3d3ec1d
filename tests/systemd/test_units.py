"""What is installed: units that systemd finds no fault with, walls, accounts and folders."""

import re
import subprocess

import pytest

DOORS = ["daytimed", "daytimed-timestamp", "chatd", "maild", "maild-submission", "cad", "cad-plain", "cad-signer"]
FILES = ["ftpd", "ftpd-explicit"]  # they alone have a network and the file tree
DOORS += FILES
SESSIONS = [f"{d}@.service" for d in DOORS]
LISTENERS = [f"{d}-wait.service" for d in DOORS]
LIMITS = {**{u: 2.0 for u in SESSIONS}, **{u: 0.5 for u in LISTENERS}}
# the network costs 0.6, openat2() (which RestrictSUIDSGID= denies) 0.2
LIMITS.update({u: 2.6 if "@" in u else 1.2 for u in LIMITS if u.startswith("ftpd")})


@pytest.mark.parametrize("unit", [*LIMITS, "keeper.service", "quintet-renew.service", "quintet-metrics@.service", "quintet-revive@.service"])
def test_security_score(machine, scores, unit):
    name = unit.replace("@.", "@1.")
    text = machine.run("systemd-analyze", "security", "--offline=yes", name, check=False).stdout
    score = float(re.search(r"exposure level for .*: ([\d.]+)", text).group(1))
    scores.append((unit, score, LIMITS.get(unit, 2.0)))
    assert score <= LIMITS.get(unit, 2.0)


def test_systemd_finds_no_fault(machine):
    units = machine.run("sh", "-c", "ls /usr/lib/systemd/system").stdout.split()
    ours = [u for u in units if re.match(r"(daytimed|ftpd|chatd|maild|cad|keeper|quintet)", u) and not u.endswith(".d")]
    assert len(ours) == 49
    names = [u.replace("@.", "@1.") for u in ours]
    result = machine.run("systemd-analyze", "--man=no", "verify", *names)
    assert result.stdout + result.stderr == ""


def test_every_service_has_its_walls(machine):
    for unit in [*SESSIONS, *LISTENERS]:
        name = unit.replace("@.", "@1.")
        assert machine.property(name, "DropInPaths").count("/quintet.conf") == 1, unit
        assert machine.property(name, "NoNewPrivileges") == "yes", unit
        ours = unit.startswith("ftpd")
        assert machine.property(name, "PrivateNetwork") == ("no" if ours else "yes"), unit
        hidden = machine.property(name, "InaccessiblePaths").split()
        assert hidden == ([] if ours else ["-/var/lib/quintet/files"]), unit
        writable = machine.property(name, "ReadWritePaths").split()
        assert ("/var/lib/quintet/files" in writable) == ours, unit
        assert ("/var/lib/quintet/blobs" in writable) == unit.startswith("maild"), unit
        assert not {"/var/lib/quintet", "/var/lib/quintet/store", "/run/quintet"} & set(writable), unit


def test_only_the_signer_is_given_the_issuing_key(machine):
    for unit in [*SESSIONS, *LISTENERS]:
        given = machine.run("systemctl", "cat", unit).stdout
        assert ("credentials/cad-signer" in given) == unit.startswith("cad-signer"), unit


def test_accounts_and_folders(house):
    machine = house.machine
    groups = machine.run("id", "-nG", "quintet-cad").stdout.split()
    assert set(groups) == {"quintet-cad", "quintet", "quintet-sign"}
    assert machine.run("id", "-nG", "quintet-daytimed").stdout.split().count("quintet-sign") == 0
    modes = {
        "/var/lib/quintet": "2750 root quintet",
        "/var/lib/quintet/store": "2750 quintet-keeper quintet",
        "/var/lib/quintet/files": "2770 root quintet",
        "/var/lib/quintet/files/shared": "2770 root quintet",
        "/var/lib/quintet/files/home": "2770 root quintet",
        "/run/quintet": "2750 root quintet",
        "/run/quintet/bells": "2770 root quintet",
        "/run/quintet/keeper.sock": "660 root quintet",
        "/run/quintet/signer.sock": "660 root quintet-sign",
        "/etc/quintet/credentials": "700 root root",
        "/etc/quintet/pki": "755 root root",
    }
    for path, mode in modes.items():
        assert machine.run("stat", "-c", "%a %U %G", path).stdout.strip() == mode, path


def test_landlock_is_on_in_here(machine, tmp_path):
    """The container's own filter lets the calls through: else nothing here proves anything."""
    source = tmp_path / "probe.c"
    source.write_text(
        "#include <sys/syscall.h>\n#include <unistd.h>\n#include <stdio.h>\n"
        "int main(void) { return printf(\"%ld\\n\", syscall(SYS_landlock_create_ruleset, 0, 0L, 1))"
        " < 0; }\n"
    )
    probe = machine.root / "usr/local/bin/landlock-probe"
    subprocess.run(["cc", "-static", "-o", str(probe), str(source)], check=True, timeout=60)
    text = machine.run(
        "systemd-run", "--quiet", "--wait", "--pipe", "/usr/local/bin/landlock-probe"
    ).stdout
    assert int(text) >= 1


def test_uninstall_leaves_nothing(house, tmp_path):
    script = str(house.top / "units/put-units")
    for action in ([], ["remove"]):
        subprocess.run([script, str(tmp_path), "/usr/local", "/etc", *action], check=True)
        files = [p for p in tmp_path.rglob("*") if p.is_file()]
        assert (len(files) > 30) == (action == [])
        for p in files:
            assert "/usr/libexec" not in p.read_text()
