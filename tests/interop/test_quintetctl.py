"""quintetctl on a host of its own: every command, its refusals and its exit statuses."""
import hashlib
import os
import pty
import re
import select
import ssl
import stat
import time

import pytest

from ctlhost import openssl
from instance import GID, TOP, UID


def der_of(path):
    return ssl.PEM_cert_to_DER_cert(re.search(
        "-----BEGIN CERT.*?END CERTIFICATE-----", path.read_text(), re.S).group(0))


# -- init --------------------------------------------------------------------------------------------

def test_init_layout_and_modes(host):
    expected = {
        "conf/pki/root.pem": 0o644, "conf/pki/chain.pem": 0o644, "conf/quintet.env": 0o644,
        "conf/root.key": 0o600, "conf/credentials": 0o700, "conf/credentials/daytimed": 0o700,
        "conf/credentials/daytimed/tls.key": 0o600, "conf/credentials/daytimed/tls.pem": 0o600,
        "conf/credentials/daytimed/tsa.key": 0o600, "conf/credentials/daytimed/tsa.pem": 0o600,
        "conf/credentials/ftpd": 0o700, "conf/credentials/ftpd/tls.key": 0o600,
        "conf/credentials/ftpd/tls.pem": 0o600,
        "conf/credentials/chatd": 0o700, "conf/credentials/chatd/tls.key": 0o600,
        "conf/credentials/chatd/tls.pem": 0o600,
        "conf/credentials/maild": 0o700, "conf/credentials/maild/tls.key": 0o600,
        "conf/credentials/maild/tls.pem": 0o600,
        "conf/credentials/cad/tls.key": 0o600, "conf/credentials/cad/tls.pem": 0o600,
        "conf/credentials/cad-signer/issuing.pem": 0o600,
        "conf/credentials/cad-signer/ocsp.key": 0o600,
        "conf/credentials/cad-signer/cmp.key": 0o600,
        "conf/credentials/cad-signer/cmp.secret": 0o600, "state": 0o2770, "runtime/bells": 0o2770,
        "state/files": 0o2770, "state/files/shared": 0o2770, "state/files/home": 0o2770,
    }
    found = {name: stat.S_IMODE(host.path(name).stat().st_mode) for name in expected}
    assert found == expected
    assert re.fullmatch("[0-9a-f]{64}\n",
                        host.path("conf/credentials/cad-signer/cmp.secret").read_text())
    assert not list(host.path("conf").rglob("*.new"))


def test_init_certificates_verify_strictly(host):
    root, chain = host.path("conf/pki/root.pem"), host.path("conf/pki/chain.pem")
    for name, purpose in (("daytimed/tls", "sslserver"), ("ftpd/tls", "sslserver"),
                          ("chatd/tls", "sslserver"), ("maild/tls", "sslserver"), ("cad/tls", "sslserver"),
                          ("daytimed/tsa", "timestampsign")):
        leaf = host.path(f"conf/credentials/{name}.pem")
        openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", root, "-untrusted",
                chain, leaf)
    names = openssl("x509", "-in", host.path("conf/credentials/cad/tls.pem"), "-noout", "-ext",
                    "subjectAltName,crlDistributionPoints,authorityInfoAccess")
    plain = host.env["QUINTET_PLAIN_URL"]
    for want in ("DNS:h.example.org", "DNS:localhost", "IP Address:127.0.0.1",
                 "IP Address:0:0:0:0:0:0:0:1", f"{plain}/ca/1.crl",
                 f"{plain}/ocsp", f"{plain}/ca/1.cer"):
        assert want in names


def test_init_prints_the_fingerprint_of_the_root(bare):
    host = bare
    said = host.init()
    assert hashlib.sha256(der_of(host.path("conf/pki/root.pem"))).hexdigest() in said
    assert "off line" in said


