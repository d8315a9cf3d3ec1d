"""ftpd under systemd: both doors, uploads that are cut, walls, and an end in time."""

import os
import re
import subprocess
import time

import pytest
from house import PASSWORD, ask, seconds_until_closed

DOORS = {"ftpd": ["ftps://localhost"], "ftpd-explicit": ["--ssl-reqd", "ftp://localhost"]}
TREE = "var/lib/quintet/files"
STORE = "/var/lib/quintet/store"
BIG = 300 << 20  # more than a session's MemoryMax=


@pytest.fixture(scope="module", name="person")
def fixture_person(house, tmp_path_factory):
    house.enrol(tmp_path_factory.mktemp("person"), "filer")
    return "filer"


def shared(house, name):
    return house.machine.root / TREE / "shared" / name


def url(door, path):
    *options, host = DOORS[door]
    return [*options, f"{host}/{path}"]


def put(house, person, source, name, door="ftpd"):
    house.curl(person, "-T", source, *url(door, name))


@pytest.mark.parametrize("door", DOORS)
def test_up_and_down_and_nobody_left(house, person, tmp_path, door):
    source, target = tmp_path / "up", tmp_path / "down"
    source.write_bytes(os.urandom(3 << 20))
    put(house, person, source, f"{door}.bin", door)
    stored = shared(house, f"{door}.bin")
    assert stored.read_bytes() == source.read_bytes()
    owner = house.machine.run("stat", "-c", "%U %G %a", f"/{TREE}/shared/{door}.bin").stdout.split()
    assert owner[:2] == ["quintet-ftpd", "quintet"] and int(owner[2], 8) & 0o007 == 0
    house.curl(person, "-o", target, *url(door, f"{door}.bin"))
    assert target.read_bytes() == source.read_bytes()
    assert f"{door}.bin" in house.curl(person, *url(door, "")).stdout
    house.wait_until(lambda: house.sessions(door) == [])
    assert house.processes() == []
    house.ctl("check")


