"""quintet ftp against the real ftpd: every command, odd names, trees, sync."""

import os

from device import NO, USAGE, Device
from ftphome import PASSWORD, ann, ls, on_disk, place, sha256, tree  # noqa: F401

ODD = ("two words", "it's", 'say "x"', "-rf", "ünï-日本語", "star*", "what?", "[x]", "back\\slash", "a;b|c&d", "~", "#1")


# -- one command ---------------------------------------------------------------------------------


def test_put_ls_cat_get_rm(instance, place):
    device, here, there = place
    data = os.urandom(3_000_000)
    (here / "a").write_bytes(data)
    os.utime(here / "a", (1_600_000_000, 1_600_000_000))
    assert device.out("ftp", "put", here / "a", f"{there}/b").startswith(f"put {there}/b: 2.8 MiB, ")
    assert device.out("ftp", "put", here / "a", f"{there}/b") == f"put {there}/b: 2.8 MiB, there already, verified\n"
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


def test_a_revoked_certificate_leads_to_the_password(instance, ann):
    device = Device(timeout=20)
    try:
        device.enroll(instance, ann.name, PASSWORD)
        device.run("ca", "revoke", device.json("whoami")["certificate"])
        said = device.err("ftp", "ls", status=NO)
        assert "by this certificate" in said and f"--user {ann.name}" in said and "was revoked" in said
        secret = device.file("secret", PASSWORD + "\n")
        assert "by password" in device.out("ftp", "--user", ann.name, "--password-file", secret, "stat")
    finally:
        device.close()


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
