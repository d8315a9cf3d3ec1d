"""maild under systemd: mail that an idle client sees at once, who is killed or locked out, the largest
message within the unit's memory, walls, limits."""

import threading
import time

import pytest
from house import PORTS, read_line, seconds_until_closed
from mail import Imap, submit

LIMIT_S = 5.0  # a second, and some for a busy machine; without bells it would be 15
LARGEST = 25 << 20


@pytest.fixture(scope="module", name="people")
def fixture_people(house, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mailers")
    return {name: house.enrol(folder, name) for name in ("mailann", "mailbob")}


def test_an_idle_client_sees_it_at_once(house, people):
    with Imap(house, "mailbob", people["mailbob"]) as bob:
        bob.idle()
        sending = threading.Timer(0.5, submit, (house, "mailann", "mailbob", "Subject: now\r\n\r\nHello."))
        sending.start()
        bob.seconds_until(r"^\* \d+ EXISTS")
        sending.join()
        bob.done()
        assert "Subject: now" in "".join(bob.ask("FETCH * BODY.PEEK[]"))
        assert len(house.sessions("maild")) == 1
        assert '"mailbob"' in house.ctl("--json", "top")


def test_by_curl(house, people, tmp_path):
    message = tmp_path / "message"
    message.write_bytes(b"Subject: by curl\r\n\r\nHello.\r\n")
    house.curl("mailann", "--mail-from", "mailann@quintet.test", "--mail-rcpt", "mailbob@quintet.test", "--upload-file",
               message, "smtps://localhost/")
    got = house.curl("mailbob", "imaps://localhost/INBOX;MAILINDEX=*").stdout
    assert "Subject: by curl" in got and "from authenticated mailann" in got


def test_the_largest_message_fits(house, people, tmp_path):
    message = tmp_path / "large"
    with open(message, "w", encoding="ascii") as out:
        out.write("From: mailann@quintet.test\r\nSubject: large\r\n\r\n")
        while out.tell() < LARGEST - 100:
            out.write("0123456789" * 7 + "\r\n")
    house.curl("mailann", "--mail-from", "mailann@quintet.test", "--mail-rcpt", "mailbob@quintet.test", "--upload-file",
               message, "smtps://localhost/", timeout=120)
    got = tmp_path / "got"
    house.curl("mailbob", "-o", got, "imaps://localhost/INBOX;MAILINDEX=*", timeout=120)
    assert got.read_bytes().endswith(message.read_bytes().split(b"\r\n\r\n", 1)[1][-1000000:])
    house.ctl("check")


@pytest.mark.parametrize("act", ["lock", "revoke"])
def test_a_live_session_ends_within_a_second(house, tmp_path, act):
    name = f"mailer-{act}"
    identity = house.enrol(tmp_path, name)
    with Imap(house, name, identity) as session:
        session.idle()
        serial = house.serial_of(name)
        start = time.monotonic()
        if act == "lock":
            house.ctl("user", "lock", name)
        else:
            house.ctl("cert", "revoke", serial)
        seconds_until_closed(session.tls)
        took = time.monotonic() - start
    print(f"{act}: the session had ended after {took:.3f} s")
    assert took < LIMIT_S


def test_a_killed_session_harms_nobody(house, people):
    with Imap(house, "mailann", people["mailann"]):
        (unit,) = house.sessions("maild")
        victim = house.main_pid(unit)
        with Imap(house, "mailbob", people["mailbob"]) as bob:
            bob.idle()
            house.kill(victim)
            submit(house, "mailann", "mailbob", "Subject: after\r\n\r\nx")
            assert bob.seconds_until(r"^\* \d+ EXISTS") < LIMIT_S
    house.ctl("check")


def test_the_walls_are_up(house, people):
    with Imap(house, "mailbob", people["mailbob"]):
        (unit,) = house.sessions("maild")
        pid = house.main_pid(unit)
        status = house.status_of(pid)
        uid = house.machine.run("id", "-u", "quintet-maild").stdout.strip()
        assert status["Uid"].split() == [uid] * 4
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert {status[k] for k in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
        for namespace in ("net", "user", "mnt", "ipc"):
            paths = [f"/proc/{p}/ns/{namespace}" for p in (1, pid)]
            inside, outside = [house.machine.run("readlink", p).stdout for p in paths]
            assert inside != outside, namespace
    assert "no Landlock" not in house.machine.journal("-t", "maild")


@pytest.mark.parametrize("door, most, greeting", [("maild", "500", "* OK "), ("maild-submission", "100", "220 ")])
def test_sessions_are_limited(house, door, most, greeting):
    show = house.machine.property
    assert show(f"{door}.socket", "MaxConnections") == most
    with house.tls(door) as session:
        assert read_line(session).startswith(greeting)
        (unit,) = house.sessions(door)
        assert show(unit, "MemoryMax") == str(256 << 20)
        lasts = show(unit, "RuntimeMaxUSec")
        assert lasts == ("infinity" if door == "maild" else "1d")
    per_source = int(show(f"{door}.socket", "MaxConnectionsPerSource"))
    held = [house.machine.connect(PORTS[door], "127.0.0.9") for _ in range(per_source)]
    with house.machine.connect(PORTS[door], "127.0.0.9") as late:
        assert late.recv(1) == b""
    with house.tls(door, "127.0.0.10") as other:
        assert read_line(other).startswith(greeting)
    for one in held:
        one.close()
