"""Names, paths and rights: nothing but the tree is ever reached, whatever is asked for, raced or dropped in."""

import os
import socket
import threading
import time

import pytest

import talk
from ftpdhouse import HELLO, a, b, name, people, shared  # noqa: F401


# -- empty files and names ------------------------------------------------------------------------


def test_empty_file(instance, a, name):
    assert a.put(name, b"").code == 226
    assert shared(instance, name).read_bytes() == b""
    assert int(a.expect(f"SIZE {name}", 213).text) == 0
    assert a.get(f"RETR {name}") == b""


@pytest.mark.parametrize("odd", ["two words", " blank first", "blank last ", 'quo"te', "per%cent", "ä漢字",
                                 "-la", "*", "[a-z]", "a;b=c", "back\\slash", "x" * 255, "$(id)", "..."])
def test_odd_names(instance, a, odd):
    assert a.put(odd, HELLO).code == 226
    assert shared(instance, odd).read_bytes() == HELLO
    assert odd in a.names()
    assert any(line.endswith(f"; {odd}") for line in a.get("MLSD").decode().split("\r\n"))
    assert a.get(f"RETR {odd}") == HELLO
    a.expect(f"DELE {odd}", 250)
    a.expect(f"MKD {odd}", 257)
    reply = a.expect(f"CWD {odd}", 250)
    assert reply.code == 250
    assert '"/shared/' + odd.replace('"', '""') + '"' in a.expect("PWD", 257).text
    a.expect("CDUP", 200, 250)
    a.expect(f"RMD {odd}", 250)


@pytest.mark.parametrize("bad", [b"x\x01y", b"\xff\xfe", b"x" * 256, b".quintet-0123", b"d/.quintet-x",
                                 b"\xc2\x85"])
def test_refused_names(a, bad):
    a.passive()
    a.send(b"STOR " + bad + b"\r\n")
    assert a.reply().code in (501, 553)
    a.send(b"MKD " + bad + b"\r\n")
    assert a.reply().code in (501, 553)


# -- paths ----------------------------------------------------------------------------------------


def test_dot_dot(instance, a):
    outside = instance.path("state/outside")
    outside.write_text("secret")
    instance.give(outside)
    for path in ("../../outside", "/../outside", "/shared/../../../outside", "../../../../etc/passwd",
                 "/shared/../..//outside"):
        a.passive()
        assert a.ask(f"RETR {path}").code == 550, path
    a.expect("CWD ../../../..", 250)
    assert a.expect("PWD", 257).text.startswith('"/"')
    a.expect("CWD /shared", 250)


def test_symlinks(instance, a):
    secret = instance.path("work/secret")
    secret.write_text("secret")
    link, folder = shared(instance, "link"), shared(instance, "linkdir")
    os.symlink(secret, link)
    os.symlink(instance.path("state"), folder)
    try:
        a.passive()
        for command in ("RETR link", "RETR linkdir/outside", "SIZE link", "CWD linkdir", "STOR link",
                        "STOR linkdir/x", "MKD linkdir/x", "DELE linkdir/store/data.mdb", "MLST link",
                        "HASH link", "APPE link"):
            assert a.ask(command).code // 100 == 5, command
        assert "link" not in a.names() and "linkdir" not in a.names()
        assert secret.read_text() == "secret"
    finally:
        link.unlink()
        folder.unlink()


def test_symlink_race(instance, a):
    """A folder swapped for a symbolic link and back, while it is used."""
    target = instance.path("work/race-target")
    target.mkdir()
    instance.give(target)
    (target / "secret").write_text("secret")
    real, spare = shared(instance, "race"), shared(instance, "race-spare")
    a.expect("MKD race", 257)
    assert a.put("race/secret", b"public").code == 226
    stop = threading.Event()

    def swap():
        while not stop.is_set():
            os.rename(real, spare)
            os.symlink(target, real)
            os.unlink(real)
            os.rename(spare, real)

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    try:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            for command in ("RETR race/secret", "STOR race/new"):
                data = a.dial()
                reply = a.ask(command)
                if reply.code == 150:
                    tls = a.wrap(data)
                    if command.startswith("RETR"):
                        seen.add(talk.read_to_end(tls))
                    a.finish(tls)
                    assert a.reply().code in (226, 451, 550, 553)
                else:
                    assert reply.code // 100 in (4, 5)
                    data.close()
            a.ask("MKD race/dir")
            a.ask("RMD race/dir")
    finally:
        stop.set()
        thread.join()
    assert seen <= {b"public"}
    assert sorted(p.name for p in target.iterdir()) == ["secret"]