@pytest.mark.parametrize("door", DOORS)
def test_the_walls_are_up(house, door):
    with house.ftp(door):
        (unit,) = house.sessions(door)
        pid = house.main_pid(unit)
        status = house.status_of(pid)
        uid = house.machine.run("id", "-u", "quintet-ftpd").stdout.strip()
        assert status["Uid"].split() == [uid] * 4
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert {status[k] for k in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
        for namespace, private in {"net": False, "user": True, "mnt": True, "ipc": True}.items():
            paths = [f"/proc/{p}/ns/{namespace}" for p in (1, pid)]
            inside, outside = [house.machine.run("readlink", p).stdout for p in paths]
            assert (inside != outside) == private, namespace
    assert "no Landlock" not in house.machine.journal("-t", "ftpd")


def in_session(house, unit, user, script):
    """Whether a script works in the file system that a session sees, as its user."""
    command = ["nsenter", "-t", str(house.main_pid(unit)), "-m", "--", "setpriv"]
    command += [f"--reuid={user}", f"--regid={user}", "--init-groups", "sh", "-c", script]
    return house.machine.run(*command, check=False).returncode == 0


def test_files_are_for_ftpd_alone(house, person, tmp_path):
    source = tmp_path / "secret"
    source.write_text("for us alone\n")
    put(house, person, source, "secret")
    path = f"/{TREE}/shared/secret"
    with house.daytime(), house.tls("cad"), house.ftp():
        for service in ("daytimed", "cad"):
            (unit,) = house.sessions(service)
            user = f"quintet-{service}"
            assert in_session(house, unit, user, f"test -r {STORE}/data.mdb -a -w {STORE}/lock.mdb")
            for place in (f"{STORE}/data.mdb", f"{STORE}/new", "/var/lib/quintet/blobs/new", "/run/quintet/new"):
                assert not in_session(house, unit, user, f"echo >>{place}"), (service, place)
            for script in (f"cat {path}", f"ls /{TREE}", f"echo >>{path}", f"touch /{TREE}/new"):
                assert not in_session(house, unit, user, script), (service, script)
        (unit,) = house.sessions("ftpd")
        assert in_session(house, unit, "quintet-ftpd", f"cat {path} && touch /{TREE}/shared/new")
        for place in ("/var/lib/quintet/blobs", "/var/lib/quintet", "/etc/quintet", "/etc", "/run"):
            assert not in_session(house, unit, "quintet-ftpd", f"touch {place}/new"), place
    shared(house, "new").unlink()


def test_a_file_that_root_drops_in_just_appears(house, person, tmp_path):
    drop = f"umask 007; mkdir -p /{TREE}/shared/dropped; echo hello >/{TREE}/shared/dropped/here"
    house.machine.run("sh", "-c", drop)
    assert house.curl(person, *url("ftpd", "dropped/here")).stdout == "hello\n"
    source = tmp_path / "beside"
    source.write_text("beside\n")
    put(house, person, source, "dropped/beside")
    refused = house.curl(person, "-T", source, *url("ftpd", "dropped/here"), check=False)
    assert refused.returncode != 0 and shared(house, "dropped/here").read_text() == "hello\n"


def test_a_file_larger_than_the_memory_of_a_session(house, person, tmp_path):
    source, target = tmp_path / "big", tmp_path / "back"
    with open(source, "wb") as f:
        for _ in range(BIG >> 20):
            f.write(os.urandom(1 << 20))
    start = time.monotonic()
    put(house, person, source, "big")
    house.curl(person, "-o", target, *url("ftpd", "big"))
    print(f"{BIG >> 20} MiB up and down in {time.monotonic() - start:.1f} s")
    assert subprocess.run(["cmp", source, target], check=False).returncode == 0
    shared(house, "big").unlink()


def slow(house, person, *arguments):
    """A transfer that takes long, under way."""
    command = ["curl", "-sS", "--cacert", house.root_pem, "-u", f"{person}:{PASSWORD}"]
    process = house.machine.start(*command, "--limit-rate", "1M", *arguments)
    house.wait_until(lambda: house.sessions("ftpd") != [])
    return process


def temporaries(house):
    """Their sizes."""
    return [p.stat().st_size for p in shared(house, "").iterdir() if p.name.startswith(".quintet-")]


def test_killed_in_mid_upload(house, person, tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    before.write_bytes(os.urandom(1 << 20))
    after.write_bytes(os.urandom(40 << 20))
    put(house, person, before, "target")
    house.wait_until(lambda: house.sessions("ftpd") == [])
    process = slow(house, person, "-T", after, *url("ftpd", "target"))
    house.wait_until(lambda: any(size > 1 << 20 for size in temporaries(house)))
    (unit,) = house.sessions("ftpd")
    house.kill(house.main_pid(unit))
    assert process.wait(60) != 0
    process.stdout.close()
    assert shared(house, "target").read_bytes() == before.read_bytes()
    listing = house.curl(person, *url("ftpd", "")).stdout
    assert re.search(r"\btarget$", listing, re.M) and ".quintet-" not in listing
    house.ctl("check")
    after.write_bytes(b"whole\n")
    put(house, person, after, "target")
    assert shared(house, "target").read_bytes() == b"whole\n"


@pytest.mark.parametrize("act", ["lock", "revoke"])
def test_a_live_transfer_ends_within_a_second(house, tmp_path, act):
    """Locked: known by the password; revoked: by the certificate."""
    name = f"leech-{act}"
    identity = house.enrol(tmp_path, name)
    source = tmp_path / "long"
    source.write_bytes(os.urandom(40 << 20))
    put(house, name, source, name)
    house.wait_until(lambda: house.sessions("ftpd") == [])
    proof = []
    if act == "revoke":
        proof = ["--cert", identity / "cert.pem", "--key", identity / "key.pem", "-u", f"{name}:"]
    target = tmp_path / "target"
    process = slow(house, name, *proof, "-o", target, *url("ftpd", name))
    house.wait_until(lambda: target.exists() and target.stat().st_size > 0)
    house.wait_until(lambda: f'"{name}"' in house.ctl("--json", "top"))
    assert process.poll() is None
    serial, cursor = house.serial_of(name), house.machine.cursor()
    start = time.monotonic()
    if act == "lock":
        house.ctl("user", "lock", name)
    else:
        house.ctl("cert", "revoke", serial)
    house.wait_until(lambda: "transfer failed" in house.machine.journal(cursor), every=0.01)
    took = time.monotonic() - start
    assert process.wait(60) != 0  # when it has read what was on the way
    process.stdout.close()
    print(f"{act}: the transfer had ended after {took:.3f} s")
    assert took < 5.0  # without the bell it would be 15


def test_a_lock_ends_an_idle_log_in(house, tmp_path):
    house.enrol(tmp_path, "idler")
    with house.ftp(name="idler") as session:
        house.ctl("user", "lock", "idler")
        assert seconds_until_closed(session) < 5


def test_our_client(house, tmp_path):
    house.enrol(tmp_path, "native")
    document = tmp_path / "document"
    document.write_bytes(os.urandom(100000))
    house.client(tmp_path, "ftp", "put", str(document))
    assert shared(house, "document").read_bytes() == document.read_bytes()
    assert "document" in house.client(tmp_path, "ftp", "ls")


def test_a_register_of_one_who_was_invited(house):
    token = max(house.ctl("invite", "create", "--name", "walkin").split(), key=len)
    with house.ftp() as session:
        said = ask(session, f"SITE REGISTER walkin {PASSWORD.replace(' ', '-')} {token}")
        assert said.startswith("2"), said
    assert '"walkin"' in house.ctl("--json", "user", "list")
