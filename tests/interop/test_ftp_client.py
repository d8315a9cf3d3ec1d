"""quintet ftp against the real ftpd: every command, resumption, sync, odd names, the session."""

import hashlib
import json
import os
import re
import secrets
import signal
import socket
import threading
import time

import pytest

from device import INTERRUPTED, NO, TEMPORARY, UNTRUSTED, USAGE, Device
from instance import until

PASSWORD = "three gentle otters, 1987"
ODD = ("two words", "it's", 'say "x"', "-rf", "ünï-日本語", "star*", "what?", "[x]", "back\\slash", "a;b|c&d", "~", "#1")


@pytest.fixture(scope="module")
def ann(instance):
    """A device enrolled with an account of its own, and that account's folders on the server."""
    device = Device(timeout=20)
    device.name = "ftp" + secrets.token_hex(4)
    device.home = f"/home/{device.name}"
    instance.account(device.name, PASSWORD)
    device.enroll(instance, device.name, PASSWORD)
    yield device
    device.close()


@pytest.fixture
def place(ann):
    """A fresh folder on either side: (device, folder here, folder there)."""
    word = secrets.token_hex(4)
    here = ann.folder / word
    here.mkdir()
    there = f"{ann.home}/{word}"
    ann.run("ftp", "mkdir", "-p", there)
    return ann, here, there


def on_disk(instance, remote):
    return instance.root / "state/files" / remote.lstrip("/")


def ls(device, path, *more):
    return device.out("ftp", "ls", *more, path).splitlines()


def tree(top):
    """Every file below a folder: relative path to content; folders to None."""
    return {str(p.relative_to(top)): None if p.is_dir() else p.read_bytes() for p in sorted(top.rglob("*"))
            if not p.name.startswith(".quintet")}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# -- one command ---------------------------------------------------------------------------------


def test_put_ls_cat_get_rm(instance, place):
    device, here, there = place
    data = os.urandom(3_000_000)
    (here / "a").write_bytes(data)
    os.utime(here / "a", (1_600_000_000, 1_600_000_000))
    assert device.out("ftp", "put", here / "a", f"{there}/b").startswith(f"put {there}/b: 2.8 MiB, ")
    assert on_disk(instance, f"{there}/b").read_bytes() == data
    assert ls(device, there) == ["b"]
    row = device.json("ftp", "ls", there)[0]
    assert row == {"name": "b", "type": "file", "size": 3_000_000, "modified": "2020-09-13T12:26:40Z",
                   "owner": device.name, "sha256": sha256(data)}
    assert f"2020-09-13T12:26:40Z        3000000  {device.name}" in device.out("ftp", "ls", "-l", there)
    device.run("ftp", "get", f"{there}/b", here / "c")
    assert (here / "c").read_bytes() == data and (here / "c").stat().st_mtime == 1_600_000_000
    (here / "t").write_text("text\n")
    device.run("ftp", "put", here / "t", there + "/")
    assert device.out("ftp", "cat", f"{there}/t", f"{there}/t") == "text\ntext\n"
    assert device.out("ftp", "rm", f"{there}/t") == f"deleted {there}/t\n"
    assert ls(device, there) == ["b"]
    result = device.json("ftp", "get", f"{there}/b", here / "d")
    assert result == [{"action": "get", "remote": f"{there}/b", "local": "d", "size": 3_000_000,
                       "sha256": sha256(data), "state": "done"}]
    assert device.out("ftp", "-q", "put", here / "t", there) == ""


def test_log_in_lands_in_shared(ann):
    assert ann.out("ftp", "pwd") == "/shared\n"
    assert ann.json("ftp", "pwd") == {"folder": "/shared"}


def test_stat_shows_tls(ann):
    text = ann.out("ftp", "stat")
    assert "security:  TLSv1.3, TLS_" in text and f"Logged in as {ann.name} by certificate" in text
    assert "TLSv1.3" in ann.json("ftp", "stat")["security"]


def test_df(ann):
    assert ann.json("ftp", "df", ann.home)["available"] > 2**20
    assert "may still be stored" in ann.out("ftp", "df")