def test_special_files(instance, a):
    fifo, sock = shared(instance, "fifo"), shared(instance, "sock")
    os.mkfifo(fifo)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(sock))
    instance.give(fifo)
    try:
        a.passive()
        for command in ("RETR fifo", "HASH fifo", "RETR sock", "SIZE fifo"):
            assert a.ask(command).code == 550, command
    finally:
        fifo.unlink()
        sock.unlink()
        listener.close()


def test_home_is_private(instance, a, b, people):
    assert a.put(f"/home/{people[0]}/diary", b"dear diary").code == 226
    b.passive()
    for command in (f"RETR /home/{people[0]}/diary", f"CWD /home/{people[0]}", f"SIZE /home/{people[0]}/diary",
                    f"STOR /home/{people[0]}/x", f"DELE /home/{people[0]}/diary", f"MLSD /home/{people[0]}",
                    f"MKD /home/{people[0]}/d", f"MLST /home/{people[0]}/diary", f"STAT /home/{people[0]}"):
        assert b.ask(command).code == 550, command
    b.expect("RNFR /shared/nothing", 550)
    assert b.names("/home") == [f"/home/{people[1]}"]


def test_rights_in_shared(instance, a, b, name):
    assert a.put(name, HELLO).code == 226
    a.expect(f"MKD {name}-dir", 257)
    assert a.put(f"{name}-dir/x", HELLO).code == 226
    b.passive()
    for command in (f"DELE {name}", f"STOR {name}", f"APPE {name}", f"RNFR {name}", f"DELE {name}-dir/x",
                    f"RNFR {name}-dir", f"MFMT 20200101000000 {name}"):
        assert b.ask(command).code in (550, 553), command
    assert b.get(f"RETR {name}") == HELLO
    dropped = shared(instance, f"{name}-dropped")
    dropped.write_bytes(HELLO)
    instance.give(dropped)
    assert b.get(f"RETR {name}-dropped") == HELLO
    assert b.ask(f"DELE {name}-dropped").code == 550
    a.expect(f"DELE {name}", 250)


def test_rename_over_another_persons_file(a, b, name):
    assert a.put(f"{name}-a", b"a").code == 226
    assert b.put(f"{name}-b", b"b").code == 226
    a.expect(f"RNFR {name}-a", 350)
    assert a.ask(f"RNTO {name}-b").code in (550, 553)
    assert b.get(f"RETR {name}-b") == b"b"


def test_nothing_is_made_in_made_up_folders(a):
    a.passive()
    for command in ("STOR /x", "MKD /x", "STOR /home/x", "MKD /home/newname", "RMD /shared", "DELE /shared",
                    "RNFR /shared", "RMD /home", "SITE RMTREE /shared", "SITE RMTREE /"):
        assert a.ask(command).code // 100 == 5, command

@pytest.mark.parametrize("commands", [("STOR gone/f",), ("APPE gone/f",), ("MKD gone/f",), ("RNFR .here", "RNTO gone/f")])
def test_what_is_missing_is_named(a, people, commands):
    """Not the file that is to come, but its folder; and in "/" nobody makes anything."""
    home = f"/home/{people[0]}"
    a.expect(f"CWD {home}", 250)
    a.put(".here", b"x")
    *before, last = commands
    for command in before:
        a.expect(command, 350)
    assert f'"{home}/gone": there is nothing' in a.expect(last, 550).text
    for command in before:
        a.expect(command, 350)
    assert "you may not" in a.expect(last.replace("gone/f", "/f"), 550).text
