"""ftpd's dialogue: who may come in, what the commands answer, the visible check that TLS works, and what
ends a session."""

import hashlib
import json
import os
import re
import time
import zlib

import pytest

import ftps
import talk
from ftps import PASSWORD, Ftps
from instance import until

DATA = b"0123456789" * 5000


@pytest.fixture(scope="module")
def person(instance):
    instance.account("sessa", PASSWORD)
    return "sessa", instance.enroll("sessa", PASSWORD)


@pytest.fixture
def a(instance, person):
    with Ftps(instance) as client:
        client.login(person[0])
        client.expect(f"CWD /home/{person[0]}", 250)
        yield client


def home(instance, name=""):
    return instance.path("state/files/home/sessa") / name


# -- log-in ---------------------------------------------------------------------------------------


def test_password(instance, person):
    with Ftps(instance) as client:
        assert client.banner.code == 220
        assert client.ask(f"USER {person[0].upper()}").code == 331  # names are folded
        assert client.ask(f"PASS {PASSWORD}").code == 230
        assert client.expect("PWD", 257).text.startswith('"/shared"')
        client.quit()


def test_wrong_password_and_unknown_name(instance, person):
    texts = set()
    for name in (person[0], "nobodyatall"):
        with Ftps(instance) as client:
            client.expect(f"USER {name}", 331)
            reply = client.expect("PASS wrong password", 530)
            texts.add(re.sub(r"\d+", "N", reply.text))
            client.expect("LIST", 530)
    assert len(texts) == 1


def test_order(instance, person):
    with Ftps(instance) as client:
        client.expect("PASS x", 503)
        client.expect("USER", 501)
        client.expect(f"USER {person[0]}", 331)
        client.expect("NOOP", 200)
        client.login(person[0])
        assert client.ask(f"USER {person[0]}").code == 230
        assert client.ask("USER somebody").code // 100 == 5
        client.expect("ACCT x", 202)


def test_certificate(instance, person):
    with Ftps(instance, cert=person[1]) as client:
        client.expect(f"USER {person[0]}", 232)
        assert client.expect("PWD", 257)
        assert b"type=cdir" in client.get("MLSD")
        client.quit()


def test_certificate_and_another_name(instance, person):
    instance.account("sessb", PASSWORD)
    with Ftps(instance, cert=person[1]) as client:
        client.expect("USER sessb", 331)
        client.expect("LIST", 530)
        client.login("sessb")


def test_revoked_certificate(instance):
    instance.account("sessr", PASSWORD)
    pair = instance.enroll("sessr", PASSWORD)
    instance.ctl("cert", "revoke", "--account", "sessr", check=False)
    from cryptography import x509
    serial = f"{x509.load_pem_x509_certificate(pair[1].read_bytes()).serial_number:032x}"
    instance.ctl("cert", "revoke", serial, check=False)
    with Ftps(instance, cert=pair) as client:
        reply = client.expect("USER sessr", 331)
        assert "revoked" in reply.text
        client.login("sessr")  # a bad certificate does not stand in the way of the password


def test_locked(instance):
    instance.account("sessl", PASSWORD)
    with Ftps(instance) as live:
        live.login("sessl")
        data = live.begin_transfer("STOR /home/sessl/x")
        data.sendall(b"x" * 1000)
        time.sleep(1.2)  # past the session's registration
        started = time.monotonic()
        instance.ctl("user", "lock", "sessl")
        codes = [live.reply().code]
        while codes[-1] != 421:
            codes.append(live.reply().code)
        assert time.monotonic() - started < 8  # without the bell it would be 15 s
        data.close()
    assert not home(instance).parent.joinpath("sessl/x").exists()
    with Ftps(instance) as client:
        client.expect("USER sessl", 331)
        client.expect(f"PASS {PASSWORD}", 530)


