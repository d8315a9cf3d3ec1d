"""quintet ftp when the line is cut, the server lies, or a person types: resumption, refusals, the session."""

import json
import os
import signal
import socket
import time

import pytest

from between import between, between_all  # noqa: F401
from device import INTERRUPTED, NO, TEMPORARY, UNTRUSTED, USAGE
from ftphome import (BIG, PART, ann, big_file, biggest, digest_of, last_bytes, ls, on_disk, place,  # noqa: F401
                     settled, wait_part)
from instance import until


# -- what goes wrong on the line -----------------------------------------------------------------


def test_put_goes_on_after_a_cut(instance, place, between):
    device, here, there = place
    big = big_file(here / "big")
    between.hold(PART)
    process = device.start("ftp", "put", big, there)
    wait_part(between, on_disk(instance, there))
    with between.line_cut():
        settled(instance, f"{there}/big")
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert digest_of(on_disk(instance, f"{there}/big")) == digest_of(big) and between.count >= 2
    assert 0 < last_bytes(instance, "STOR", f"{there}/big") < BIG


def test_get_goes_on_after_a_cut(instance, place, between):
    device, here, there = place
    big = big_file(here / "big")
    device.run("ftp", "put", big, there)
    target = here / "target"
    target.mkdir()
    between.hold(PART)
    process = device.start("ftp", "get", f"{there}/big", target)
    wait_part(between, target)
    with between.line_cut():
        pass
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert 0 < last_bytes(instance, "RETR", f"{there}/big") < BIG
    assert digest_of(target / "big") == digest_of(big) and [p.name for p in target.iterdir()] == ["big"]


@pytest.mark.parametrize("way", ["put", "get"])
def test_ctrl_c_keeps_the_part(instance, place, between, way):
    device, here, there = place
    big = big_file(here / "big")
    target = here / "target"
    target.mkdir()
    args, folder = (["put", big, there], on_disk(instance, there)) if way == "put" else \
        (["get", f"{there}/big", target], target)
    if way == "get":
        device.run("ftp", "put", big, there)
    between.hold(PART)
    process = device.start("ftp", *args)
    wait_part(between, folder)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (INTERRUPTED, "")
    assert not (folder / "big").exists()
    if way == "put":
        settled(instance, f"{there}/big")
    between.release()
    out = device.out("ftp", *args)
    assert ", from " in out and digest_of(folder / "big") == digest_of(big)
    # From the beginning when asked to.
    assert ", from " not in device.out("ftp", args[0], "--fresh", *args[1:])


def test_rm_deletes_what_an_interrupted_upload_left(instance, place, between):
    device, here, there = place
    big = big_file(here / "big")
    between.hold(PART)
    process = device.start("ftp", "put", big, there)
    wait_part(between, on_disk(instance, there))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    settled(instance, f"{there}/big")
    between.release()
    assert ls(device, there) == [] and biggest(on_disk(instance, there)) > 0
    device.run("ftp", "rm", f"{there}/big")
    assert biggest(on_disk(instance, there)) == 0
    assert "nothing of that name" in device.err("ftp", "rm", f"{there}/big", status=NO)


def test_a_wrong_digest_is_refused(instance, place):
    """The server believes a stored digest while inode, size and time fit: so it can be made to lie."""
    device, here, there = place
    (here / "a").write_text("the truth")
    device.run("ftp", "put", here / "a", there)
    stored = on_disk(instance, f"{there}/a")
    before = stored.stat()
    with open(stored, "r+") as f:
        f.write("the false")
    os.utime(stored, ns=(before.st_atime_ns, before.st_mtime_ns))
    device.err("ftp", "get", f"{there}/a", here / "b", status=UNTRUSTED)
    assert not (here / "b").exists()
    row, = json.loads(device.run("ftp", "get", "--json", f"{there}/a", here / "b", status=UNTRUSTED).stdout)
    assert row["state"] == "failed"


def test_no_overwrite(place):
    device, here, there = place
    (here / "a").write_text("new")
    device.run("ftp", "put", here / "a", there)
    (here / "a").write_text("old")
    device.run("ftp", "get", "--no-overwrite", f"{there}/a", here, status=NO)
    assert (here / "a").read_text() == "old"
    device.run("ftp", "get", f"{there}/a", here)
    assert (here / "a").read_text() == "new"


