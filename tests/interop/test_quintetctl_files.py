"""quintetctl and ftpd's files: settings, the switch of an account, the tree's way through backup and
restore, what the sweep and health say of it."""
import os
import time

import pytest

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
