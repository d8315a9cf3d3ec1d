"""quintetctl and ftpd's files: settings, the switch of an account, the tree's way through backup and
restore, what the sweep and health say of it."""
import hashlib
import json
import os
import time

import pytest

from ftps import PASSWORD, Ftps
from instance import KEPT

SETTINGS = {
    "files_delete": ("owner", "all", "anybody"), "files_keep_free": ("64M", "1G", "-1"),
    "files_partial": ("7d", "12h", "2s"), "files_quota": ("10G", "0", "lots"),
    "ftp_active": ("no", "yes", "maybe"), "ftp_unbound": ("no", "yes", "1"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(host, name):
    standard, other, bad = SETTINGS[name]
    rows = {r["setting"]: r for r in host.json("get")}
    assert rows[name]["value"] == rows[name]["default"] == standard and rows[name]["meaning"]
    host.ctl("set", name, bad, status=1)
    host.ctl("set", name, other)
    assert host.ctl("get", name) == other + "\n"
    host.ctl("set", name, "--default")
    assert host.ctl("get", name) == standard + "\n"


def test_switch_for_data_connections(host):
    host.add_user("alice")
    assert host.json("user", "show", "alice")["ftp_unbound"] is False
    assert "need not" in host.ctl("user", "ftp-unbound", "alice", "on")
    shown = host.json("user", "show", "alice")
    assert shown["ftp_unbound"] is True and (shown["role"], shown["state"]) == ("user", "open")
    assert "must" in host.ctl("user", "ftp-unbound", "alice", "off")
    assert host.json("user", "show", "alice")["ftp_unbound"] is False
    host.ctl("user", "ftp-unbound", "alice", "maybe", status=100)
    host.ctl("user", "ftp-unbound", "nobody-here", "on", status=1)
    assert "account-flags" in host.ctl("audit", "list")


def test_usage_and_quota_are_shown(host):
    host.add_user("alice")
    row = {r["name"]: r for r in host.json("user", "list")}["alice"]
    assert (row["files"], row["bytes"], row["quota"]) == (0, 0, 10 << 30)
    host.ctl("set", "files_quota", "5M")
    shown = host.json("user", "show", "alice")
    assert (shown["quota"], shown["interrupted_uploads_bytes"], shown["reserved_bytes"]) == (5 << 20, 0, 0)
    assert "QUOTA" in host.ctl("user", "list")


def test_removing_an_account_tells_where_its_files_stay(host):
    host.add_user("alice")
    home = host.path("state/files/home/alice")
    home.mkdir(parents=True)
    (home / "letter").write_text("dear")
    said = host.ctl("user", "remove", "alice")
    assert "files stay" in said and "state/files/home/alice" in said
    assert (home / "letter").read_text() == "dear"


def ids(path):
    st = path.stat()
    return st.st_uid, st.st_gid


def fill(host):
    shared = host.path("state/files/shared")
    shared.mkdir(parents=True, exist_ok=True)
    (shared / "folder").mkdir()
    (shared / "folder/plain").write_text("dropped in")
    (shared / ".quintet-0123").write_text("half an upl")
    (shared / "link").symlink_to("/etc/passwd")
    for path in (shared, *shared.rglob("*")):
        os.chown(path, *ids(host.path("state")), follow_symlinks=False)
    return shared


def test_backup_and_restore_of_the_tree(host):
    shared = fill(host)
    host.ctl("backup", "copy")
    copy = host.path("copy/state/files/shared")
    assert sorted(p.name for p in copy.iterdir()) == ["folder"]
    host.path("state").rename(host.path("before"))
    host.path("state").mkdir()
    os.chown(host.path("state"), *ids(host.path("before")))
    shared.mkdir(parents=True)
    for path in (shared.parent, shared):
        os.chown(path, *ids(host.path("state")))
    (shared / "precious").write_text("newer than the backup")
    host.ctl("restore", "copy", status=1)
    assert "holds files already" in host.complaint
    assert (shared / "precious").read_text() == "newer than the backup"
    (shared / "precious").unlink()
    host.ctl("restore", "copy")
    assert (shared / "folder/plain").read_text() == "dropped in"
    assert sorted(p.name for p in shared.iterdir()) == ["folder"]
    assert sorted(p.name for p in shared.parent.iterdir() if p.name.startswith(".")) == []
    host.ctl("check")


def test_sweep_of_temporaries(host):
    shared = fill(host)
    assert host.json("sweep")["files_removed"] == 0
    old = time.time() - 2 * 86400
    os.utime(shared / ".quintet-0123", (old, old))
    assert host.json("sweep")["files_removed"] == 1
    assert sorted(p.name for p in shared.iterdir()) == ["folder", "link"]


def test_health_tells_of_room(host):
    host.path("state/files").mkdir(exist_ok=True)
    rows = {r["what"]: r for r in host.json("health", status=1)}  # there is no signer
    assert rows["files"]["state"] == "ok" and "MiB free" in rows["room for files"]["detail"]
    host.ctl("set", "files_keep_free", "1000T")
    rows = {r["what"]: r for r in host.json("health", status=1)}
    assert rows["room for files"]["state"] == "FAILED"


# -- with ftpd -----------------------------------------------------------------------------------------

@pytest.fixture(name="house")
def fixture_house(make_instance):
    """An instance with ftpd and two accounts."""
    house = make_instance()
    for name in ("alice", "bert"):
        house.account(name, PASSWORD)
    house.start("ftpd")
    return house


def log_in(house, name):
    client = Ftps(house)
    client.login(name)
    return client


def shown(house, name):
    return json.loads(house.ctl("--json", "user", "show", name).stdout)


def facts(client, path):
    line = client.expect(f"MLST {path}", 250).lines[1]
    return dict(f.split("=", 1) for f in line.split(" ")[1].rstrip(";").split(";"))


def test_usage_follows_uploads(house):
    alice = log_in(house, "alice")
    assert alice.put("one", b"x" * 1000).code == 226
    assert alice.put("/home/alice/two", b"y" * 500).code == 226
    assert alice.cut("three", b"z" * 70000).code == 426
    row = shown(house, "alice")
    assert (row["files"], row["bytes"], row["reserved_bytes"]) == (2, 1500, 0)
    assert 0 < row["interrupted_uploads_bytes"] <= 70000
    alice.expect("DELE one", 250)
    row = shown(house, "alice")
    assert (row["files"], row["bytes"]) == (1, 500)
    house.ctl("check")


def test_lowered_quota_stops_uploads_only(house):
    alice, bert = log_in(house, "alice"), log_in(house, "bert")
    assert alice.put("one", b"x" * 3000).code == 226
    house.ctl("set", "files_quota", "2K")
    alice.passive()
    alice.expect("STOR two", 552)
    assert alice.get("RETR one") == b"x" * 3000
    assert bert.put("two", b"y" * 2048).code == 226
    alice.expect("DELE one", 250)
    assert alice.put("one", b"x" * 2048).code == 226
    house.ctl("check")


def test_owners_and_digests_through_backup_and_restore(house):
    alice, bert = log_in(house, "alice"), log_in(house, "bert")
    assert alice.put("hers", b"hers").code == 226
    assert bert.put("his", b"his").code == 226
    assert alice.cut("cut", b"half" * 10000).code == 426
    house.ctl("backup", "copy")
    house.path("state").rename(house.path("before"))
    house.path("state").mkdir(mode=0o700)
    house.give(house.path("state"))
    if KEPT:
        refused = house.ctl("restore", "copy", check=False)
        assert refused.returncode == 1 and "stop all services" in refused.stderr
    house.stop_keeper()
    house.ctl("restore", "copy")
    house.ctl("check")
    if KEPT:
        house.start_keeper()
    again = log_in(house, "alice")
    found = facts(again, "hers")
    assert found["UNIX.ownername"] == "alice"
    assert found["X.sha256"] == hashlib.sha256(b"hers").hexdigest()
    assert facts(again, "his")["UNIX.ownername"] == "bert"
    again.expect("DELE his", 550)
    again.expect("SIZE cut", 550)
    assert again.get("RETR his") == b"his"
    assert shown(house, "alice")["interrupted_uploads_bytes"] == 0
    assert [p.name for p in house.path("state/files/shared").iterdir()
            if p.name.startswith(".")] == []


def test_what_is_removed_by_hand_is_forgotten_by_the_sweep(house):
    alice = log_in(house, "alice")
    assert alice.put("one", b"x" * 1000).code == 226
    assert alice.put("two", b"y" * 10).code == 226
    house.path("state/files/shared/one").unlink()
    swept = json.loads(house.ctl("--json", "sweep").stdout)
    assert swept["rows_removed"] == 0  # an upload may be under way: not within the hour
    assert shown(house, "alice")["bytes"] == 1010
    assert alice.put("one", b"z" * 20).code == 226
    assert shown(house, "alice")["bytes"] == 30


def test_a_removed_account_leaves_its_files_to_nobody_new(house):
    alice = log_in(house, "alice")
    assert alice.put("one", b"x" * 1000).code == 226
    alice.close()
    said = house.ctl("user", "remove", "alice").stdout
    assert "1 (1000 bytes)" in said and "files/home/alice" in said
    bert = log_in(house, "bert")
    assert facts(bert, "one")["UNIX.ownername"] == "alice"
    bert.expect("DELE one", 550)
    secret = "work/alice.password"
    warned = house.ctl("user", "add", "alice", "--password-file", secret).stderr
    assert "former account alice are the new one's now: 1" in warned