def test_throttle(make_instance):
    own = make_instance()
    own.account("anna", PASSWORD)
    own.start("ftpd")
    own.ctl("set", "throttle_account", "3")
    waits = []
    for _ in range(8):
        with Ftps(own) as client:
            client.expect("USER anna", 331)
            waits.append(client.expect("PASS wrong password", 530, 421).text)
    with Ftps(own) as client:
        client.expect("USER anna", 331)
        assert client.ask(f"PASS {PASSWORD}").code in (421, 530)
    assert any(re.search(r"\d+ s", w) for w in waits)


def test_register(make_instance):
    own = make_instance()
    own.start("ftpd")
    token = json.loads(own.ctl("invite", "create", "--json").stdout)["token"]
    with Ftps(own) as client:
        assert client.expect("SITE REGISTER anna " + PASSWORD.replace(" ", "-"), 530).text  # an invite is needed
        assert client.ask(f"SITE REGISTER anna short {token}").code in (501, 530)
        assert client.ask(f"SITE REGISTER root long-enough-word {token}").code in (501, 530, 553)
        client.expect("SITE REGISTER anna", 501)
        client.expect(f"SITE REGISTER anna long-enough-word {token}", 200, 230, 250)
        client.expect(f"SITE REGISTER berta long-enough-word {token}", 530)  # used up
        client.login("anna", "long-enough-word")
    own.ctl("set", "signup", "open")
    with Ftps(own) as client:
        client.expect("SITE REGISTER carla long-enough-word", 200, 230, 250)
        client.login("carla", "long-enough-word")
    assert "long-enough-word" not in own.log_text()


def test_rein(instance, person):
    instance.account("sessc", PASSWORD)
    with Ftps(instance) as client:
        client.login(person[0])
        client.expect("REIN", 220)
        client.expect("PWD", 530)
        client.login("sessc")
        client.expect(f"CWD /home/{person[0]}", 550)
        assert client.put("/home/sessc/x", DATA).code == 226


def test_rein_in_a_registered_session(instance):
    for name in ("sessd", "sesse"):
        instance.account(name, PASSWORD)
    with Ftps(instance) as client:
        client.login("sessd")
        time.sleep(1.2)  # past the session's registration
        client.expect("REIN", 220)
        instance.ctl("user", "lock", "sessd")
        client.expect("NOOP", 200)  # it is nobody's session now
        client.login("sesse")
        instance.ctl("user", "lock", "sesse")
        assert client.reply().code == 421


def test_host(instance):
    with Ftps(instance) as client:
        client.expect(f"HOST {instance.host}", 220)
        client.expect(f"HOST {instance.domain}", 220)
        client.expect("HOST example.org", 504)
        client.login("sessa")
        client.expect(f"HOST {instance.host}", 503)


# -- about ----------------------------------------------------------------------------------------


def test_features(a):
    features = a.expect("FEAT", 211).lines
    for word in ("UTF8", "TVFS", "EPSV", "SIZE", "MDTM", "MFMT", "REST STREAM", "RANG STREAM", "AUTH TLS", "PBSZ",
                 "PROT", "CLNT", "HOST", "AVBL", "XSHA256", "XCRC"):
        assert any(line.strip().startswith(word) for line in features), word
    assert any(line.strip().startswith("HASH") and "SHA-256*" in line for line in features)
    assert any(line.strip().startswith("MLST") and "X.sha256" in line for line in features)
    assert all(line.startswith(" ") for line in features[1:-1])


def test_tls_is_visible(instance, person):
    for version, word in ((ftps.TLS_1_2, "TLSv1.2"), (ftps.TLS_1_3, "TLSv1.3")):
        with Ftps(instance, version=version) as client:
            client.login(person[0])
            client.get("MLSD")
            text = client.expect("STAT", 211).text
            assert word in text and "resumed" in text and person[0] in text
            assert re.search(r"(AES|CHACHA20)", text)


def test_stat_in_mid_transfer(a):
    data = a.begin_transfer("STOR slow")
    data.sendall(DATA)
    until(lambda: str(len(DATA)) in a.expect("STAT", 211, 213).text, what="the bytes in STAT")
    assert "slow" in a.expect("STAT", 211, 213).text
    a.expect("NOOP", 200)
    a.finish(data)
    assert a.reply().code == 226


