"""Programs that others wrote, with what they do by default: curl, lftp, Python's ftplib, ftp-ssl, and
FileZilla's order of commands."""

import ftplib
import hashlib
import io
import os
import re
import shutil
import ssl
import subprocess
import threading

import pytest

import ftps
import talk
from ftps import Ftps

PASSWORD = "correct-horse-battery"  # without blanks, which some of these programs cannot quote
BIG = os.urandom(3_000_000)


@pytest.fixture(scope="module")
def person(instance):
    instance.account("clienta", PASSWORD)
    return "clienta", instance.enroll("clienta", PASSWORD)


@pytest.fixture
def work(tmp_path):
    (tmp_path / "big").write_bytes(BIG)
    for i in range(5):
        (tmp_path / f"f{i}").write_bytes(os.urandom(1000 + i))
    return tmp_path


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def home(instance, person):
    """The person's folder, emptied."""
    folder = instance.path(f"state/files/home/{person[0]}")
    with Ftps(instance) as client:
        client.login(person[0], PASSWORD)
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    return folder


# -- curl -----------------------------------------------------------------------------------------


def curl(instance, person, *args, explicit=False, path="", cert=False, check=True, version="1.3", input=None):
    port = instance.ports["ftp" if explicit else "ftps"]
    scheme = "ftp" if explicit else "ftps"
    url = f"{scheme}://{instance.host}:{port}/{path}"
    who = ["--user", f"{person[0]}:{'' if cert else PASSWORD}"]
    if cert:
        who += ["--key", str(person[1][0]), "--cert", str(person[1][1])]
    done = subprocess.run(["curl", "-sS", "-4", "--ssl-reqd", "--cacert", str(instance.root_pem), *who,
                           f"--tlsv{version}", "--tls-max", version, *map(str, args),
                           *([] if "-K" in args else [url])],
                          capture_output=True, timeout=60, input=input)
    if check:
        assert done.returncode == 0, done.stderr.decode()
    return done


