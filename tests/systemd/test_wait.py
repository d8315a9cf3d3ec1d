"""units/wait: one listener per service, a forked process per connection, the same protocol."""

import os
import subprocess
import time

import pytest
import test_renewal
from house import PASSWORD, PORTS, ask, assert_time, seconds_until_closed
from irc import Irc

LIMIT, PER_SOURCE = 20, 10
UNIT = "daytimed-wait.service"


@pytest.fixture(scope="module", autouse=True)
def wait_units(house):
    run = house.machine.run
    run("systemctl", "disable", "--now", "quintet.target")
    run("systemctl", "enable", "--now", "quintet-wait.target")
    yield
    run("systemctl", "disable", "--now", "quintet-wait.target")
    run("systemctl", "enable", "--now", "quintet.target")


def children(house, unit=UNIT):
    """Processes of the unit besides the listener."""
    group = house.machine.property(unit, "ControlGroup")
    text = house.machine.run("cat", f"/sys/fs/cgroup/systemd{group}/cgroup.procs", check=False)
    if text.returncode != 0:
        text = house.machine.run("cat", f"/sys/fs/cgroup{group}/cgroup.procs")
    return [int(p) for p in text.stdout.split() if int(p) != house.main_pid(unit)]


def test_the_other_units_are_off(house):
    for door in PORTS:
        assert house.machine.units(f"{door}.socket") == []
        assert house.machine.units(f"{door}-wait.socket") == [f"{door}-wait.socket"]


@pytest.mark.parametrize("door", PORTS)
def test_each_door_answers(house, door):
    house.assert_answers(door)
    assert house.machine.units(f"{door}-wait.service") == [f"{door}-wait.service"]


def test_the_signer_signs(house, tmp_path):
    identity = house.enrol(tmp_path, "waiting")
    with house.daytime(identity=identity) as session:
        house.wait_until(lambda: '"waiting"' in house.ctl("--json", "top"))
        house.ctl("cert", "revoke", house.serial_of("waiting"))
        assert seconds_until_closed(session) < 5


def test_the_client_is_content(house, tmp_path):
    house.assert_client_is_content(tmp_path, "patient")


def test_twenty_sessions_and_no_more(house):
    cursor = house.machine.cursor()
    sources = ["127.0.1.1"] * PER_SOURCE + ["127.0.1.2"] * (LIMIT - PER_SOURCE)
    sessions = [house.daytime(s) for s in sources]
    assert len(children(house)) == LIMIT
    assert house.is_refused("127.0.1.3")
    for s in sessions:
        assert_time(ask(s))
    assert "too many sessions" in house.machine.journal(cursor)
    sessions.pop().close()
    house.wait_until(lambda: len(children(house)) == LIMIT - 1)
    sessions.append(house.daytime("127.0.1.3"))
    for s in sessions:
        s.close()
    house.wait_until(lambda: children(house) == [])


def test_one_source_cannot_take_all(house):
    sessions = [house.daytime("127.0.1.5") for _ in range(PER_SOURCE)]
    assert house.is_refused("127.0.1.5")
    house.daytime("127.0.1.6").close()
    for s in sessions:
        s.close()


def test_a_restart_leaves_the_sessions(house):
    with house.daytime() as session:
        before = house.main_pid(UNIT)
        house.machine.run("systemctl", "restart", UNIT)
        assert house.main_pid(UNIT) != before
        assert_time(ask(session))
        house.daytime().close()


def test_a_restart_leaves_a_transfer(house, tmp_path):
    house.enrol(tmp_path, "mover")
    content = os.urandom(6 << 20)
    half = len(content) // 2
    command = ["curl", "-sS", "--cacert", house.root_pem, "-u", f"mover:{PASSWORD}"]
    process = house.machine.start(
        *command, "-T", "-", "ftps://localhost/long", stdin=subprocess.PIPE
    )
    process.stdin.write(content[:half])
    process.stdin.flush()
    house.wait_until(lambda: '"mover"' in house.ctl("--json", "top"))
    before = house.main_pid("ftpd-wait.service")
    house.machine.run("systemctl", "restart", "ftpd-wait.service")
    assert house.main_pid("ftpd-wait.service") != before and process.poll() is None
    process.stdin.write(content[half:])
    process.stdin.close()
    assert process.wait(60) == 0
    process.stdout.close()
    stored = house.machine.root / "var/lib/quintet/files/shared/long"
    assert stored.read_bytes() == content