def test_folders_and_mv(place):
    device, here, there = place
    device.run("ftp", "mkdir", f"{there}/x")
    assert "already" in device.err("ftp", "mkdir", f"{there}/x", status=NO)
    device.run("ftp", "mkdir", "-p", f"{there}/x", f"{there}/y/z/w")
    assert ls(device, f"{there}/y/z") == ["w/"]
    (here / "1").write_text("1")
    (here / "2").write_text("2")
    device.run("ftp", "put", here / "1", here / "2", there)
    device.run("ftp", "mv", f"{there}/1", f"{there}/2", f"{there}/x")
    device.run("ftp", "mv", f"{there}/x/1", f"{there}/one")
    assert ls(device, there) == ["one", "x/", "y/"] and ls(device, f"{there}/x") == ["2"]
    assert "is no folder" in device.err("ftp", "mv", f"{there}/x/2", f"{there}/y", f"{there}/one", status=NO)
    device.run("ftp", "rmdir", f"{there}/y/z/w")
    device.run("ftp", "rmdir", f"{there}/y", status=NO)
    assert "rm -r" in device.err("ftp", "rm", f"{there}/y", status=NO)
    device.run("ftp", "rm", "-r", f"{there}/y", f"{there}/x")
    assert ls(device, there) == ["one"]


def test_refusals_and_usage(place):
    device, here, there = place
    for args, status, told in (
            (["cat", f"{there}/none"], NO, "no such file or folder"), (["rm", f"{there}/none*"], NO, "nothing matches"),
            (["get", there], NO, "-r fetches it"), (["put", here], NO, "-r sends it"),
            (["put", here / "none"], USAGE, "no such file here"), (["get", "x", here / "no/such/"], NO, "no such"),
            (["put", "/dev/null"], USAGE, "no plain file"), (["ls", "/nowhere"], NO, "no such file or folder"),
            (["mkdir", "/outside"], NO, "the server says"), (["cat", "a\nb"], USAGE, "cannot be a name"),
            (["get"], USAGE, "words are missing"), (["mv", "a"], USAGE, "words are missing"),
            (["bogus"], USAGE, 'no command "bogus"'), (["cd", "/"], USAGE, 'no command "cd"'),
            (["sync", "left", here, there], USAGE, "up or down"), (["sync", "up", here], USAGE, "words are missing"),
            (["ls", "--delete"], USAGE, "no option --delete"), (["--delete", "ls"], USAGE, "--delete is not for ls"),
            (["pwd", "x"], USAGE, "one word too many"), (["--parallel", "9", "ls"], USAGE, "1 to 8"),
            (["cat", "--json", "x"], USAGE, "prints the files"), (["-n", "0", "ls"], USAGE, "1 to 8")):
        assert told in device.err("ftp", *args, status=status), args


def test_password_instead_of_certificate(instance, ann):
    secret = ann.file("secret", PASSWORD + "\n")
    text = ann.out("ftp", "--user", ann.name, "--password-file", secret, "stat")
    assert "by password" in text
    wrong = ann.file("wrong", "no such otters at all\n")
    assert "does not let" in ann.err("ftp", "-u", ann.name, "-P", wrong, "ls", status=NO)
    t = ann.terminal("ftp", "--user", ann.name, "pwd")
    t.answer("Password: ", PASSWORD)
    t.expect("/shared")
    assert t.status() == 0 and PASSWORD not in t.text
    t.close()


def test_odd_names(instance, place):
    device, here, there = place
    for name in ODD:
        (here / name).write_text(name)
    device.run("ftp", "put", "--", *[here / name for name in ODD], there)
    assert sorted(ls(device, there)) == sorted(ODD)
    assert {p.name: p.read_text() for p in on_disk(instance, there).iterdir()} == {name: name for name in ODD}
    for name in ODD:
        assert device.out("ftp", "cat", f"{there}/{name}") == name
        assert [row["name"] for row in device.json("ftp", "ls", f"{there}/{name}")] == [f"{there}/{name}"]
    back = here / "back"
    back.mkdir()
    device.run("ftp", "get", *[f"{there}/{name}" for name in ODD], back)
    assert {p.name: p.read_text() for p in back.iterdir()} == {name: name for name in ODD}
    # A name that is there is meant, not what it would match.
    device.run("ftp", "rm", f"{there}/star*", f"{there}/[x]")
    assert sorted(ls(device, there)) == sorted(set(ODD) - {"star*", "[x]"})


