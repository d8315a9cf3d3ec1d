"""The administrator's eyes on the real thing: doctor, top, metrics, and their rights."""

import json

import pytest

METRICS = "http://127.0.0.1:9547/metrics"


def doctor(house, status=0):
    done = house.machine.run("quintetctl", "--json", "doctor", check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def failed(house):
    return {r["what"]: r for r in doctor(house, status=1) if r["state"] == "FAILED"}


def test_a_house_as_installed_is_well(house):
    rows = {r["what"]: r for r in doctor(house)}
    assert rows["doors"]["detail"] == "all 10 are listened on"
    assert rows["renewal"]["state"] == rows["permissions"]["state"] == rows["users"]["state"] == "ok"
    assert rows["keeper"]["detail"] == rows["signer"]["detail"] == "takes connections"


def test_doctor_finds_and_tells_what_to_do(house):
    machine = house.machine
    machine.run("systemctl", "stop", "chatd.socket", "quintet-renew.timer")
    machine.run("sh", "-c", "chmod 775 /var/lib/quintet/blobs; chmod 644 /etc/quintet/credentials/cad/tls.key")
    found = failed(house)
    assert set(found) == {"doors", "renewal", "permissions", "credentials"}
    assert found["doors"]["detail"] == "shut: chatd"
    for row in found.values():
        machine.run("sh", "-c", row["to_do"])
    doctor(house)


def test_top_sees_units_and_memory(house):
    session = house.daytime()
    seen = []

    def look():
        seen[:] = json.loads(house.ctl("--json", "top"))
        return seen
    house.wait_until(look)
    session.close()
    assert seen[0]["service"] == "daytimed" and seen[0]["unit"].startswith("daytimed@")
    assert seen[0]["memory"] > 100_000 and seen[0]["peer"]


def figures(house):
    text = house.machine.outside("curl", "-sS", "--fail", METRICS).stdout
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def test_metrics_on_request(house):
    machine = house.machine
    assert machine.run("systemctl", "is-active", "quintet-metrics.socket", check=False).stdout == "inactive\n"
    machine.run("systemctl", "enable", "--now", "quintet-metrics.socket")
    try:
        session = house.daytime()
        house.wait_until(lambda: figures(house)['quintet_sessions{service="daytimed"}'] != "0")
        session.close()
        values = figures(house)
        assert values["quintet_keeper_up"] == values["quintet_signer_up"] == "1"
        assert float(values['quintet_certificate_seconds_left{name="tls"}']) > 80 * 86400
        machine.run("systemctl", "stop", "cad-signer.socket")
        assert figures(house)["quintet_signer_up"] == "0", "known without being let in"
        machine.run("systemctl", "start", "cad-signer.socket")
        listens = machine.property("quintet-metrics.socket", "Listen")
        assert sorted(line.split()[0] for line in listens.splitlines()) == ["127.0.0.1:9547", "[::1]:9547"]
    finally:
        machine.run("systemctl", "disable", "--now", "quintet-metrics.socket")


def test_the_metrics_user_may_change_nothing(house):
    """Neither the store's files nor, by the keeper, what is in it."""
    run = house.machine.run
    for path in ("/var/lib/quintet/store/data.mdb", "/var/lib/quintet/store", "/etc/quintet/quintet.env"):
        done = run("setpriv", "--reuid=quintet-metrics", "--regid=quintet-metrics", "--init-groups",
                   "test", "-w", path, check=False)
        assert done.returncode == 1, path
    groups = run("id", "-nG", "quintet-metrics").stdout.split()
    assert set(groups) == {"quintet-metrics", "quintet"}


@pytest.mark.parametrize("fate", [("delete",), ("give", "--to", "takes")])
def test_what_an_account_leaves(house, tmp_path, fate):
    """ftpd made it, and another user disposes of it."""
    machine = house.machine
    name = f"leaves-{fate[0]}"
    house.enrol(tmp_path, name)
    if fate[0] == "give":
        house.enrol(tmp_path, "takes")
    (tmp_path / "file").write_text("work of years")
    for path in (f"/home/{name}/deep/er/one", f"/shared/{name}/two"):
        house.curl(name, "--ftp-create-dirs", "-T", tmp_path / "file", f"ftps://localhost/{path}")
    house.ctl("user", "remove", "--files", *fate, name)
    files = machine.run("find", "/var/lib/quintet/files", "-name", "one", "-o", "-name", "two").stdout.split()
    kept = {"delete": [], "give": ["home/takes/leaves-give/deep/er/one", "shared/leaves-give/two"]}[fate[0]]
    assert sorted(files) == [f"/var/lib/quintet/files/{path}" for path in kept]
    if kept:
        got = house.curl("takes", "ftps://localhost//home/takes/leaves-give/deep/er/one").stdout
        assert got == "work of years"
        assert json.loads(house.ctl("--json", "user", "show", "takes"))["files"] == 2
    house.ctl("check")