def test_unreachable(instance, ann):
    directory = ann.profiles / "localhost/directory"
    kept = directory.read_text()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    directory.write_text(kept.replace(f" ftps {instance.ports['ftps']}", f" ftps {port}"))
    try:
        assert "cannot reach" in ann.err("ftp", "ls", status=TEMPORARY)
    finally:
        directory.write_text(kept)


def test_more_than_4_gib(instance, place):
    """Sizes that do not fit 32 bits are told right; the bytes would take too long here."""
    device, here, there = place
    size = 2**32 + 12345
    stored = on_disk(instance, f"{there}/huge")
    with open(stored, "wb") as f:
        f.truncate(size)
        f.seek(size - 5)
        f.write(b"ended")
    instance.give(stored)
    assert device.json("ftp", "ls", f"{there}/huge")[0]["size"] == size
    assert f"{size}" in device.out("ftp", "stat", f"{there}/huge")
    device.run("ftp", "rm", f"{there}/huge")


# -- the session ---------------------------------------------------------------------------------


def script(device, text, status=0):
    return device.run("ftp", input=text, status=status)


def test_script(instance, place):
    device, here, there = place
    (here / "two words").write_text("2")
    done = script(device, f"# a comment\n\ncd {there}\npwd\nlcd '{here}'\nput \"two words\"\nls\n"
                          "mv two\\ words 'it is'\ncat it\\ is\nget 'it is' back\nrm it*\nls\nquit\nls /nowhere\n")
    assert done.stdout.startswith(f"{there}\n") and "\n2got " in done.stdout
    assert (here / "back").read_text() == "2" and ls(device, there) == []
    assert list(on_disk(instance, there).iterdir()) == []


def test_script_ends_at_the_first_failure(place):
    device, here, there = place
    done = script(device, f"cd {there}\nmkdir a\nrm none\nmkdir b\n", status=NO)
    assert ls(device, there) == ["a/"] and "nothing of that name" in done.stderr
    script(device, "get 'x\n", status=USAGE)
    script(device, "bogus\n", status=USAGE)
    assert "session begins" in script(device, "ls --user x\n", status=USAGE).stderr
    script(device, "cd /nowhere\n", status=NO)


def test_the_old_words(place):
    device, here, there = place
    (here / "f").write_text("old words")
    (here / "sub").mkdir()
    out = script(device, f"cd {there}\nlcd {here}\nSTOR f\nLIST\nlcd sub\nGET f\nDelete f\nlist\nclose\nLIST /x\n").stdout
    assert out.splitlines()[1] == "f" and (here / "sub/f").read_text() == "old words"
    assert ls(device, there) == []


def test_quoted_patterns_are_names(place):
    device, here, there = place
    for name in ("a*", "ab", "ac"):
        (here / name).write_text(name)
    script(device, f"cd {there}\nlcd {here}\nput a* .\nrm 'a*'\n")
    assert ls(device, there) == ["ab", "ac"]
    script(device, f"cd {there}\nrm a*\n")
    assert ls(device, there) == []


@pytest.fixture
def terminal(place):
    device, here, there = place
    t = device.terminal("ftp")
    t.expect(": TLSv1.3")
    ready(t, "/shared")
    t.wait_echo(False)
    yield t
    t.close()


def ready(t, folder):
    """Waits for an empty prompt: with every key the line is drawn anew, prompt and all."""
    t.expect(f"\r{folder}> \x1b[K")


def say(t, line, folder):
    t.send(line + "\r")
    ready(t, folder)