def test_a_restart_leaves_the_chat(house, tmp_path):
    """Somebody of the old listener talks with somebody of the new one; a killed one is seen to go."""
    unit = "chatd-wait.service"
    with Irc(house, "old", house.enrol(tmp_path, "old")) as old:
        old.join("#wait")
        before = house.main_pid(unit)
        house.machine.run("systemctl", "restart", unit)
        (session,) = children(house, unit)
        assert house.main_pid(unit) not in (0, before)
        with Irc(house, "new", house.enrol(tmp_path, "new")) as new:
            new.join("#wait")
            new.send("PRIVMSG #wait :how was it before?")
            old.until("PRIVMSG #wait :how was it before?")
            old.send("PRIVMSG #wait :the same")
            new.until("PRIVMSG #wait :the same")
            house.kill(session)
            took = new.seconds_until(":old!old@user.old QUIT ")
            print(f"the QUIT of a killed session was seen after {took:.3f} s")
            assert took < 5


def test_a_lock_ends_a_chat(house, tmp_path):
    with Irc(house, "shut", house.enrol(tmp_path, "shut")) as client:
        house.ctl("user", "lock", "shut")
        assert client.seconds_until_closed() < 5


def test_renewal_restarts_the_listener_only(house):
    with house.daytime() as session:
        before, pid = test_renewal.certificate(house, "daytimed"), house.main_pid(UNIT)
        test_renewal.force(house)
        try:
            test_renewal.renew(house)
        finally:
            test_renewal.unforce(house)
        house.wait_until(lambda: house.main_pid(UNIT) not in (0, pid))
        assert test_renewal.certificate(house, "daytimed") != before
        assert_time(ask(session))


def test_a_crash_of_one_session_is_not_that_of_others(house):
    house.daytime().close()
    house.wait_until(lambda: children(house) == [])
    victim = house.daytime()
    (pid,) = children(house)
    other = house.daytime()
    cursor, listener = house.machine.cursor(), house.main_pid(UNIT)
    house.kill(pid, "SEGV")
    house.wait_until(lambda: "the listener starts afresh" in house.machine.journal(cursor))
    assert_time(ask(other))
    house.daytime().close()
    assert house.main_pid(UNIT) == listener
    victim.close()
    other.close()


def test_leaving_when_idle_is_no_fault_however_often(house):
    run = house.machine.run
    folder = f"/run/systemd/system/{UNIT}.d"
    run(
        "sh",
        "-c",
        f"mkdir -p {folder} && printf '[Service]\\nExecStart=\\nExecStart="
        f"/usr/libexec/quintet/daytimed --door=daytime --idle-exit=1s\\n' >{folder}/zz.conf"
        f" && systemctl daemon-reload && systemctl restart {UNIT}",
    )
    try:
        start = time.monotonic()
        for _ in range(6):
            house.daytime().close()
            house.wait_until(lambda: house.machine.units(UNIT) == [])
        print(f"6 starts in {time.monotonic() - start:.1f} s")
        assert house.machine.units("daytimed-wait.socket") == ["daytimed-wait.socket"]
    finally:
        run("rm", "-r", folder)
        run("systemctl", "daemon-reload")
    house.daytime().close()


def test_back_to_the_default_units(house):
    """The listener lets go of its port; its sessions live on."""
    run = house.machine.run
    with house.daytime() as session:
        run("systemctl", "disable", "--now", "quintet-wait.target")
        run("systemctl", "enable", "--now", "quintet.target")
        assert house.machine.units("*-wait.service") == []
        assert house.machine.units("daytimed.socket") == ["daytimed.socket"]
        with house.daytime() as other:
            assert len(house.sessions("daytimed")) == 1
            assert_time(ask(other))
        assert_time(ask(session))
    run("systemctl", "disable", "--now", "quintet.target")
    run("systemctl", "enable", "--now", "quintet-wait.target")
    with house.daytime():
        assert house.machine.units(UNIT) == [UNIT]
