"""chatd under systemd: people who talk, one who is killed, one who is locked out, walls, limits."""

import re
import subprocess
import time

import pytest
from house import PORTS, ask
from irc import Irc

LIMIT_S = 5.0  # a second, and some for a busy machine; without bells it would be 15


@pytest.fixture(scope="module", name="people")
def fixture_people(house, tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    return {name: house.enrol(folder, name) for name in ("ann", "bob")}


@pytest.fixture(name="pair")
def fixture_pair(house, people):
    """Both in one channel."""
    with Irc(house, "ann", people["ann"]) as ann, Irc(house, "bob", people["bob"]) as bob:
        ann.join("#house")
        bob.join("#house")
        ann.sync()
        yield ann, bob
        for client in (ann, bob):
            client.send("PART #house", "QUIT")


def test_two_people_talk(house, pair):
    ann, bob = pair
    ann.send("PRIVMSG #house :is anybody here?")
    assert bob.until("PRIVMSG #house")[-1] == ":ann!ann@user.ann PRIVMSG #house :is anybody here?"
    bob.send("PRIVMSG ann :I am")
    took = ann.seconds_until(" PRIVMSG ann :I am")
    assert took < LIMIT_S
    assert len(house.sessions("chatd")) == 2
    rows = house.ctl("--json", "top")
    assert rows.count('"chatd"') == 2 and '"ann"' in rows and '"bob"' in rows


def test_by_openssl(house, pair, people):
    """Somebody who types into s_client."""
    ann, _ = pair
    proof = ["-cert", people["bob"] / "cert.pem", "-key", people["bob"] / "key.pem"]
    process = house.machine.start(
        "openssl", "s_client", "-quiet", "-CAfile", house.root_pem, *proof, "-connect", "localhost:6697",
        stdin=subprocess.PIPE,
    )
    process.stdin.write(b"NICK bob\nUSER bob 0 * :Bob\nPRIVMSG #house :typed by hand\n")
    process.stdin.flush()
    ann.until("PRIVMSG #house :typed by hand")
    said, _ = process.communicate(b"QUIT\n", timeout=60)
    assert b" 001 bob " in said and b"ERROR :" in said


def test_our_client(house, tmp_path, pair):
    _, bob = pair
    house.enrol(tmp_path, "carol")
    house.client(tmp_path, "chat", "send", "--join", "#house", "hello from the shell")
    bob.until("PRIVMSG #house :hello from the shell")
    assert "hello from the shell" in house.client(tmp_path, "chat", "history", "#house")


def test_killed_and_seen_to_be_gone(house, pair):
    """Nobody says anything: who is left notices by itself."""
    ann, bob = pair
    pids = {house.main_pid(unit) for unit in house.sessions("chatd")}
    top = house.ctl("--json", "top")
    (victim,) = {p for p in pids if re.search(rf'"account":"bob"[^}}]*"pid":{p}\b', top)}
    house.kill(victim)
    took = ann.seconds_until(":bob!bob@user.bob QUIT ")
    print(f"the QUIT of a killed session was seen after {took:.3f} s")
    assert took < LIMIT_S
    ann.send("NAMES #house")
    assert "bob" not in ann.until(" 366 ")[-2]
    house.ctl("check")


def test_nothing_is_missed(house, people):
    with Irc(house, "ann", people["ann"]) as ann:
        with Irc(house, "bob", people["bob"]) as bob:
            ann.join("#later")
            bob.join("#later")
            bob.send("QUIT")
            bob.seconds_until_closed()
        ann.send("PRIVMSG #later :said in between")
        ann.sync()
        bob = house.tls("chatd", identity=people["bob"])
        with bob:
            bob.sendall(b"NICK bob\r\nUSER bob 0 * :bob\r\nPING :all\r\n")
            told = b""
            while b"PONG" not in told:
                told += bob.recv(65536)
            assert told.index(b" 001 ") < told.index(b"JOIN #later") < told.index(b"said in between")


@pytest.mark.parametrize("act", ["lock", "revoke"])
def test_a_live_session_ends_within_a_second(house, tmp_path, pair, act):
    ann, _ = pair
    name = f"talker-{act}"
    identity = house.enrol(tmp_path, name)
    with Irc(house, name, identity) as talker:
        talker.join("#house")
        serial = house.serial_of(name)
        start = time.monotonic()
        if act == "lock":
            house.ctl("user", "lock", name)
        else:
            house.ctl("cert", "revoke", serial)
        talker.seconds_until_closed()
        took = time.monotonic() - start
        ann.until(f":{name}!{name}@user.{name} QUIT ")
        seen = time.monotonic() - start
    print(f"{act}: the session had ended after {took:.3f} s, others saw it after {seen:.3f} s")
    assert took < LIMIT_S and seen < 2 * LIMIT_S


def test_the_house_speaks(house, pair):
    ann, bob = pair
    house.ctl("chat", "broadcast", "the lift is back")
    for client in (ann, bob):
        assert client.seconds_until(" :the lift is back") < LIMIT_S
    assert '"#house"' in house.ctl("--json", "chat", "channels")


def test_the_walls_are_up(house, pair):
    unit = house.sessions("chatd")[0]
    pid = house.main_pid(unit)
    status = house.status_of(pid)
    uid = house.machine.run("id", "-u", "quintet-chatd").stdout.strip()
    assert status["Uid"].split() == [uid] * 4
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert {status[k] for k in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    for namespace in ("net", "user", "mnt", "ipc"):
        paths = [f"/proc/{p}/ns/{namespace}" for p in (1, pid)]
        inside, outside = [house.machine.run("readlink", p).stdout for p in paths]
        assert inside != outside, namespace
    sockets = house.machine.run("nsenter", "-t", str(pid), "-n", "ss", "-xaH").stdout
    assert {line.split()[0] for line in sockets.splitlines()} <= {"u_dgr", "u_str"}  # bells, the keeper
    assert "no Landlock" not in house.machine.journal("-t", "chatd")


def test_sessions_last_and_are_limited(house):
    show = house.machine.property
    assert show("chatd.socket", "MaxConnections") == "500"
    with house.tls("chatd") as session:
        (unit,) = house.sessions("chatd")
        assert show(unit, "RuntimeMaxUSec") == "infinity" and show(unit, "MemoryMax") == str(64 << 20)
        assert " PONG " in ask(session, "PING :x")
    per_source = int(show("chatd.socket", "MaxConnectionsPerSource"))
    held = [house.machine.connect(PORTS["chatd"], "127.0.0.9") for _ in range(per_source)]
    with house.machine.connect(PORTS["chatd"], "127.0.0.9") as late:
        assert late.recv(1) == b""
    with house.tls("chatd", "127.0.0.10") as other:
        assert " PONG " in ask(other, "PING :x")
    for one in held:
        one.close()