def test_session_with_completion(instance, place, terminal):
    device, here, there = place
    for name in ("report-one", "report-two", "ünï 日本"):
        (here / name).write_text(name)
    t = terminal
    say(t, f"cd {there}", there)
    say(t, f"lcd {here}", there)
    t.send("pu\t")
    t.expect("put ")
    t.send("rep\t")
    t.expect("report-")
    t.send("\t")
    t.expect("report-one")
    t.expect("report-two")
    t.send("o\t")
    t.expect("put report-one ")
    t.send("\r")
    t.expect("verified")
    ready(t, there)
    t.send("put ü\t")
    t.expect("ünï\\ 日本 ")
    t.send("\r")
    t.expect("verified")
    ready(t, there)
    t.send("cat ü\t\r")
    t.expect("cat ünï\\ 日本")
    t.expect("ünï 日本")
    ready(t, there)
    t.send("mkdir inner\r")
    t.expect("mkdir inner")
    ready(t, there)
    t.send("cd i\t")
    t.expect("inner/")
    t.send("\r")
    ready(t, f"{there}/inner")
    # History, and a line changed before it is sent.
    t.send("\x1b[A\x1b[A")
    t.expect("mkdir inner")
    t.send("2\r")
    ready(t, f"{there}/inner")
    t.send("x\x03")
    t.expect("^C")
    t.send("quit\r")
    assert t.status() == 0 and t.echoes()
    assert ls(device, there) == ["inner/", "report-one", "ünï 日本"] and ls(device, f"{there}/inner") == ["inner2/"]
    assert "cat ünï\\ 日本\n" in (device.profiles / "localhost/ftp-history").read_text() or \
        "cat ünï" in (device.profiles / "localhost/ftp-history").read_text()
    t = device.terminal("ftp")
    ready(t, "/shared")
    t.send("\x1b[A")
    t.expect("quit")
    t.send("\r")
    assert t.status() == 0
    t.close()


def test_session_leaves_by_ctrl_d_and_ctrl_c(ann, terminal):
    terminal.send("\x04")
    assert terminal.status() == 0 and terminal.echoes()
    t = ann.terminal("ftp")
    ready(t, "/shared")
    t.send("\x03")
    assert t.status() == INTERRUPTED and t.echoes()
    t.close()


def test_session_says_what_failed_and_goes_on(terminal):
    for line, told in (("bogus", "no command"), ("get 'x", "quote is not closed"), ("rm /shared/none", "nothing of that name"),
                       ("get", "words are missing"), ("help get", "usage: get ")):
        terminal.send(line + "\r")
        terminal.expect(told)
        ready(terminal, "/shared")
    terminal.send("CLOSE\r")
    assert terminal.status() == 0


def test_ctrl_c_in_a_transfer_returns_to_the_prompt(instance, place, between, terminal):
    device, here, there = place
    big = big_file(here / "big")
    t = terminal
    say(t, f"cd {there}", there)
    between.hold(PART)
    t.send(f"put {big}\r")
    t.expect("%")
    wait_part(between, on_disk(instance, there))
    t.send("\x03")
    t.expect("stopped; ")
    ready(t, there)
    say(t, "pwd", there)
    settled(instance, f"{there}/big")
    between.release()
    t.send(f"put {big}\r")
    t.expect(", from ")
    ready(t, there)
    t.send("quit\r")
    assert t.status() == 0
    assert digest_of(on_disk(instance, f"{there}/big")) == digest_of(big)


def test_ctrl_c_just_after_a_transfer_costs_no_more_than_the_line(place, terminal):
    """It may come when all is sent, or not be needed any more: the person stays at a prompt."""
    device, here, there = place
    (here / "small").write_text("small")
    say(terminal, f"cd {there}", there)
    say(terminal, f"lcd {here}", there)
    for i in range(12):
        terminal.send("put small\r")
        time.sleep(i * 0.004)  # at any moment of it
        terminal.send("x\x03")
        terminal.send("x\x03")
    terminal.send("pwd\r")
    terminal.expect(f"{there}\r\n")
    ready(terminal, there)
    terminal.send("quit\r")
    assert terminal.status() == 0


def test_session_outlives_its_connection(instance, place, terminal):
    """Whoever thinks for long finds the server again."""
    device, here, there = place
    service = next(s for s in instance.services if s.name == "ftpd")
    for pid in service.sessions():
        os.kill(pid, signal.SIGTERM)
    until(lambda: not service.sessions(), what="the end of the session")
    say(terminal, f"cd {there}", there)
    terminal.send("quit\r")
    assert terminal.status() == 0


def test_progress_bar(place, between):
    device, here, there = place
    big = big_file(here / "日本語 a rather long name of a file.bin")
    between.hold(PART)
    t = device.terminal("ftp", "put", big, there)
    t.expect("%")
    t.expect("/s")
    between.release()
    assert t.status() == 0
    assert "\r\x1b[K" in t.text and "verified" in t.text
    t.close()
    between.hold(PART)
    t = device.terminal("ftp", "-q", "put", "--fresh", big, there)
    between.wait_held()
    time.sleep(0.5)  # a bar would have come twice
    between.release()
    assert t.status() == 0 and t.text == ""
    t.close()