def test_root_crl_outlives_the_issuing_ca(host):
    root, issuing = host.json("ca", "show")
    assert (root["id"], root["state"], issuing["id"], issuing["state"]) == (0, "root", 1, "current")
    assert root["crl"] == 1 and root["crl_next_update"] > issuing["not_after"]
    years = lambda row: int(row["not_after"][:4]) - int(row["not_before"][:4])
    assert (years(root), years(issuing)) == (20, 5)


def test_init_refuses_to_overwrite(host):
    before = {p: p.read_bytes() for p in host.path("conf").rglob("*") if p.is_file()}
    host.ctl("init", "--domain", "other.org", "--host", "other.org", status=1)
    assert "overwritten" in host.complaint
    assert before == {p: p.read_bytes() for p in host.path("conf").rglob("*") if p.is_file()}


def test_init_that_was_cut_off_behind_the_store_is_finished(host):
    key = host.path("conf/credentials/cad-signer/issuing.pem").read_bytes()
    root = host.path("conf/pki/root.pem")
    before = root.read_bytes()
    root.unlink()
    assert "cut off" in host.init()
    assert root.read_bytes() == before
    assert host.path("conf/credentials/cad-signer/issuing.pem").read_bytes() == key


def test_init_that_failed_at_the_store_can_be_repeated(bare):
    host = bare
    host.path("state").write_text("in the way")
    host.ctl("init", "--domain", "example.org", "--host", "h.example.org", status=100)
    assert not host.path("conf/pki/root.pem").exists()
    host.path("state").unlink()
    host.init()
    assert host.json("ca", "show")[1]["state"] == "current"


def test_init_needs_names_and_takes_only_good_ones(bare):
    host = bare
    del host.env["QUINTET_DOMAIN"], host.env["QUINTET_HOST"]
    host.ctl("init", status=100)
    assert "--domain" in host.complaint
    host.ctl("init", "--domain", "Bad_Name", "--host", "h", status=100)
    host.ctl("init", "--domain", "d.org", "--host", "h.d.org", "--host-name", "under_score", status=100)
    assert not host.path("conf/pki/root.pem").exists()


def test_settings_come_from_quintet_env(host):
    text = host.path("conf/quintet.env").read_text()
    assert "QUINTET_DOMAIN=example.org" in text and "QUINTET_STATE=state" in text
    host.env = {"QUINTET_CONF": "conf"}
    assert host.json("user", "list")[0]["name"] == "quintet"


# -- the command line ----------------------------------------------------------------------------------

@pytest.mark.parametrize("args", [
    (), ("nonsense",), ("user",), ("user", "nonsense"), ("user", "show"), ("user", "show", "a", "b"),
    ("user", "list", "--nonsense"), ("user", "admin", "quintet", "maybe"), ("invite", "--days"),
    ("invite", "--days", "0"), ("invite", "--days", "x"), ("invite", "--cmp", "a", "--uses", "2"),
    ("user", "show", "Not A Name"), ("cert", "show", "zz"), ("cert", "list", "--expires-within", "x"),
    ("cert", "list", "--state", "x"), ("help", "nonsense"), ("--nonsense",),
    ("set", "signup"), ("audit", "nonsense"), ("ca", "roll"), ("cert", "issue", "user", "x"),
])
def test_usage_errors_exit_100(host, args):
    assert host.ctl(*args, status=100) == ""
    assert host.complaint


def test_help_lists_every_command(host):
    said = host.ctl("help")
    for noun in ("init", "user add", "invite create", "cert issue", "ca roll", "renew", "audit", "get",
                 "set", "backup", "restore", "migrate", "check", "sweep", "top", "health"):
        assert noun in said
    assert "--password-file" in host.ctl("user", "add", "--help")
    assert host.ctl("--version").startswith("quintetctl ")