def test_commands_wait_for_the_transfer(instance, a):
    data = a.begin_transfer("STOR first")
    a.send("SIZE first")
    a.send("PWD")
    time.sleep(0.3)
    data.sendall(DATA)
    a.finish(data)
    assert [a.reply().code for _ in range(3)] == [226, 213, 257]
    data = a.begin_transfer("STOR last")
    a.send("QUIT")
    data.sendall(DATA)
    a.finish(data)
    assert [a.reply().code for _ in range(2)] == [226, 221]
    assert a.at_end()
    assert home(instance, "last").read_bytes() == DATA


def test_abort(instance, a):
    a.expect("ABOR", 225, 226)
    data = a.begin_transfer("STOR aborted")
    data.sendall(DATA)
    a.send(b"\xff\xf4\xff\xf2ABOR\r\n")
    assert [a.reply().code for _ in range(2)] == [426, 226]
    data.close()
    assert not home(instance, "aborted").exists()
    assert a.put("whole", os.urandom(5_000_000)).code == 226
    data = a.begin_transfer("RETR whole")
    data.recv(1000)
    a.send("ABOR")
    assert [a.reply().code for _ in range(2)] == [426, 226]
    data.close()
    port = a.passive()
    a.send("MLSD")
    a.send("ABOR")
    assert [a.reply().code for _ in range(2)] == [426, 226]
    assert port
    a.expect("NOOP", 200)
    assert a.put("after", DATA).code == 226


def test_help(a):
    text = a.expect("HELP", 214).text
    for word in ("STOR", "RETR", "MLSD", "SITE", "HASH", "RANG"):
        assert word in text
    assert "STOR" in a.expect("HELP STOR", 214).text
    assert "REGISTER" in a.expect("SITE HELP", 214).text
    assert a.ask("HELP NONSENSE").code in (501, 504)


def test_settings(a):
    assert a.ask("OPTS MLST").text == "MLST OPTS"  # no facts; and no blank behind (RFC 3659)
    for line, code in (("TYPE I", 200), ("TYPE A", 200), ("TYPE A N", 200), ("TYPE L 8", 200), ("TYPE E", 504),
                       ("MODE S", 200), ("MODE B", 504), ("STRU F", 200), ("STRU P", 504), ("SYST", 215),
                       ("OPTS UTF8 ON", 200), ("OPTS NONSENSE", 501), ("CLNT x", 200), ("PBSZ 0", 200),
                       ("PROT P", 200), ("PROT C", 534), ("PROT X", 504), ("CCC", 534), ("OPTS HASH CRC32", 200),
                       ("OPTS HASH MD4", 501), ("NONSENSE", 500), ("OPTS HASH SHA-256", 200)):
        assert a.ask(line).code == code, line
    assert a.put("ascii", b"one\ntwo\r\n").code == 226
    a.expect("TYPE A", 200)
    assert a.get("RETR ascii") == b"one\ntwo\r\n"


def test_epsv_all(a):
    a.expect("EPSV ALL", 200)
    for line in ("PASV", "PORT 127,0,0,1,8,8", "EPRT |1|127.0.0.1|2056|"):
        assert a.ask(line).code // 100 == 5, line
    assert a.get("MLSD")


def test_epsv_forms(a):
    assert a.expect("EPSV 1", 229)
    assert a.ask("EPSV 2").code == 522
    assert a.ask("EPSV 9").code == 522
    assert a.ask("EPSV x").code in (501, 522)


def test_pasv(a, instance):
    text = a.expect("PASV", 227).text
    match = re.search(r"\(127,0,0,1,(\d+),(\d+)\)", text)
    data = a.dial(int(match[1]) * 256 + int(match[2]))
    a.expect("MLSD", 150)
    tls = a.wrap(data)
    assert b"cdir" in talk.read_to_end(tls)
    a.finish(tls)
    assert a.reply().code == 226