@pytest.mark.parametrize("explicit", [False, True])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_up_and_down(instance, person, home, work, explicit, version):
    base = f"/home/{person[0]}/"
    options = {"explicit": explicit, "version": version}
    curl(instance, person, "-T", work / "big", path=f"{base}big", **options)
    assert (home / "big").read_bytes() == BIG
    assert curl(instance, person, path=f"{base}big", **options).stdout == BIG
    listing = curl(instance, person, path=base, **options).stdout.decode()
    assert "big" in listing and "3000000" in listing
    assert curl(instance, person, "-l", path=base, **options).stdout.split() == [b"big"]
    assert curl(instance, person, "-r", "100-199", path=f"{base}big", **options).stdout == BIG[100:200]
    head = curl(instance, person, "-I", path=f"{base}big", **options).stdout.decode()
    assert "Content-Length: 3000000" in head and "Last-Modified:" in head
    curl(instance, person, "-Q", f"-DELE {base}big", path=base, **options)
    assert not (home / "big").exists()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_many_in_one_session(instance, person, home, work, version):
    """The third transfer is where servers with the library's ticket defaults fail."""
    base = f"ftps://{instance.host}:{instance.ports['ftps']}//home/{person[0]}/"
    uploads = []
    for i in range(5):
        uploads += ["-T", str(work / f"f{i}"), f"{base}f{i}"]
    many = ["curl", "-sS", "-4", "--cacert", str(instance.root_pem), "--user", f"{person[0]}:{PASSWORD}",
            "--tls-max", version, "-v"]
    done = subprocess.run([*many, *uploads], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr.count(b"USER ") == 1  # one session
    for i in range(5):
        assert (home / f"f{i}").read_bytes() == (work / f"f{i}").read_bytes()
    done = subprocess.run([*many, *(f"{base}f{i}" for i in range(5))], capture_output=True, timeout=60)
    assert done.stdout == b"".join((work / f"f{i}").read_bytes() for i in range(5))


def test_curl_certificate(instance, person, home, work):
    curl(instance, person, "-T", work / "big", path=f"/home/{person[0]}/big", cert=True)
    assert (home / "big").read_bytes() == BIG


def test_curl_resumes_upload(instance, person, home, work):
    with Ftps(instance) as client:
        client.login(person[0], PASSWORD)
        assert client.cut(f"/home/{person[0]}/big", BIG[:1_000_000]).code == 426
    assert not (home / "big").exists()
    done = curl(instance, person, "-v", "-C", "-", "-T", work / "big", path=f"/home/{person[0]}/big")
    assert (home / "big").read_bytes() == BIG
    sent = re.search(rb"(SIZE|APPE) ", done.stderr)
    assert sent


def test_curl_resumes_download(instance, person, home, work):
    (home / "big").write_bytes(BIG)
    instance.give(home / "big")
    local = work / "half"
    local.write_bytes(BIG[:1_234_567])
    curl(instance, person, "-C", "-", "-o", local, path=f"/home/{person[0]}/big")
    assert local.read_bytes() == BIG


def test_curl_limits_and_refusals(instance, person, home, work):
    assert curl(instance, person, path="/nothing", check=False).returncode == 78
    assert curl(instance, ("clienta", None), "--user", "clienta:wrong", path="/",
                check=False).returncode == 67
    bad = curl(instance, person, "-T", work / "big", path="/home/nobody/big", check=False)
    assert bad.returncode != 0
    curl(instance, person, "--ftp-create-dirs", "-T", work / "f0", path=f"/home/{person[0]}/a/b/c/f0")
    assert (home / "a/b/c/f0").read_bytes() == (work / "f0").read_bytes()


@pytest.mark.parametrize("method", ["multicwd", "nocwd", "singlecwd"])
def test_curl_methods(instance, person, home, work, method):
    (home / "d").mkdir()
    instance.give(home / "d")
    path = f"/home/{person[0]}/d/f0"
    curl(instance, person, "--ftp-method", method, "-T", work / "f0", path=path)
    done = curl(instance, person, "--ftp-method", method, path=path)
    assert done.stdout == (work / "f0").read_bytes()


def test_curl_parallel(instance, person, home, work):
    """curl mixes up the TLS sessions of its log-ins: it gets on by the switch only, as the manual says."""
    files = ["-Z", *(word for i in range(4) for word in ("-T", work / f"f{i}"))]
    names = [f"home/{person[0]}/p{i}" for i in range(4)]
    urls = [f"ftps://{instance.host}:{instance.ports['ftps']}/%2F{name}" for name in names]
    done = curl(instance, person, *files, *urls[1:], path="%2F" + names[0], check=False)
    assert done.returncode == 0 or b"522" in done.stderr
    instance.ctl("user", "ftp-unbound", person[0], "on")
    try:
        curl(instance, person, *files, *urls[1:], path="%2F" + names[0])
    finally:
        instance.ctl("user", "ftp-unbound", person[0], "off")
    assert sorted((home / f"p{i}").read_bytes() for i in range(4)) == sorted(
        (work / f"f{i}").read_bytes() for i in range(4))


def test_curl_disable_epsv(instance, person, home):
    (home / "x").write_bytes(b"x" * 1000)
    instance.give(home / "x")
    assert curl(instance, person, "--disable-epsv", path=f"/home/{person[0]}/x").stdout == b"x" * 1000


# -- lftp -----------------------------------------------------------------------------------------


def lftp(instance, person, *commands, cert=False, explicit=False, check=True):
    port = instance.ports["ftp" if explicit else "ftps"]
    settings = [f"set ssl:ca-file {instance.root_pem}", "set ssl:verify-certificate yes",
                "set ftp:ssl-force yes", "set net:max-retries 1", "set net:timeout 60",
                "set cmd:fail-exit yes", "set dns:order inet"]
    if cert:
        settings += [f"set ssl:key-file {person[1][0]}", f"set ssl:cert-file {person[1][1]}"]
    scheme = "ftp" if explicit else "ftps"
    opening = f"open -u {person[0]},{PASSWORD} {scheme}://{instance.host}:{port}"
    done = subprocess.run(["lftp", "--norc", "-c", "; ".join([*settings, opening, *commands])],
                          capture_output=True, text=True, timeout=120, env={**os.environ, "HOME": "/nonexistent"})
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("explicit", [False, True])
def test_lftp_mirror_both_ways(instance, person, home, tmp_path, explicit):
    source = tmp_path / "source"
    (source / "deep/er").mkdir(parents=True)
    for i in range(12):
        (source / f"file {i}").write_bytes(os.urandom(2000 * i))
    (source / "deep/er/ä").write_bytes(b"deep")
    (source / "deep/big").write_bytes(BIG)
    os.utime(source / "file 3", (1_600_000_000, 1_600_000_000))
    lftp(instance, person, f"debug -o {tmp_path}/log 5", f"mirror -R -P 3 {source} /home/{person[0]}/copy",
         explicit=explicit)
    assert (tmp_path / "log").read_text().count("---> SITE CHMOD") <= 3  # once in each of its sessions
    for path in source.rglob("*"):
        if path.is_file():
            assert (home / "copy" / path.relative_to(source)).read_bytes() == path.read_bytes()
    assert int((home / "copy/file 3").stat().st_mtime) == 1_600_000_000
    back = tmp_path / "back"
    lftp(instance, person, f"mirror -P 3 /home/{person[0]}/copy {back}", explicit=explicit)
    for path in source.rglob("*"):
        if path.is_file():
            assert (back / path.relative_to(source)).read_bytes() == path.read_bytes()
    (source / "file 5").unlink()
    lftp(instance, person, f"mirror -R --delete {source} /home/{person[0]}/copy", explicit=explicit)
    assert not (home / "copy/file 5").exists()


def test_lftp_resumes(instance, person, home, work):
    with Ftps(instance) as client:
        client.login(person[0], PASSWORD)
        assert client.cut(f"/home/{person[0]}/big", BIG[:1_000_000]).code == 426
    lftp(instance, person, f"put -c {work}/big -o /home/{person[0]}/big")
    assert (home / "big").read_bytes() == BIG
    (work / "half").write_bytes(BIG[:500_000])
    lftp(instance, person, f"get -c /home/{person[0]}/big -o {work}/half")
    assert (work / "half").read_bytes() == BIG


def test_lftp_commands(instance, person, home, work):
    base = f"/home/{person[0]}"
    done = lftp(instance, person, f"cd {base}", f"mput {work}/f*", "ls", "cls", "mv f0 g0", "mkdir -p x/y",
                "put " + str(work / "big") + " -o x/y/big", "du -b x", "rm -r x", "rm g0", "find .")
    assert "f4" in done.stdout and not (home / "x").exists() and not (home / "g0").exists()
    assert "f1" in done.stdout


def test_lftp_certificate(instance, person, home, work):
    lftp(instance, person, f"put {work}/big -o /home/{person[0]}/big", cert=True)
    assert (home / "big").read_bytes() == BIG


def test_lftp_segments(instance, person, home, work):
    """pget: several sessions read parts of one file."""
    (home / "big").write_bytes(BIG)
    instance.give(home / "big")
    lftp(instance, person, f"pget -n 4 /home/{person[0]}/big -o {work}/segments")
    assert (work / "segments").read_bytes() == BIG


# -- Python's ftplib ------------------------------------------------------------------------------


class Resuming(ftplib.FTP_TLS):
    """What people write around FTP_TLS for servers that want resumption."""

    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            conn = self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session)
        return conn, size


