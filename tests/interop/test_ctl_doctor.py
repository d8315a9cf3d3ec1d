"""quintetctl doctor: what is wrong with a host is found, and what it says to do mends it."""

import json


def doctor(host, status=0):
    rows = json.loads(host.ctl("--json", "doctor", status=status))
    assert all(set(r) == {"what", "state", "detail", "to_do"} for r in rows)
    assert all((r["state"] == "ok") == (r["to_do"] is None) for r in rows), rows
    assert any(r["state"] == "FAILED" for r in rows) == (status == 1)
    return rows


def failed(host):
    return {r["what"]: r for r in doctor(host, status=1) if r["state"] == "FAILED"}


def test_a_good_host(signing):
    rows = {r["what"]: r for r in doctor(signing)}
    assert {"units", "users", "permissions", "credentials", "root's key", "store", "readers", "disk", "inodes",
            "root", "CRL of CA 0", "issuing CA 1", "tls of maild", "tsa of daytimed", "last renewal", "clock", "time",
            "keeper", "signer", "room for files", "mail", "sessions"} <= set(rows)
    assert rows["units"]["detail"] == "not run by systemd"
    assert "shred" in rows["root's key"]["to_do"] and rows["root's key"]["state"] == "warning"
    signing.path("conf/root.key").unlink()
    assert {r["what"]: r["state"] for r in doctor(signing)}["root's key"] == "ok"
    said = signing.ctl("doctor")
    assert "WHAT" in said and "TO DO" in said
    told = {r["what"] for r in json.loads(signing.ctl("--json", "health"))}
    assert told < set(rows), "health is its short form"


def test_a_key_that_others_can_read(signing):
    signing.path("conf/credentials/maild/tls.key").chmod(0o604)
    found = failed(signing)["credentials"]
    assert found["to_do"] == "chmod 600 conf/credentials/maild/tls.key"
    signing.run("/bin/sh", "-c", found["to_do"])
    doctor(signing)


def test_folders_open_to_everybody(signing):
    signing.path("state").chmod(0o2775)
    signing.run("/bin/sh", "-c", failed(signing)["permissions"]["to_do"])
    doctor(signing)


def test_a_certificate_that_is_missing(signing):
    signing.path("conf/credentials/chatd/tls.pem").unlink()
    found = failed(signing)
    assert list(found) == ["tls of chatd"] and found["tls of chatd"]["to_do"] == "quintetctl renew"
    signing.ctl("renew")
    doctor(signing)


def test_nobody_listens(signing):
    signing.signer.stop()
    signing.stop_keeper()
    found = failed(signing)
    assert set(found) == {"signer", "keeper"} and "cad-signer.socket" in found["signer"]["to_do"]


def test_a_disk_without_room_for_files(signing):
    signing.ctl("set", "files_keep_free", "1000T")
    found = failed(signing)
    assert list(found) == ["room for files"] and "files_keep_free" in found["room for files"]["to_do"]


def test_a_host_that_is_not_initialised(bare):
    bare.path("conf").mkdir()
    bare.give(bare.path("conf"))
    found = failed(bare)
    assert "store" in found and "init" in found["store"]["to_do"] and "there is no store" in bare.complaint
