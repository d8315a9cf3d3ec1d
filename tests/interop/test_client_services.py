"""The client against the real services: time, stamps, the authority, status, and what breaks."""

import json
import os
import re
import secrets
import shutil
import subprocess
import time

import pytest

from device import NO, OK, TEMPORARY, UNTRUSTED, USAGE, INTERRUPTED, Device
from instance import SERVICES, until

PASSWORD = "three gentle otters, 1987"
LINE = r"\w+day \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d"


@pytest.fixture(scope="module")
def enrolled(instance):
    """A device that no test changes for good."""
    device = Device()
    instance.account("carol", PASSWORD)
    device.enroll(instance, "carol", PASSWORD)
    yield device
    device.close()


@pytest.fixture
def device(instance):
    """One of a test's own, enrolled."""
    made = Device()
    name = "dan" + secrets.token_hex(4)
    instance.account(name, PASSWORD)
    made.enroll(instance, name, PASSWORD)
    yield made
    made.close()


@pytest.fixture
def own(make_instance):
    """An instance of a test's own with an account eve, and services started by the test."""
    made = make_instance()
    made.account("eve", PASSWORD)
    return made


def serial(device):
    return device.json("whoami")["certificate"]


# -- time ----------------------------------------------------------------------------------------


def test_daytime_in_all_forms(enrolled):
    assert re.fullmatch(LINE + "\n", enrolled.out("daytime"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d\n", enrolled.out("daytime", "--rfc3339"))
    assert abs(float(enrolled.out("daytime", "--epoch")) - time.time()) < 20
    assert re.fullmatch(LINE + "\n", enrolled.out("daytime", "--zone", "Asia/Kolkata"))
    assert enrolled.json("daytime", "--zone=Asia/Kolkata")["time"].endswith("+05:30")
    assert enrolled.err("daytime", "--zone", "Mars/Olympus", status=NO) == "quintet: localhost says: no such zone\n"
    for zone in ("a b", "x" * 70, "a\nb"):
        assert "no zone's name" in enrolled.err("daytime", "--zone", zone, status=USAGE)


def test_offset(enrolled):
    measured = enrolled.json("daytime", "--offset")
    assert abs(measured["offset_s"]) < 0.5 and measured["bound_s"] > 0
    assert measured["server_clock"] in ("synchronised", "unsynchronised")
    text = enrolled.out("daytime", "--offset")
    assert re.search(r"^offset: +[+-]\d+\.\d{6} s$", text, re.M) and "agree within the bound" in text


def test_dialogue_through_a_pipe(enrolled):
    lines = enrolled.out("daytime", "-i", input="daytime\nwhoami\n\nbogus\ndaytime epoch\nend\nnot sent\n").splitlines()
    assert re.match(r"TLSv1\.3, TLS_\w+; certificate of localhost, issued by .*, verified, valid until ", lines[0])
    assert re.fullmatch(LINE, lines[1]) and lines[2].startswith("requests: ")
    assert re.fullmatch(LINE, lines[3]) and lines[4:6] == ["whoami carol", "error: unknown request, try help"]
    assert re.fullmatch(r"\d+\.\d{6}", lines[6]) and len(lines) == 7
    ended = enrolled.out("daytime", "-i", input="daytime").splitlines()
    assert len(ended) == 4 and re.fullmatch(LINE, ended[3])
    odd = enrolled.out("daytime", "-i", input="x" * 500 + "\n\x1b[2J\ndaytime\n").splitlines()
    assert odd[3:5] == ["error: the line is too long", "error: control characters are no part of a request"]
    assert re.fullmatch(LINE, odd[5])


def test_dialogue_at_a_terminal(enrolled):
    t = enrolled.terminal("daytime", "-i")
    t.expect("> ")
    t.send("daytime\n")
    t.expect("+00:00\r\n> ")
    t.send("end\n")
    assert t.status() == OK
    t.close()
    for keys, status in (("\x04", OK), ("\x03", INTERRUPTED), ("half a line\x03", INTERRUPTED)):
        t = enrolled.terminal("daytime", "-i")
        t.expect("> ")
        t.send(keys)
        assert t.status() == status, keys
        t.close()


def test_dialogue_that_the_server_ends(own):
    for service in ("cad-signer", "cad"):
        own.start(service)
    daytimed = own.start("daytimed")
    device = Device()
    device.enroll(own, "eve", PASSWORD)
    t = device.terminal("daytime", "-i")
    t.expect("> ")
    own.ctl("user", "lock", "eve")
    t.expect("no longer valid, closing")
    t.expect("quintet: localhost has ended the session")
    assert t.status() == OK
    t.close()
    t = device.terminal("daytime", "-i")
    t.expect("> ")
    for pid in daytimed.sessions():
        os.kill(pid, 9)
    t.expect("quintet: localhost has ended the session")
    t.status()
    t.close()
    device.close()


# -- stamps --------------------------------------------------------------------------------------


def test_stamp_and_verify(instance, enrolled):
    file = enrolled.file("paper", "what I knew\n" * 5000)
    done = enrolled.json("daytime", "--stamp", file)
    assert done["token"] == f"{file}.tsr" and done["stamped"].endswith("Z")
    assert enrolled.json("daytime", "--verify", file) == done
    stock = subprocess.run(["openssl", "ts", "-verify", "-data", file, "-in", f"{file}.tsr", "-CAfile",
                            instance.root_pem], capture_output=True, text=True)
    assert "Verification: OK" in stock.stdout, stock.stderr
    assert "exists already" in enrolled.err("daytime", "--stamp", file, status=USAGE)
    token = enrolled.folder / "elsewhere"
    enrolled.run("daytime", "--stamp", file, "--token", token)
    enrolled.run("daytime", "--verify", file, "--token", token)
    # Off line: no server is asked.
    device = Device()
    shutil.copytree(enrolled.profiles, device.profiles)
    for name in ("account", "directory"):
        path = device.profiles / "localhost" / name
        path.write_text(re.sub(r" \d+$", " 1", path.read_text(), flags=re.M))
    device.run("daytime", "--verify", file)
    device.close()


def test_a_stamp_by_openssl_verifies(instance, enrolled):
    file = enrolled.file("other", "text")
    script = (f"openssl ts -query -data {file} -sha256 -cert -no_nonce -out q && curl -sS --cacert {instance.root_pem} "
              "-H 'Content-Type: application/timestamp-query' --data-binary @q "
              f"https://localhost:{instance.ports['timestamp']}/tsa -o {file}.tsr")
    subprocess.run(["sh", "-c", script], check=True, cwd=enrolled.folder, capture_output=True)
    enrolled.run("daytime", "--verify", file)
    script = script.replace("-sha256", "-sha512")
    subprocess.run(["sh", "-c", script], check=True, cwd=enrolled.folder, capture_output=True)
    assert "the stamp does not verify" in enrolled.err("daytime", "--verify", file, status=UNTRUSTED)


def test_altered_files_and_tokens(own, enrolled):
    file = enrolled.file("deed", "mine")
    enrolled.run("daytime", "--stamp", file)
    token = (enrolled.folder / "deed.tsr")
    good = token.read_bytes()
    file.write_text("thine")
    assert "the stamp of other content" in enrolled.err("daytime", "--verify", file, status=UNTRUSTED)
    file.write_text("mine")
    enrolled.run("daytime", "--verify", file)
    step = max(1, len(good) // 40)
    for i in range(0, len(good), step):
        token.write_bytes(good[:i] + bytes([good[i] ^ 4]) + good[i + 1:])
        done = subprocess.run(enrolled.argv(["daytime", "--verify", file]), env=enrolled.env, capture_output=True)
        assert done.returncode == UNTRUSTED or i_is_unsigned(good, i), (i, done)
    for bad in (b"", good[:-1], good + b"\0", b"\x30\x80" + good, os.urandom(300)):
        token.write_bytes(bad)
        assert "does not verify" in enrolled.err("daytime", "--verify", file, status=UNTRUSTED)
    token.write_bytes(good)
    # The stamp of another authority, under a profile that knows it not.
    for service in ("cad-signer", "cad", "daytimed"):
        own.start(service)
    device = Device()
    device.enroll(own, "eve", PASSWORD)
    assert "does not verify" in device.err("daytime", "--verify", file, status=UNTRUSTED)
    device.close()


def i_is_unsigned(token, i):
    """Bits of the status text and of certificates behind the signer's are not covered by the signature."""
    certs = token.find(b"issuing CA")
    return i < 12 or certs <= i


def test_files_that_cannot_be_stamped(enrolled):
    assert "No such file" in enrolled.err("daytime", "--stamp", "none", status=USAGE)
    assert "not a regular file" in enrolled.err("daytime", "--stamp", "/dev/null", status=USAGE)
    assert "not a regular file" in enrolled.err("daytime", "--verify", enrolled.folder, status=USAGE)
    file = enrolled.file("unstamped", "x")
    assert "unstamped.tsr: No such file" in enrolled.err("daytime", "--verify", file, status=USAGE)
    assert "/nowhere/t" in enrolled.err("daytime", "--stamp", file, "--token", "/nowhere/t", status=USAGE)
    big = enrolled.folder / "big"
    with open(big, "wb") as f:
        f.truncate(1 << 36)
    enrolled.interrupted("daytime", "--stamp", big, when=lambda: True)


# -- the authority ---------------------------------------------------------------------------------


def test_ca_show_and_list(instance, device):
    rows = device.json("ca", "show")
    assert [row["role"] for row in rows] == ["root", "issuing"]
    shown = subprocess.run(["openssl", "x509", "-in", instance.root_pem, "-noout", "-fingerprint", "-sha256"],
                           capture_output=True, text=True).stdout.strip().split("=")[1]
    assert rows[0]["sha_256"] == shown.replace(":", "").lower()
    assert rows == device.json("ca")
    first = serial(device)
    device.run("renew")
    listed = {row["serial"]: row for row in device.json("ca", "list")}
    assert set(listed) == {first, serial(device)}
    assert {row["state"] for row in listed.values()} == {"valid"} and listed[first]["profile"] == "user"


def test_ca_revoke_crl_and_check(instance, device):
    first = serial(device)
    old = device.file("old.pem", device.content("localhost")["cert.pem"])
    device.run("renew")
    assert device.json("ca", "check") == {"status": "good"} == device.json("ca", "check", old)
    assert device.json("ca", "revoke", first, "keyCompromise") == {"revoked": first, "own": "no"}
    device.run("ca", "revoke", first.upper())
    crl = device.json("ca", "crl")
    entry = {row["serial"]: row for row in crl["revoked"]}[first]
    assert entry["reason"] == "keyCompromise" and crl["number"] >= 1 and crl["issued"] < crl["next"]
    assert first in device.out("ca", "crl")
    answer = device.json("ca", "check", old, status=NO)
    assert answer["status"] == "revoked" and answer["reason"] == "keyCompromise"
    assert {row["serial"]: row["state"] for row in device.json("ca", "list")}[first] == "revoked"
    for words, told in ((["ff" * 16], "no such certificate"), (["12"], "malformed"), ([first, "mood"], "malformed")):
        assert told in device.err("ca", "revoke", *words, status=NO)
    assert "device's own" in device.out("ca", "revoke", serial_of(device))
    assert "says: " in device.err("ca", "list", status=NO)
    assert device.json("ca", "check", status=NO)["status"] == "revoked"


def serial_of(device):
    text = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=device.content("localhost")["cert.pem"],
                          capture_output=True, check=True).stdout
    return text.decode().strip()[7:].lower()


def test_other_peoples_certificates_cannot_be_revoked(device, enrolled):
    assert "no such certificate" in device.err("ca", "revoke", serial_of(enrolled), status=NO)
    assert enrolled.json("ca", "check")["status"] == "good"


def test_ca_check_of_foreign_certificates(own, enrolled):
    for service in ("cad-signer", "cad"):
        own.start(service)
    device = Device()
    device.enroll(own, "eve", PASSWORD)
    foreign = device.profiles / "localhost/cert.pem"
    assert "not of this profile's authority" in enrolled.err("ca", "check", foreign, status=UNTRUSTED)
    for path, told in (("none", "No such file"), (device.file("x", "y"), "no certificate"), ("/dev/zero", "too long")):
        assert told in enrolled.err("ca", "check", path, status=USAGE)
    device.close()


def test_ca_without_its_signer(own):
    signer = own.start("cad-signer")
    own.start("cad")
    device = Device()
    device.enroll(own, "eve", PASSWORD)
    signer.stop()
    assert "try again" in device.err("renew", status=TEMPORARY)
    assert "not acceptable" in device.err("ca", "check", status=UNTRUSTED)
    device.run("whoami")
    device.close()


# -- status --------------------------------------------------------------------------------------


def test_status(instance, enrolled):
    shown = enrolled.json("status")
    rows = {row["service"]: row for row in shown["services"]}
    assert set(rows) == {"daytime", "time-stamp", "ftps", "ftp", "ircs", "imaps", "submissions", "ca",
                         "ca-plain"}
    assert all(row["state"] == "ok" and row["answer_ms"] >= 0 for row in rows.values())
    assert rows["ca"]["protocol"] == "TLSv1.3" and rows["ca"]["verified_until"] > "2026"
    for name in ("ftp", "ftps", "ircs", "imaps", "submissions"):
        assert rows[name]["protocol"] == "TLSv1.3" and rows[name]["verified_until"] > "2026"
    assert rows["ca-plain"]["protocol"] == "plain" and rows["ca-plain"]["handshake_ms"] is None
    assert abs(shown["clock"]["offset_s"]) < 0.5
    text = enrolled.out("status")
    assert text.splitlines()[0].split()[:3] == ["SERVICE", "STATE", "PORT"] and "\nclock: " in text
    assert not re.search(r" $", text, re.M)


def test_status_with_a_service_down(own):
    services = {name: own.start(name) for name in ("cad-signer", *SERVICES)}
    device = Device()
    device.enroll(own, "eve", PASSWORD)
    services["daytimed-timestamp"].stop()
    done = device.run("status", "--json", status=NO)
    shown = json.loads(done.stdout)
    states = {row["service"]: row["state"] for row in shown["services"]}
    assert "refused" in states.pop("time-stamp") and set(states.values()) == {"ok"} and "clock" in shown
    services["daytimed"].stop()
    shown = device.json("status", status=NO)
    assert "clock" not in shown
    # Also without a certificate: nobody has to be enrolled to look.
    (device.profiles / "localhost/cert.pem").unlink()
    assert "time-stamp" in device.out("status", status=NO)
    device.close()


def test_json_everywhere(instance, device):
    file = device.file("thing", "x")
    mine = serial(device)
    secret = device.file("password", PASSWORD + "\n")
    for args in (["daytime"], ["daytime", "--epoch"], ["daytime", "--offset"], ["daytime", "--stamp", file],
                 ["daytime", "--verify", file], ["status"], ["whoami"], ["ca"], ["ca", "list"], ["ca", "crl"],
                 ["ca", "check"], ["password", "--password-file", secret], ["profile"],
                 ["profile", "use", "localhost"], ["renew", "--if-due"], ["renew"], ["ca", "revoke", mine],
                 ["enroll", device.target(), "--user", device.json("whoami")["user"], "--root", instance.root_pem,
                  "--password-file", secret], ["profile", "remove", "localhost"], ["profile"]):
        assert isinstance(device.json(*args), (dict, list)), args


def test_ctrl_c_while_a_server_hangs(own):
    for service in ("cad-signer", "cad"):
        own.start(service)
    daytimed = own.start("daytimed")
    device = Device()
    device.enroll(own, "eve", PASSWORD)
    device.run("daytime")
    os.kill(daytimed.pid, 19)
    for args in (["daytime"], ["daytime", "--offset"], ["status"], ["daytime", "-i"]):
        device.interrupted("--timeout", "30", *args, when=lambda: True)
    os.kill(daytimed.pid, 18)
    device.close()


# -- disks ---------------------------------------------------------------------------------------


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a file system of its own")
def test_a_full_disk_leaves_the_old_files(instance, device):
    """The profiles lie on a small file system, which is filled up in a mount namespace of its own."""
    small = device.folder / "small"
    small.mkdir()
    before = device.content("localhost")
    root = instance.root_pem
    name = device.json("whoami")["user"]
    (device.folder / "password").write_text(PASSWORD + "\n")
    script = f"""
        mount -t tmpfs -o size=64k,mode=0700 none {small} && cp -a {device.profiles}/. {small} || exit 90
        cat /dev/zero >{small}/filler 2>/dev/null
        export QUINTET_CLIENT_DIR={small}
        run() {{ {device.argv([])[0]} "$@" 2>>{device.folder}/said; echo "$?" >>{device.folder}/codes; }}
        run renew --new-key
        run enroll {device.target()} --user {name} --root {root} --password-file {device.folder}/password
        run profile use localhost
        run whoami >/dev/null
        rm {small}/filler
        cp -a {small} {device.folder}/copy
        run renew --new-key >/dev/null
        run whoami >/dev/null
    """
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], env=device.env, capture_output=True, text=True)
    assert done.returncode == OK, done.stderr
    said = (device.folder / "said").read_text()
    assert (device.folder / "codes").read_text().split() == ["111", "111", "111", "0", "0", "0"], said
    assert said.count("the disk or the store is full") == 3
    after = {p.name: p.read_bytes() for p in (device.folder / "copy/localhost").iterdir() if p.is_file()}
    assert after == before and sorted(os.listdir(device.folder / "copy")) == ["current", "localhost"]


def test_a_folder_that_cannot_be_written(instance, device):
    place = device.file("file-in-the-way", "")
    env = {**device.env, "QUINTET_CLIENT_DIR": str(place)}
    assert "cannot be written" in device.err("enroll", device.target(), "--user", "x", "--root", instance.root_pem,
                                             status=USAGE, env=env)


def test_two_renewals_at_once(device):
    for _ in range(3):
        processes = [device.start("renew", "--new-key") for _ in range(3)]
        assert [p.wait() for p in processes] == [OK] * 3
        for p in processes:
            p.communicate()
        device.run("whoami")
    until(lambda: "key.next" not in device.content("localhost"))