def connect(instance, person, kind=Resuming):
    ftp = kind(context=talk.context(instance), timeout=15)
    ftp.connect(instance.host, instance.ports["ftp"])
    ftp.login(person[0], PASSWORD)
    ftp.prot_p()
    return ftp


def test_ftplib(instance, person, home):
    ftp = connect(instance, person)
    ftp.cwd(f"/home/{person[0]}")
    for i in range(4):
        ftp.storbinary(f"STOR f{i}", io.BytesIO(BIG))
    assert sorted(ftp.nlst()) == ["f0", "f1", "f2", "f3"]
    facts = dict(ftp.mlsd())
    assert facts["f1"]["size"] == str(len(BIG)) and facts["f1"]["type"] == "file"
    got = io.BytesIO()
    ftp.retrbinary("RETR f2", got.write)
    assert got.getvalue() == BIG
    got = io.BytesIO()
    ftp.retrbinary("RETR f2", got.write, rest=1_000_000)
    assert got.getvalue() == BIG[1_000_000:]
    lines = []
    ftp.retrlines("LIST", lines.append)
    assert len(lines) == 4
    assert ftp.size("f3") == len(BIG)
    ftp.rename("f3", "g3")
    ftp.delete("g3")
    ftp.mkd("d")
    ftp.rmd("d")
    assert ftp.pwd() == f"/home/{person[0]}"
    text = io.BytesIO(b"one\r\ntwo\r\n")
    ftp.storlines("STOR text", text)
    assert (home / "text").read_bytes() == b"one\r\ntwo\r\n"
    ftp.quit()