def test_names_that_the_server_cannot_take(place):
    device, here, there = place
    top = here / "t"
    top.mkdir()
    (top / "good").write_text("1")
    os.close(os.open(os.fsencode(top) + b"/bad\xff", os.O_CREAT | os.O_WRONLY))
    (top / "new\nline").write_text("2")
    said = device.err("ftp", "put", "-r", top, there, status=NO)
    assert said.count("takes no such name") == 2 and "\\xff" in said and "\\x0a" in said
    assert ls(device, f"{there}/t") == ["good"]


def test_globs(place):
    device, here, there = place
    for name in ("a1.txt", "a2.txt", "b1.txt", ".hidden.txt", "c.bin"):
        (here / name).write_text(name)
    device.run("ftp", "put", *here.iterdir(), there)
    device.run("ftp", "mkdir", f"{there}/d1", f"{there}/d2", f"{there}/e")
    device.run("ftp", "put", here / "a1.txt", f"{there}/d1")
    device.run("ftp", "put", here / "a1.txt", f"{there}/d2")
    for pattern, found in (("*.txt", ["a1.txt", "a2.txt", "b1.txt"]), ("?1.txt", ["a1.txt", "b1.txt"]),
                           ("[!a]*.*", ["b1.txt", "c.bin"]), (".h*", [".hidden.txt"]),
                           ("d*/a*", ["d1/a1.txt", "d2/a1.txt"]), ("[a-b]1.*", ["a1.txt", "b1.txt"])):
        assert ls(device, f"{there}/{pattern}") == [f"{there}/{name}" for name in found], pattern
    assert device.out("ftp", "cat", f"{there}/d?/a1.txt") == "a1.txta1.txt"
    device.run("ftp", "get", f"{there}/*.txt", here / "none", status=USAGE)
    device.run("ftp", "rm", f"{there}/*.txt")
    assert ls(device, there) == [".hidden.txt", "c.bin", "d1/", "d2/", "e/"]


def test_empty_files(instance, place):
    device, here, there = place
    (here / "empty").touch()
    device.run("ftp", "put", here / "empty", there)
    assert on_disk(instance, f"{there}/empty").stat().st_size == 0
    device.run("ftp", "get", f"{there}/empty", here / "back")
    assert (here / "back").read_bytes() == b""
    assert device.out("ftp", "cat", f"{there}/empty") == ""


# -- trees ---------------------------------------------------------------------------------------


def make_tree(top):
    for name, text in (("1", "one"), ("sub/2", "two"), ("sub/deep/er/3", "three"), ("sub/ü 日", "wide"), ("z/.dot", "")):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    (top / "hollow").mkdir()


def test_recursive_put_get_rm(instance, place):
    device, here, there = place
    make_tree(here / "t")
    device.run("ftp", "put", "-r", here / "t", there)
    assert tree(on_disk(instance, there) / "t") == tree(here / "t")
    device.run("ftp", "get", "-r", f"{there}/t", here / "new")  # not there: becomes it
    assert tree(here / "new") == tree(here / "t")
    device.run("ftp", "get", "-r", f"{there}/t", here / "new")  # there: goes into it
    assert tree(here / "new/t") == tree(here / "t")
    device.run("ftp", "rm", "-r", f"{there}/t")
    assert ls(device, there) == []


def test_links_are_not_followed(instance, place):
    device, here, there = place
    make_tree(here / "t")
    (here / "t/link").symlink_to("/etc/passwd")
    (here / "t/away").symlink_to("/etc")
    said = device.err("ftp", "put", "-r", here / "t", there, status=NO)
    assert said.count("is a symbolic link; left out") == 2
    assert "link" not in ls(device, f"{there}/t") and "away/" not in ls(device, f"{there}/t")
    # And here: a link in the way of what comes is neither followed nor replaced.
    outside = here / "outside"
    outside.mkdir()
    (here / "new").mkdir()
    (here / "new/sub").symlink_to(outside)
    (here / "new/1").symlink_to(outside / "1")
    said = device.err("ftp", "get", "-r", f"{there}/t/1", f"{there}/t/sub", here / "new", status=USAGE)
    assert "link" in said
    assert list(outside.iterdir()) == [] and (here / "new/1").is_symlink()