def test_manual_knows_every_command_option_and_setting(host):
    pages = {p: (TOP / f"units/man/{p}").read_text() for p in ("quintetctl.8", "quintet.7")}
    said = host.ctl("help")
    for command in re.findall(r"^  ([a-z]+(?: [a-z]+)?)\b", said.replace(" [list]", ""), re.M):
        verbs = [f".It Cm {command}", command.replace(" ", " Oo Cm ")]
        assert any(v in pages["quintetctl.8"] for v in verbs), command
        for option in re.findall(r"--([a-z-]+)", host.ctl(*command.split(), "--help")):
            assert f"Fl -{option}" in pages["quintetctl.8"], (command, option)
    for row in host.json("get"):
        standard = f" Pq {row['default']}" if row["default"] else ""
        assert f".It Va {row['setting']}{standard}\n" in pages["quintet.7"]


def test_without_a_store(bare):
    host = bare
    host.ctl("user", "list", status=100)
    assert "quintetctl init" in host.complaint


# -- accounts ------------------------------------------------------------------------------------------

def test_user_life(host):
    host.add_user("alice")
    host.add_user("Bob", "--admin")
    rows = {r["name"]: r for r in host.json("user", "list")}
    assert rows["alice"]["role"] == "user" and rows["bob"]["role"] == "admin"
    assert rows["quintet"]["role"] == "host" and rows["alice"]["state"] == "open"
    host.ctl("user", "lock", "alice")
    host.ctl("user", "admin", "alice", "on")
    shown = host.json("user", "show", "alice")
    assert (shown["state"], shown["role"], shown["live_sessions"]) == ("locked", "admin", 0)
    host.ctl("user", "unlock", "alice")
    host.ctl("user", "admin", "alice", "off")
    before = shown["password_set"]
    time.sleep(1.1)
    host.ctl("user", "password", "alice", text="another good one\n")
    shown = host.json("user", "show", "alice")
    assert (shown["state"], shown["role"]) == ("open", "user") and shown["password_set"] > before
    host.ctl("user", "remove", "alice")
    host.ctl("user", "show", "alice", status=1)
    assert "no account" in host.complaint


def test_user_refusals(host):
    host.add_user("alice")
    host.ctl("user", "add", "alice", status=1, text="correct horse\n")
    assert "taken" in host.complaint
    for bad in ("short", "alice", "with\x07bell in it"):
        host.ctl("user", "password", "alice", status=1, text=bad + "\n")
        assert "not accepted" in host.complaint
    for verb in ("lock", "unlock", "remove"):
        host.ctl("user", verb, "nobody-here", status=1)
    host.ctl("user", "password", "nobody-here", status=1, text="correct horse\n")
    for house in (("remove", "quintet"), ("lock", "quintet"), ("admin", "quintet", "on"), ("password", "quintet")):
        host.ctl("user", *house, status=1, text="correct horse\n")
        assert "the services themselves" in host.complaint
    host.ctl("user", "add", "carol", "--password-file", "missing", status=1)
    assert "missing" in host.complaint


def test_user_without_password(host):
    host.ctl("user", "add", "carol", "--no-password")
    assert host.json("user", "show", "carol")["password_set"] is None