def test_ftplib_without_resumption(instance, person, home):
    """Refused by default, let in by the account's switch, and never from another address."""
    ftp = connect(instance, person, ftplib.FTP_TLS)
    with pytest.raises((ftplib.Error, OSError)):
        ftp.storbinary(f"STOR /home/{person[0]}/x", io.BytesIO(BIG))
    ftp.close()
    assert not (home / "x").exists()
    instance.account("clientu", PASSWORD)
    instance.ctl("user", "ftp-unbound", "clientu", "on")
    ftp = connect(instance, ("clientu", None), ftplib.FTP_TLS)
    for i in range(3):
        ftp.storbinary(f"STOR /home/clientu/x{i}", io.BytesIO(BIG))
    got = io.BytesIO()
    ftp.retrbinary("RETR /home/clientu/x2", got.write)
    assert got.getvalue() == BIG
    ftp.quit()


def test_ftplib_unbound_site(make_instance):
    own = make_instance()
    own.ctl("set", "ftp_unbound", "yes")
    own.account("anna", PASSWORD)
    own.start("ftpd-explicit")
    ftp = connect(own, ("anna", None), ftplib.FTP_TLS)
    ftp.storbinary("STOR x", io.BytesIO(BIG))
    assert ftp.nlst() == ["x"]
    ftp.quit()


def test_active_mode(make_instance):
    own = make_instance()
    own.account("anna", PASSWORD)
    own.start("ftpd-explicit")
    ftp = connect(own, ("anna", None))
    ftp.set_pasv(False)
    with pytest.raises(ftplib.Error):
        ftp.storbinary("STOR x", io.BytesIO(BIG))
    ftp.close()
    own.ctl("set", "ftp_active", "yes")
    ftp = connect(own, ("anna", None))
    ftp.set_pasv(False)
    ftp.storbinary("STOR x", io.BytesIO(BIG))
    got = io.BytesIO()
    ftp.retrbinary("RETR x", got.write)
    assert got.getvalue() == BIG
    ftp.quit()


# -- ftp-ssl --------------------------------------------------------------------------------------


def test_ftp_ssl_upload_is_refused(instance, person, home, work):
    """Its uploads end without close_notify: what may be cut short is not published."""
    program = shutil.which("ftp-ssl")
    script = (f"user {person[0]} {PASSWORD}\nbinary\npassive\ncd /home/{person[0]}\n"
              f"put {work}/big big\nquit\n")
    done = subprocess.run([program, "-n", "-v", "-z", "ssl", "-z", "secure", instance.host,
                           str(instance.ports["ftp"])],
                          input=script, capture_output=True, text=True, timeout=60)
    said = done.stdout + done.stderr
    assert "234" in said and "230" in said, said
    assert not (home / "big").exists()
    assert re.search(r"^(426|522|425|521)", said, re.M), said