def test_many_files_at_once(instance, place):
    device, here, there = place
    (here / "t").mkdir()
    for i in range(120):
        (here / f"t/f{i}").write_bytes(os.urandom(i * 50))
    device.run("ftp", "-n", "8", "put", "-r", here / "t", there)
    assert tree(on_disk(instance, there) / "t") == tree(here / "t")
    rows = device.json("ftp", "-n", "8", "get", "-r", f"{there}/t", here / "b")
    assert len(rows) == 120 and all(row["state"] == "done" for row in rows)
    assert tree(here / "b") == tree(here / "t")


# -- sync ----------------------------------------------------------------------------------------


def test_sync_both_ways(instance, place):
    device, here, there = place
    make_tree(here / "t")
    far = f"{there}/mirror/deep"
    plan = device.json("ftp", "sync", "up", "--dry-run", here / "t", far)
    assert {(row["action"], row["path"]) for row in plan} == {
        ("copy", "1"), ("copy", "sub/2"), ("copy", "sub/deep/er/3"), ("copy", "sub/ü 日"), ("copy", "z/.dot"),
        ("mkdir", "sub"), ("mkdir", "sub/deep"), ("mkdir", "sub/deep/er"), ("mkdir", "z"), ("mkdir", "hollow")}
    assert not on_disk(instance, f"{there}/mirror").exists()
    assert device.out("ftp", "sync", "up", here / "t", far).endswith("5 copied, 0 deleted, 0 the same\n")
    assert tree(on_disk(instance, far)) == tree(here / "t")
    assert device.out("ftp", "sync", "up", here / "t", far) == "0 copied, 0 deleted, 5 the same\n"
    # Same size and time, other bytes: the digest tells.
    old = (here / "t/1").stat()
    (here / "t/1").write_text("eno")
    os.utime(here / "t/1", ns=(old.st_mtime_ns, old.st_mtime_ns))
    (here / "t/sub/2").unlink()
    (here / "t/sub/4").write_text("four")
    out = device.out("ftp", "sync", "up", here / "t", far)
    assert out.endswith("2 copied, 0 deleted, 3 the same\n") and "/sub/2" not in out
    assert on_disk(instance, f"{far}/sub/2").exists()
    assert device.out("ftp", "sync", "up", "--delete", here / "t", far).endswith("0 copied, 1 deleted, 5 the same\n")
    assert tree(on_disk(instance, far)) == tree(here / "t")
    assert device.out("ftp", "sync", "down", far, here / "x", status=USAGE) == ""
    assert device.out("ftp", "sync", "down", here / "d", far).endswith("5 copied, 0 deleted, 0 the same\n")
    assert tree(here / "d") == tree(here / "t")
    (here / "d/extra/x").parent.mkdir()
    (here / "d/extra/x").write_text("x")
    (here / "d/1").unlink()
    assert [row["action"] for row in device.json("ftp", "sync", "down", "--delete", "--dry-run", here / "d", far)] == \
        ["copy", "delete", "delete"]
    device.run("ftp", "sync", "down", "--delete", here / "d", far)
    assert tree(here / "d") == tree(here / "t")


def test_sync_of_a_file_that_is_a_folder_there(instance, place):
    device, here, there = place
    (here / "t/a").mkdir(parents=True)
    (here / "t/a/1").write_text("1")
    (here / "t/b").write_text("b")
    (here / "u/b").mkdir(parents=True)
    (here / "u/b/2").write_text("2")
    (here / "u/a").write_text("a")
    device.run("ftp", "sync", "up", here / "t", f"{there}/s")
    said = device.err("ftp", "sync", "up", here / "u", f"{there}/s", status=NO)
    assert said.count("--delete replaces it") == 2
    assert tree(on_disk(instance, f"{there}/s")) == tree(here / "t")
    device.run("ftp", "sync", "up", "--delete", here / "u", f"{there}/s")
    assert tree(on_disk(instance, f"{there}/s")) == tree(here / "u")


def test_a_source_that_cannot_be_read_whole_deletes_nothing(instance, place):
    device, here, there = place
    make_tree(here / "t")
    device.run("ftp", "sync", "up", here / "t", f"{there}/s")
    (here / "t/1").unlink()
    (here / "t/1").symlink_to("/etc/passwd")
    said = device.err("ftp", "sync", "up", "--delete", here / "t", f"{there}/s", status=NO)
    assert "nothing is deleted" in said and on_disk(instance, f"{there}/s/1").read_text() == "one"