def talk_on_a_terminal(host, args, answers):
    """Types the answers when asked; everything that the terminal showed, and the exit status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(host.root)
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(GID)
            os.setuid(UID)
        os.execve("bin/quintetctl", ["quintetctl", *args], host.env)
    shown = b""
    try:
        for asked, answer in enumerate(answers, 1):
            while shown.count(b": ") < asked:
                shown += read_terminal(fd)
            os.write(fd, answer + b"\n")
        while chunk := read_terminal(fd):
            shown += chunk
    except TimeoutError:
        os.kill(pid, 9)
        raise
    finally:
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(fd)
    return shown, status


def read_terminal(fd):
    if not select.select([fd], [], [], 20)[0]:
        raise TimeoutError("the terminal is silent")
    try:
        return os.read(fd, 1024)
    except OSError:  # the other end is closed
        return b""


def test_password_on_a_terminal_is_not_shown(host):
    shown, status = talk_on_a_terminal(
        host, ["user", "add", "dora"], [b"secret words", b"secret words"])
    assert status == 0 and b"secret" not in shown and b"Again" in shown
    shown, status = talk_on_a_terminal(
        host, ["user", "password", "dora"], [b"secret words", b"other words"])
    assert status == 1 and b"differ" in shown and b"words" not in shown.replace(b"passwords", b"")


# -- invites -------------------------------------------------------------------------------------------

def test_invites(host):
    made = host.json("invite", "create", "--name", "erin", "--days", "3", "--uses", "2")
    assert made["name"] == "erin" and made["uses"] == 2 and len(made["token"]) >= 16
    other = host.json("invite")
    rows = host.json("invite", "list")
    assert {r["name"] for r in rows} == {"erin", ""}
    assert made["token"].encode() not in host.path("state/store/data.mdb").read_bytes()
    host.ctl("invite", "remove", other["token"])
    host.ctl("invite", "remove", other["token"], status=1)
    host.ctl("invite", "remove", host.json("invite", "list")[0]["id"])
    assert host.json("invite", "list") == []
    host.add_user("erin")
    host.ctl("invite", "--name", "erin", status=1)
    assert "an account erin already" in host.complaint and host.json("invite", "list") == []


def test_cmp_reference_and_secret(signing):
    line = signing.ctl("invite", "create", "--cmp", "frank")
    assert re.fullmatch(r"[a-z2-9]{16} \S{20,}\n", line)
    again = signing.ctl("invite", "--cmp", "frank")
    assert again.split()[0] != line.split()[0] and again.split()[1] != line.split()[1]


def test_no_invite_for_a_reserved_name(signing):
    """Nor a CMP reference, before the administrator has made the account on purpose."""
    for option in ("--name", "--cmp"):
        signing.ctl("invite", option, "Postmaster", status=1)
        assert "reserved" in signing.complaint
    assert signing.json("invite", "list") == []
    signing.add_user("postmaster")
    signing.ctl("invite", "--name", "postmaster", status=1)
    assert len(signing.ctl("invite", "--cmp", "postmaster").split()) == 2


def test_cmp_without_a_signer_is_temporary(host):
    host.ctl("invite", "create", "--cmp", "frank", status=111)
    assert "cad-signer" in host.complaint


# -- settings and record -------------------------------------------------------------------------------

def test_get_and_set(host):
    table = {r["setting"]: r for r in host.json("get")}
    assert table["signup"]["value"] == "invite" and table["signup"]["range"] == "closed|invite|open"
    assert all(r["meaning"] for r in table.values())
    host.ctl("set", "signup", "open")
    host.ctl("set", "cert_days", "7")
    assert host.ctl("get", "signup") == "open\n" and host.ctl("get", "cert_days") == "7\n"
    for name, bad in (("signup", "perhaps"), ("cert_days", "0"), ("cert_days", "9999"),
                      ("cert_days", "x"), ("nonsense", "1")):
        host.ctl("set", name, bad, status=1)
    host.ctl("get", "nonsense", status=1)
    host.ctl("set", "signup", "--default")
    assert host.json("get", "signup")["value"] == "invite"


def test_every_change_is_audited_and_the_chain_holds(host):
    host.add_user("alice")
    host.ctl("user", "lock", "alice")
    host.ctl("set", "signup", "open")
    host.ctl("invite", "create")
    rows = host.json("audit", "list")
    assert [r["number"] for r in rows] == sorted(r["number"] for r in rows)
    mine = [r for r in rows if r["by"] == "quintetctl"]
    assert {"init", "account-create"} <= {r["event"] for r in mine}
    assert any(r["account"] == "alice" and r["event"] == "account-flags" for r in mine)
    assert any("signup" in r["detail"] for r in mine)
    assert any("invite" in r["event"] for r in mine)
    assert len(host.json("audit", "--last", "2")) == 2
    assert {r["account"] for r in host.json("audit", "--account", "alice")} == {"alice"}
    verdict = host.json("audit", "--verify")
    assert verdict["intact"] and verdict["rows"] == len(rows) and len(verdict["head"]) == 64


def test_a_changed_audit_row_is_found(host):
    host.ctl("set", "signup", "open")
    data = host.path("state/store/data.mdb")
    raw = data.read_bytes()
    assert b"signup=open" in raw
    data.write_bytes(raw.replace(b"signup=open", b"signup=shut"))
    verdict = host.json("audit", "--verify", status=1)
    assert verdict["intact"] is False and verdict["first_bad"] >= 1
    assert "chain" in host.complaint
    host.ctl("check", status=1)


# -- the store -----------------------------------------------------------------------------------------

def test_backup_and_restore(host):
    host.add_user("alice")
    host.ctl("backup", "copy")
    host.ctl("backup", "copy", status=1)
    assert "exists" in host.complaint
    assert host.path("copy").stat().st_mode & 0o777 == 0o700
    host.add_user("late-comer")
    host.ctl("restore", "copy", status=1)
    assert "holds a store" in host.complaint
    host.path("state").rename(host.path("before"))
    host.ctl("restore", "copy")
    assert [r["name"] for r in host.json("user", "list")] == ["alice", "quintet"]
    host.ctl("check")
    host.ctl("audit", "--verify")
    host.ctl("restore", "missing", status=1)
    host.ctl("backup", "no/such/parent", status=1)


def test_upkeep(host):
    assert "sound" in host.ctl("check")
    assert host.json("sweep")["files_removed"] == 0
    host.ctl("migrate")
    assert host.json("top") == []
    assert "0 live" in host.ctl("top", "--once")


def test_health(signing):
    rows = {r["what"]: r for r in signing.json("health")}
    assert rows["signer"]["state"] == "ok" and rows["store"]["state"] == "ok"
    signing.signer.stop()
    rows = {r["what"]: r for r in signing.json("health", status=1)}
    assert rows["signer"]["state"] == "FAILED"


# -- as root -------------------------------------------------------------------------------------------

@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_becomes_the_administrator_before_the_store(bare):
    """Folders and keys stay root's; every file of the store is the administrator's, without a keeper."""
    host = bare
    host.env["QUINTET_KEEPER"] = "none"
    host.as_root = True
    host.env["QUINTET_ADMIN_USER"] = "daemon"
    os.chown(host.root, 0, 0)
    host.root.chmod(0o755)
    for name in ("state", "state/files", "state/files/shared", "state/files/home", "runtime",
                 "runtime/bells", "runtime/locks"):
        host.path(name).mkdir()
        os.chown(host.path(name), 0, 1)
        host.path(name).chmod(0o2770)
    host.init()
    host.add_user("alice")
    store = [p for p in host.path("state").rglob("*") if host.path("state/files") not in
             (p, *p.parents)]
    assert len(store) >= 2
    for path in store:
        assert path.stat().st_uid == 1 and path.stat().st_gid == 1, path
    for path in host.path("conf").rglob("*"):
        assert path.stat().st_uid == 0, path
    private = host.path("private")
    private.mkdir(mode=0o700)  # closed to the administrator's account
    host.ctl("backup", "private/copy")
    host.path("state/store").rename(host.path("old-store"))
    host.ctl("restore", "private/copy")
    assert "alice" in host.ctl("user", "list")
    host.env["QUINTET_ADMIN_USER"] = "no-such-user"
    host.ctl("user", "list", status=100)
    host.env["QUINTET_ADMIN_USER"] = "root"
    host.ctl("user", "list", status=100)


@pytest.mark.release_only  # the leak checker cannot work below strace
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_nothing_of_the_store_is_opened_as_root(bare):
    host = bare
    host.init()
    for path in host.path("state").rglob("*"):
        os.chown(path, 1, 1)
    os.chown(host.path("state"), 1, 1)
    host.root.chmod(0o755)
    host.as_root = True
    host.env["QUINTET_ADMIN_USER"] = "daemon"
    host.env["QUINTET_KEEPER"] = "none"
    host.ctl("user", "list", wrapper=("strace", "-f", "-o", "trace", "-e",
                                      "trace=openat,setresuid"))
    trace = host.path("trace").read_text()
    assert trace.index("setresuid(1, 1, 1)") < trace.index("state/")
