"""Disk full and map full: a clear temporary error, nothing lost, and normal service afterwards."""

import os
import subprocess

import pytest
from audit import check_journal, check_store, rows
from people import Journal, Person

SIGN_UPS = 200  # more than free pages can take

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a file system of its own")


def person(instance, cad, seed=1):
    return Person(cad.port, instance.root_pem, Journal(), seed)


def fill(folder, keep):
    """A file that leaves only keep bytes free."""
    stat = os.statvfs(folder)
    path = folder / "filler"
    with open(path, "wb") as f:
        f.write(b"\0" * max(0, stat.f_bavail * stat.f_frsize - keep))
    return path


def sign_up_status(who, n):
    status, text = who.ask("POST", "/account/create", f"name=full{n}&password=long-enough-1",
                           {"Content-Type": "application/x-www-form-urlencoded"})
    return status, text.decode()


def test_disk_full(make_instance):
    instance = make_instance(init=False)
    state = instance.path("state")
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=2770", "tmpfs", state], check=True)
    try:
        instance.give(state)
        instance.ctl("init", "--domain", instance.domain, "--host", instance.host)
        instance.ctl("set", "signup", "open")
        instance.start_signer()
        cad = instance.start("cad")
        daytimed = instance.start("daytimed")
        who = person(instance, cad)
        who.sign_up()
        who.enroll()
        assert len(who.journal.serials) == 1
        filler = fill(state, 8192)
        # Pages that were freed before take some; then there is no more room.
        answers = [sign_up_status(who, 0)]
        while answers[-1][0] == 201 and len(answers) < SIGN_UPS:
            answers.append(sign_up_status(who, len(answers)))
        assert {status for status, _ in answers} <= {201, 503}
        status, text = answers[-1]
        assert status == 503 and "temporar" in text.lower(), answers[-1]
        # The others go on: time needs no disk, what is there can be read.
        assert daytimed.process.poll() is None
        assert who.ask("GET", "/.well-known/est/cacerts")[0] == 200
        created = {f"full{n}" for n, (status, _) in enumerate(answers) if status == 201}
        filler.unlink()
        assert sign_up_status(who, SIGN_UPS)[0] == 201
        who.enroll()
        assert len(who.journal.serials) == 2
        assert created <= {row["name"] for row in rows(instance, "user", "list")}
        check_store(instance)
        check_journal(instance, who.journal)
    finally:
        for service in instance.services:
            service.stop()
        subprocess.run(["umount", "-l", state], check=True)


def test_map_full(make_instance):
    instance = make_instance()
    small = {"QUINTET_TEST_MAP_BYTES": str(3 << 19)}
    instance.ctl("set", "signup", "open")
    instance.start_signer(small)
    cad = instance.start("cad", env=small)
    who = person(instance, cad)
    who.sign_up()
    who.enroll()
    serial = next(iter(who.journal.serials))
    # Row after row until the operation is refused for room; a reserve of 5% is kept for what secures.
    done = instance.run("/bin/sh", "-c", "seq 9000 | xargs -P3 -n1 sh -c './bin/quintetctl invite create "
                        "--uses 1 >/dev/null || exit 255'", check=False, env=small, timeout=240)
    assert done.returncode != 0 and "full" in done.stderr, done
    # Freed pages come back one commit later, so the border is not a single step.
    for n in range(60):
        status, text = sign_up_status(who, n)
        if status == 503:
            break
    assert status == 503 and "temporar" in text.lower(), (status, text)
    # What secures or frees goes on: log-in, revocation, removal.
    name, password = who.mine[0]
    assert who.ask("GET", "/account", headers=who.basic(name, password))[0] == 200
    status, text = who.ask("POST", "/account/revoke", f"serial={serial}&reason=keyCompromise",
                           {"Content-Type": "application/x-www-form-urlencoded",
                            **who.basic(name, password)})
    assert status == 200, (status, text)
    who.journal.revoked.add(serial)
    instance.ctl("user", "lock", name, env=small)
    instance.ctl("user", "unlock", name, env=small)
    # With room again the same instance serves as before.
    for service in instance.services:
        service.stop()
    instance.start_signer()
    cad = instance.start("cad")
    who = person(instance, cad, seed=2)
    who.sign_up()
    who.enroll()
    assert len(who.journal.serials) == 1
    check_store(instance)
    check_journal(instance, who.journal)