# -- FileZilla ------------------------------------------------------------------------------------


def test_filezilla_order(instance, person, home):
    """The commands of FileZilla 3.6x on both doors, in its order, with its TLS habits: ALPN, one
    ticket per data connection, the data connection opened before the command."""
    for explicit in (True, False):
        with Ftps(instance, explicit=explicit, alpn=["x-filezilla-ftp", "ftp"]) as client:
            client.expect(f"USER {person[0]}", 331)
            client.expect(f"PASS {PASSWORD}", 230)
            client.expect("SYST", 215)
            features = client.expect("FEAT", 211).text
            for word in ("UTF8", "MLST", "REST STREAM", "SIZE", "MDTM", "MFMT", "EPSV"):
                assert word in features, word
            client.expect("CLNT FileZilla", 200)
            client.expect("OPTS UTF8 ON", 200)
            client.expect("PBSZ 0", 200)
            client.expect("PROT P", 200)
            client.expect("OPTS MLST type;size;modify;perm;", 200)
            assert client.expect("PWD", 257).text.startswith('"/shared"')
            client.expect("TYPE I", 200)
            assert b"type=" in client.get("MLSD")
            client.expect(f"CWD /home/{person[0]}", 250)
            client.expect("PWD", 257)
            client.get("MLSD")
            for i in range(3):
                client.expect("TYPE I", 200)
                assert client.put(f"f{i}", BIG).code == 226
                client.expect(f"MFMT 20200102030405 f{i}", 213)
                assert client.expect(f"MDTM f{i}", 213).text == "20200102030405"
            client.get("MLSD")
            assert client.get("RETR f1") == BIG
            client.expect("REST 2000000", 350)
            assert client.get("RETR f1") == BIG[2_000_000:]
            client.expect("NOOP", 200)
            client.expect("RNFR f1", 350)
            client.expect("RNTO g1", 250)
            for i in ("f0", "g1", "f2"):
                client.expect(f"DELE {i}", 250)
            client.expect("MKD New directory", 257)
            client.expect("RMD New directory", 250)
            client.quit()


# -- several at once ------------------------------------------------------------------------------


def test_many_people_at_once(instance, person, home, work):
    """Ten clients of three kinds work on one folder at the same time."""
    failed = []

    def by_curl(i):
        curl(instance, person, "-T", work / "big", path=f"/home/{person[0]}/c{i}")
        assert curl(instance, person, path=f"/home/{person[0]}/c{i}").stdout == BIG

    def by_lftp(i):
        lftp(instance, person, f"put {work}/big -o /home/{person[0]}/l{i}",
             f"get /home/{person[0]}/l{i} -o {work}/l{i}")
        assert (work / f"l{i}").read_bytes() == BIG

    def by_python(i):
        with Ftps(instance, version=ftps.TLS_1_2 if i % 2 else ftps.TLS_1_3) as client:
            client.login(person[0], PASSWORD)
            for j in range(5):
                assert client.put(f"/home/{person[0]}/p{i}-{j}", BIG).code == 226
            client.expect(f"DELE /home/{person[0]}/p{i}-0", 250)

    def guard(work_of, i):
        try:
            work_of(i)
        except Exception as error:  # noqa: BLE001: told by the main thread
            failed.append(f"{work_of.__name__} {i}: {error}")

    threads = [threading.Thread(target=guard, args=(kind, i))
               for i in range(3) for kind in (by_curl, by_lftp, by_python)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed, failed
    names = sorted(p.name for p in home.iterdir())
    assert len(names) == 3 + 3 + 12 and all((home / n).read_bytes() == BIG for n in names)


def test_versions(instance, person):
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        with pytest.raises((ssl.SSLError, OSError)):
            Ftps(instance, version=version)