def test_ipv6(instance, person):
    with Ftps(instance, address="::1") as client:
        client.login(person[0])
        assert client.ask("PASV").code // 100 == 5
        assert client.put("/home/sessa/six", DATA).code == 226
        assert client.get("RETR /home/sessa/six") == DATA


def test_passive_range_and_address(make_instance):
    own = make_instance()
    own.account("anna", PASSWORD)
    first = 40000 + os.getpid() % 5000
    own.env.update(QUINTET_FTP_PASSIVE=f"{first}-{first + 9}", QUINTET_FTP_ADDRESS="192.0.2.7")
    own.start("ftpd")
    with Ftps(own) as client:
        client.login("anna")
        ports = {client.passive() for _ in range(30)}
        assert all(first <= p <= first + 9 for p in ports) and len(ports) > 3
        assert "(192,0,2,7," in client.expect("PASV", 227).text
        assert client.put("x", DATA).code == 226


def test_transfer_without_address(a):
    assert a.ask("MLSD").code in (425, 503)
    assert a.ask("STOR x").code in (425, 503)


# -- files ----------------------------------------------------------------------------------------


def test_facts(instance, a):
    assert a.put("facts", DATA).code == 226
    line = a.expect("MLST facts", 250).lines[1]
    digest = hashlib.sha256(DATA).hexdigest()
    for fact in ("type=file;", f"size={len(DATA)};", "modify=20", "perm=", "unique=", "UNIX.ownername=sessa;",
                 f"X.sha256={digest};"):
        assert fact in line, fact
    assert line.endswith(" /home/sessa/facts")
    a.expect("OPTS MLST size;type;", 200)
    assert re.fullmatch(r" type=file;size=\d+; /home/sessa/facts", a.expect("MLST facts", 250).lines[1])
    home(instance, "facts").write_bytes(b"changed behind the server's back")
    a.expect("OPTS MLST type;size;x.sha256;", 200)
    assert "sha256" not in a.expect("MLST facts", 250).lines[1]


def test_digests(instance, a):
    assert a.put("d", DATA).code == 226
    digest = hashlib.sha256(DATA).hexdigest()
    assert digest in a.expect("HASH d", 213).text.lower()
    assert digest in a.expect("XSHA256 d", 250).text.lower()
    assert f"{zlib.crc32(DATA):08x}" in a.expect("XCRC d", 250).text.lower()
    a.expect("RANG 10 19", 350)
    assert hashlib.sha256(DATA[10:20]).hexdigest() in a.expect("HASH d", 213).text.lower()
    a.expect("OPTS HASH CRC32", 200)
    assert f"{zlib.crc32(DATA):08x}" in a.expect("HASH d", 213).text.lower()
    a.expect("OPTS HASH SHA-256", 200)
    dropped = os.urandom(20_000_000)
    home(instance, "dropped").write_bytes(dropped)
    assert hashlib.sha256(dropped).hexdigest() in a.expect("HASH dropped", 213).text.lower()
    assert hashlib.sha256(dropped).hexdigest() in a.expect("HASH dropped", 213).text.lower()
    a.expect("HASH nothing", 550)
    a.expect("HASH /shared", 550)


def test_times(instance, a):
    assert a.put("t", DATA).code == 226
    reply = a.expect("MFMT 20011224180000 t", 213)
    assert reply.text.startswith("Modify=20011224180000;")
    assert a.expect("MDTM t", 213).text == "20011224180000"
    assert int(home(instance, "t").stat().st_mtime) == 1009216800
    assert "X.sha256" in a.expect("MLST t", 250).text
    for bad in ("MFMT 2001 t", "MFMT t", "MFMT 20011324180000 t"):
        a.expect(bad, 501)


def test_unique_upload(instance, a):
    names = set()
    for _ in range(3):
        data = a.dial()
        reply = a.expect("STOU", 150)
        tls = a.wrap(data)
        tls.sendall(DATA)
        a.finish(tls)
        assert a.reply().code == 226
        names.add(re.search(r"FILE: (\S+)", reply.text)[1])
    assert len(names) == 3
    for name in names:
        assert home(instance, os.path.basename(name)).read_bytes() == DATA