# -- what goes wrong on the line -----------------------------------------------------------------


class Cutter:
    """Stands between a device and the door, and cuts control connections when told."""

    def __init__(self, port):
        self.port, self.pairs, self.count = port, [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.own_port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.port))
            self.count += 1
            self.pairs.append((near, far))
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self.copy, args=(a, b), daemon=True).start()

    def copy(self, a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        pairs, self.pairs = self.pairs, []
        for near, far in pairs:
            for s in (near, far):
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                s.close()

    def close(self):
        self.listener.close()
        self.cut()


@pytest.fixture
def cutter(instance, ann):
    """The device's door "ftps" leads through it while the test runs; at 127.0.0.1."""
    between = Cutter(instance.ports["ftps"])
    directory = ann.profiles / "localhost/directory"
    account = ann.profiles / "localhost/account"
    kept = {path: path.read_text() for path in (directory, account)}
    directory.write_text(kept[directory].replace(f" ftps {instance.ports['ftps']}", f" ftps {between.own_port}"))
    account.write_text(kept[account].replace("localhost", "127.0.0.1"))
    assert str(between.own_port) in directory.read_text()
    yield between
    for path, text in kept.items():
        path.write_text(text)
    between.close()


def biggest(folder):
    """The size of the largest file that is on its way into a folder."""
    return max((p.stat().st_size for p in folder.glob(".*") if p.is_file()), default=0)


def last_bytes(instance, verb, remote):
    """How much the last complete transfer of a file moved, says the server."""
    found = re.findall(rf'transfer done .* VERB="{verb}" PATH="{remote}" BYTES="(\d+)"', instance.log_text())
    return int(found[-1])


def settled(instance, remote):
    """Waits until the server has put an interrupted upload aside: it notices when it notices."""
    until(lambda: re.search(rf'transfer failed .* VERB="STOR" PATH="{remote}"', instance.log_text()), what="the end")


BIG = 400 * 2**20


def big_file(path):
    """Mostly holes, so that it costs no disk; with marks that would show a slip."""
    with open(path, "wb") as f:
        f.truncate(BIG)
        for at in range(0, BIG, 16 * 2**20):
            f.seek(at)
            f.write(secrets.token_bytes(64))
    return path


def digest_of(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while chunk := f.read(2**20):
            h.update(chunk)
    return h.hexdigest()


def test_put_goes_on_after_a_cut(instance, place, cutter):
    device, here, there = place
    big = big_file(here / "big")
    process = device.start("ftp", "put", big, there)
    until(lambda: biggest(on_disk(instance, there)) > 30 * 2**20, what="an upload under way")
    cutter.cut()
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert digest_of(on_disk(instance, f"{there}/big")) == digest_of(big) and cutter.count >= 2
    assert 0 < last_bytes(instance, "STOR", f"{there}/big") < BIG


def test_get_goes_on_after_a_cut(instance, place, cutter):
    device, here, there = place
    big = big_file(here / "big")
    device.run("ftp", "put", big, there)
    target = here / "target"
    target.mkdir()
    process = device.start("ftp", "get", f"{there}/big", target)
    until(lambda: biggest(target) > 30 * 2**20, what="a download under way")
    cutter.cut()
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert 0 < last_bytes(instance, "RETR", f"{there}/big") < BIG
    assert digest_of(target / "big") == digest_of(big) and [p.name for p in target.iterdir()] == ["big"]


@pytest.mark.parametrize("way", ["put", "get"])
def test_ctrl_c_keeps_the_part(instance, place, way):
    device, here, there = place
    big = big_file(here / "big")
    target = here / "target"
    target.mkdir()
    args, folder = (["put", big, there], on_disk(instance, there)) if way == "put" else \
        (["get", f"{there}/big", target], target)
    if way == "get":
        device.run("ftp", "put", big, there)
    process = device.start("ftp", *args)
    until(lambda: biggest(folder) > 30 * 2**20, what="a transfer under way")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (INTERRUPTED, "")
    assert not (folder / "big").exists()
    if way == "put":
        settled(instance, f"{there}/big")
    out = device.out("ftp", *args)
    assert ", from " in out and digest_of(folder / "big") == digest_of(big)
    # From the beginning when asked to.
    assert ", from " not in device.out("ftp", args[0], "--fresh", *args[1:])


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
    assert ls(device, there) == ["a/"] and "no such file" in done.stderr
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
    t.expect("/shared> ")
    t.wait_echo(False)
    yield t
    t.close()


def say(t, line, prompt):
    t.send(line + "\r")
    t.expect(prompt + "> ")


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
    t.expect("> ")
    t.send("put ü\t")
    t.expect("ünï\\ 日本 ")
    t.send("\r")
    t.expect("verified")
    t.expect("> ")
    t.send("cat ü\t\r")
    t.expect("cat ünï\\ 日本")
    t.expect("ünï 日本")
    t.send("mkdir inner\r")
    t.expect("mkdir inner")
    t.expect("> ")
    t.send("cd i\t")
    t.expect("inner/")
    t.send("\r")
    t.expect(f"{there}/inner> ")
    # History, and a line changed before it is sent.
    t.send("\x1b[A\x1b[A")
    t.expect("mkdir inner")
    t.send("2\r")
    t.expect(f"{there}/inner> ")
    t.send("x\x03")
    t.expect("^C")
    t.send("quit\r")
    assert t.status() == 0 and t.echoes()
    assert ls(device, there) == ["inner/", "report-one", "ünï 日本"] and ls(device, f"{there}/inner") == ["inner2/"]
    assert "cat ünï\\ 日本\n" in (device.profiles / "localhost/ftp-history").read_text() or \
        "cat ünï" in (device.profiles / "localhost/ftp-history").read_text()
    t = device.terminal("ftp")
    t.expect("/shared> ")
    t.send("\x1b[A")
    t.expect("quit")
    t.send("\r")
    assert t.status() == 0
    t.close()


def test_session_leaves_by_ctrl_d_and_ctrl_c(ann, terminal):
    terminal.send("\x04")
    assert terminal.status() == 0 and terminal.echoes()
    t = ann.terminal("ftp")
    t.expect("/shared> ")
    t.send("\x03")
    assert t.status() == INTERRUPTED and t.echoes()
    t.close()


def test_session_says_what_failed_and_goes_on(terminal):
    for line, told in (("bogus", "no command"), ("get 'x", "quote is not closed"), ("rm /shared/none", "no such file"),
                       ("get", "words are missing"), ("help get", "usage: get ")):
        terminal.send(line + "\r")
        terminal.expect(told)
        terminal.expect("/shared> ")
    terminal.send("CLOSE\r")
    assert terminal.status() == 0


def test_ctrl_c_in_a_transfer_returns_to_the_prompt(instance, place, terminal):
    device, here, there = place
    big = big_file(here / "big")
    t = terminal
    say(t, f"cd {there}", there)
    t.send(f"put {big}\r")
    t.expect("%")
    until(lambda: biggest(on_disk(instance, there)) > 30 * 2**20, what="an upload under way")
    t.send("\x03")
    t.expect("stopped; ")
    t.expect(f"{there}> ")
    say(t, "pwd", there)
    settled(instance, f"{there}/big")
    t.send(f"put {big}\r")
    t.expect(", from ", seconds=60)
    t.expect(f"{there}> ")
    t.send("quit\r")
    assert t.status() == 0
    assert digest_of(on_disk(instance, f"{there}/big")) == digest_of(big)


def test_session_outlives_its_connection(instance, place, terminal):
    """Whoever thinks for long finds the server again."""
    device, here, there = place
    service = next(s for s in instance.services if s.name == "ftpd")
    for pid in service.sessions():
        os.kill(pid, signal.SIGTERM)
    time.sleep(0.3)
    say(terminal, f"cd {there}", there)
    terminal.send("quit\r")
    assert terminal.status() == 0


def test_progress_bar(place):
    device, here, there = place
    big = big_file(here / "日本語 a rather long name of a file.bin")
    t = device.terminal("ftp", "put", big, there)
    t.expect("%")
    t.expect("/s")
    assert t.status(60) == 0
    assert "\r\x1b[K" in t.text and "verified" in t.text
    t.close()
    t = device.terminal("ftp", "-q", "put", big, there)
    assert t.status(60) == 0 and t.text == ""
    t.close()