def test_folders(instance, a):
    a.expect("MKD one", 257)
    a.expect("MKD one", 550, 553)
    a.expect("MKD one/two", 257)
    assert a.put("one/two/x", DATA).code == 226
    a.expect("RMD one", 550)
    a.expect("RNFR one", 350)
    a.expect("RNTO uno", 250)
    assert home(instance, "uno/two/x").read_bytes() == DATA
    assert hashlib.sha256(DATA).hexdigest() in a.expect("MLST uno/two/x", 250).text
    a.expect("RNFR uno", 350)
    assert a.ask("RNTO uno/two/three").code // 100 == 5
    a.expect("CWD uno/two", 250)
    a.expect("CDUP", 200, 250)
    assert '"/home/sessa/uno"' in a.expect("PWD", 257).text
    a.expect("CWD ..", 250)
    a.expect("CWD uno/two/x", 550)
    first = a.ask("SITE RMTREE uno")
    assert home(instance, "uno/two/x").exists() and first.code // 100 in (2, 3)
    a.expect("SITE RMTREE uno", 250)
    assert not home(instance, "uno").exists()


def test_rename_over_own_file(instance, a):
    assert a.put("n1", b"one").code == 226
    assert a.put("n2", b"two").code == 226
    a.expect("RNFR n1", 350)
    a.expect("RNTO n2", 250)
    assert home(instance, "n2").read_bytes() == b"one" and not home(instance, "n1").exists()
    a.expect("RNTO x", 503)
    a.expect("RNFR nothing", 550)


def test_administrator(instance):
    instance.account("sessadmin", PASSWORD)
    instance.account("sessplain", PASSWORD)
    instance.ctl("user", "admin", "sessadmin", "on")
    with Ftps(instance) as plain:
        plain.login("sessplain")
        assert plain.put("of-plain", DATA).code == 226
    with Ftps(instance) as admin:
        admin.login("sessadmin")
        admin.expect("DELE of-plain", 250)
        admin.expect("CWD /home/sessplain", 550)


def test_delete_policy(instance, person):
    instance.account("sesspol", PASSWORD)
    with Ftps(instance) as owner:
        owner.login(person[0])
        assert owner.put("for-all", DATA).code == 226
    instance.ctl("set", "files_delete", "all")
    try:
        with Ftps(instance) as client:
            client.login("sesspol")
            assert client.put("for-all", b"new").code == 226
            client.expect("DELE for-all", 250)
    finally:
        instance.ctl("set", "files_delete", "--default")


def test_available(a):
    assert int(a.expect("AVBL", 213).text) > 0
    assert int(a.expect("AVBL /shared", 213).text) > 0


def test_many_entries(instance, a):
    folder = home(instance, "many")
    folder.mkdir()
    for i in range(3000):
        (folder / f"entry {i:05}").touch()
    instance.give(folder)
    assert len(a.names("many")) == 3000
    assert a.get("MLSD many").count(b"type=file") == 3000
    assert a.get("LIST many").count(b"entry") == 3000


def test_listing_leaves_out_what_has_no_name(instance, a):
    folder = home(instance, "names")
    folder.mkdir()
    for raw in (b"good", b"bad\x01", b"bad\xff", b"bad\nname", b".quintet-00"):
        open(os.fsencode(folder) + b"/" + raw, "wb").close()
    instance.give(folder)
    assert a.names("names") == ["names/good"]


# -- time -----------------------------------------------------------------------------------------


def test_summary_is_logged(instance, person):
    with Ftps(instance) as client:
        client.login(person[0])
        assert client.put("/home/sessa/logged", os.urandom(123_456)).code == 226
        client.quit()
    until(lambda: re.search(r"ACCOUNT=\"?sessa.*BYTES_IN=\"?12\d{4}", instance.log_text()) or
          re.search(r"BYTES_IN=\"?12\d{4}.*ACCOUNT=\"?sessa", instance.log_text()), what="the summary line")
    assert PASSWORD not in instance.log_text()
