"""The client against the real services: enrolment, profiles, renewal, account, prompts."""

import itertools
import json
import os
import re
import secrets
import stat
import subprocess
import time

import pytest

from device import INTERRUPTED, NO, TEMPORARY, USAGE, UNTRUSTED, Device
from instance import TOP

PASSWORD = "three gentle otters, 1987"
COMMANDS = ("enroll", "renew", "whoami", "password", "profile", "daytime", "ftp", "ca", "status")


@pytest.fixture
def devices(instance):
    made = []

    def make(**more):
        made.append(Device(**more))
        made[-1].instance = instance
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def device(devices):
    return devices()


@pytest.fixture
def ann(instance):
    """The name of a new account."""
    name = "ann" + secrets.token_hex(4)
    instance.account(name, PASSWORD)
    return name


def fingerprint(instance, colons=False):
    text = subprocess.run(["openssl", "x509", "-in", instance.root_pem, "-noout", "-fingerprint", "-sha256"],
                          check=True, capture_output=True, text=True).stdout.strip()
    return text if colons else text.split("=")[1].replace(":", "").lower()


def invite(instance, name=None):
    return instance.ctl("invite", *(["create", "--name", name] if name else [])).stdout.split()[1]


def secret(device, text=PASSWORD):
    return device.file("password", text + "\n")


def arguments(device, name, *more):
    return ["enroll", device.target(), "--user", name, *more]


# -- enrolment -----------------------------------------------------------------------------------


def test_enroll_by_fingerprint(instance, device, ann):
    for form in (fingerprint(instance), fingerprint(instance).upper(), fingerprint(instance, colons=True)):
        out = device.out(*arguments(device, ann, "--fingerprint", form, "--password-file", secret(device)))
        assert re.fullmatch(rf'enrolled as {ann} at localhost until \d+-\d+-\d+T[\d:]+Z; profile "localhost"\n', out)
    assert device.content("localhost")["root.pem"].strip() == instance.root_pem.read_bytes().strip()
    assert device.names() == ["current", "localhost"]


def test_enroll_by_root_file(instance, device, ann):
    device.enroll(instance, ann, PASSWORD)
    chain = subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", instance.root_pem, "-untrusted",
                            device.profiles / "localhost/chain.pem", device.profiles / "localhost/cert.pem"],
                           capture_output=True, text=True)
    assert chain.returncode == 0, chain.stderr
    for file, told in ((device.file("a", "nothing"), "no certificate"), (device.folder / "b", "No such file"),
                       (device.folder, "directory"), (device.profiles / "localhost/chain.pem", "not a root")):
        assert told in device.err(*arguments(device, ann, "--root", file), status=USAGE)


def test_everything_is_private(instance, device, ann):
    old = os.umask(0)
    try:
        device.enroll(instance, ann, PASSWORD)
    finally:
        os.umask(old)
    for path in [device.profiles, *device.profiles.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), (path, oct(mode))


def test_a_key_that_others_may_read_is_not_used(instance, device, ann):
    device.enroll(instance, ann, PASSWORD)
    key = device.profiles / "localhost/key.pem"
    key.chmod(0o640)
    assert "others may read the key" in device.err("whoami", status=USAGE)
    assert device.json("profile")[0]["state"] == "no usable key"
    device.run("daytime")  # needs no certificate
    key.chmod(0o600)
    device.run("whoami")


def test_fingerprint_typed_and_password_hidden(instance, device, ann):
    t = device.terminal(*arguments(device, ann))
    t.expect("SHA-256 fingerprint")
    assert t.echoes()
    t.send(fingerprint(instance) + "\n")
    t.answer("Password: ", PASSWORD)
    t.expect("enrolled as")
    assert t.status() == 0 and t.echoes()
    assert PASSWORD not in t.text
    t.close()


def test_a_mistyped_fingerprint(device, ann):
    for text, status, told in (("ab" * 32, UNTRUSTED, "nothing was sent"), ("abc", USAGE, "64 hexadecimal"),
                               ("", USAGE, "64 hexadecimal")):
        t = device.terminal(*arguments(device, ann))
        t.expect("SHA-256 fingerprint")
        t.send(text + "\n")
        t.expect(told)
        assert t.status() == status
        t.close()


def test_ctrl_c_at_the_password_restores_the_terminal(instance, device, ann):
    t = device.terminal(*arguments(device, ann, "--root", instance.root_pem))
    t.expect("Password: ")
    t.wait_echo(False)
    t.send("half a pass\x03")
    assert t.status() == INTERRUPTED and t.echoes() and "half" not in t.text
    t.close()
    assert device.names() == []
    t = device.terminal(*arguments(device, ann, "--root", instance.root_pem))
    t.expect("Password: ")
    t.wait_echo(False)
    t.send("\x04")
    t.expect("no password: nothing was typed")
    assert t.status() == USAGE and t.echoes()
    t.close()


def test_passwords_from_files(instance, device, ann):
    root = ["--root", instance.root_pem]
    for text in (PASSWORD, PASSWORD + "\n", PASSWORD + "\r\n", PASSWORD + "\nsecond line\n"):
        device.run(*arguments(device, ann, *root, "--password-file", "-"), input=text)
    fifo = device.folder / "fifo"
    os.mkfifo(fifo)
    writer = subprocess.Popen(["sh", "-c", 'sleep 0.3; printf "%s\n" "$1" >"$2"', "sh", PASSWORD, fifo])
    device.run(*arguments(device, ann, *root, "--password-file", fifo))
    assert writer.wait() == 0
    for text, told in (("", "first line is empty"), ("\nx\n", "the password is empty"), ("x" * 3000, "too long"),
                       ("a\x07b\n", "control characters")):
        assert told in device.err(*arguments(device, ann, *root, "--password-file", "-"), input=text, status=USAGE)
    assert "No such file" in device.err(*arguments(device, ann, *root, "--password-file", "none"), status=USAGE)
    assert "too long" in device.err(*arguments(device, ann, *root, "--password-file", "/dev/zero"), status=USAGE)
    device.interrupted(*arguments(device, ann, *root, "--password-file", fifo),
                       when=lambda: ".localhost.new" in device.names())


def test_without_a_terminal_it_says_what_to_give(instance, device, ann):
    setsid = ["setsid", "-w", *device.argv(arguments(device, ann))]
    done = subprocess.run(setsid, env=device.env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == USAGE and "--fingerprint HEX or --root FILE" in done.stderr
    setsid += ["--root", str(instance.root_pem)]
    done = subprocess.run(setsid, env=device.env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == USAGE and "--password-file" in done.stderr


def test_refusals(instance, device, ann):
    root = ["--root", instance.root_pem]
    wrong = secret(device, "not that one")
    said = device.err(*arguments(device, ann, *root, "--password-file", wrong), status=NO)
    assert said == "quintet: localhost says: name or password is wrong (401)\n"
    unknown = device.err(*arguments(device, "nobody" + ann, *root, "--password-file", wrong), status=NO)
    assert unknown == said
    assert device.names() == []


def test_invite(instance, device, ann):
    root = ["--root", instance.root_pem]
    name, token = "new" + ann, invite(instance)
    assert f"enrolled as {name}" in device.out(*arguments(device, name, *root, "--invite", token))
    said = device.err(*arguments(device, name + "2", *root, "--invite", token, "--as", "two"), status=NO)
    assert "says: " in said
    # An account of an invite alone has no password until one is set, by the certificate.
    device.run("password", "--password-file", secret(device))
    device.run(*arguments(device, name, *root, "--password-file", secret(device)))


def test_invite_at_the_prompt(instance, device, ann):
    t = device.terminal(*arguments(device, "inv" + ann, "--root", instance.root_pem))
    t.answer("Password: ", invite(instance))
    assert t.status() == 0
    t.close()


def test_sign_up(instance, device, ann):
    root = ["--root", instance.root_pem]
    name = "sign" + ann
    assert "(403)" in device.err(*arguments(device, name, *root, "--sign-up", "--password-file", secret(device)),
                                 status=NO)
    t = device.terminal(*arguments(device, name, *root, "--sign-up", "--invite", invite(instance)))
    t.answer("New password: ", PASSWORD)
    t.answer("Again: ", PASSWORD)
    assert t.status() == 0 and PASSWORD not in t.text
    t.close()
    device.run(*arguments(device, name, *root, "--password-file", secret(device)))
    # An invite with a password file is a sign-up as well.
    device.run(*arguments(device, "p" + name, *root, "--invite", invite(instance), "--password-file",
                          secret(device), "--as", "other"))
    assert "(409)" in device.err(*arguments(device, name, *root, "--sign-up", "--invite", invite(instance),
                                            "--password-file", secret(device)), status=NO)
    t = device.terminal(*arguments(device, "q" + name, *root, "--sign-up", "--as", "q"))
    t.answer("New password: ", PASSWORD)
    t.answer("Again: ", PASSWORD + "x")
    t.expect("the two passwords differ")
    assert t.status() == USAGE
    t.close()


def test_open_sign_up(make_instance, devices):
    own = make_instance()
    own.ctl("set", "signup", "open")
    own.start("cad-signer")
    own.start("cad")
    device = devices()
    device.instance = own
    device.run(*arguments(device, "walk-in_1", "--root", own.root_pem, "--sign-up", "--password-file",
                          secret(device)))
    assert device.json("whoami")["user"] == "walk-in_1"


def test_addresses_as_hosts(instance, device, ann):
    for host, profile in (("127.0.0.1", "127.0.0.1"), ("[::1]", "__1")):
        device.run("enroll", device.target(host), "--user", ann.upper(), "--root", instance.root_pem,
                   "--password-file", secret(device))
        assert device.json("whoami")["profile"] == profile
        device.run("daytime")
        device.run("ca", "check")


def test_somebody_elses_profile_is_not_written_over(instance, device, ann):
    device.enroll(instance, ann, PASSWORD)
    before = device.content("localhost")
    said = device.err(*arguments(device, "b" + ann, "--root", instance.root_pem), status=USAGE)
    assert f'profile "localhost" is that of {ann} at localhost:' in said and "--as NAME" in said
    assert device.content("localhost") == before
    # One's own is, with a new key, and whole.
    device.enroll(instance, ann, PASSWORD)
    after = device.content("localhost")
    assert sorted(after) == sorted(before) and after["key.pem"] != before["key.pem"]
    device.run("whoami")


def test_a_failed_enrolment_leaves_the_old_profile(instance, device, ann):
    device.enroll(instance, ann, PASSWORD)
    before = device.content("localhost")
    device.run(*arguments(device, ann, "--root", instance.root_pem, "--password-file", secret(device, "wrong one")),
               status=NO)
    assert device.content("localhost") == before and device.names() == ["current", "localhost"]


# -- profiles ------------------------------------------------------------------------------------


def test_several_servers(instance, make_instance, devices, ann):
    other = make_instance(domain="other.test")
    other.account("bea", PASSWORD)
    for service in ("cad-signer", "cad"):
        other.start(service)
    device = devices()
    assert device.json("profile", "list") == []
    device.enroll(instance, ann, PASSWORD, "--as", "first")
    device.enroll(other, "bea", PASSWORD, "--as", "second")
    rows = {row["profile"]: row for row in device.json("profile")}
    assert {name: (r["user"], r["state"], r["current"]) for name, r in rows.items()} == {
        "first": (ann, "enrolled", ""), "second": ("bea", "enrolled", "yes")}
    assert device.json("whoami")["user"] == "bea"
    assert device.json("--profile", "first", "whoami")["user"] == ann
    assert device.json("whoami", "--profile=first")["address"] == f"{ann}@quintet.test"
    device.run("profile", "use", "first")
    assert device.json("whoami")["user"] == ann
    # The one server is not to be trusted with the other's root.
    account = device.profiles / "second/account"
    account.write_text(account.read_text().replace(str(other.ports["ca"]), str(instance.ports["ca"])))
    assert "is not trusted" in device.err("--profile", "second", "whoami", status=UNTRUSTED)
    for words in (["use", "none"], ["use", "../first"], ["remove", "none"], ["remove", ".."]):
        assert "there is no profile" in device.err("profile", *words, status=USAGE)
    device.run("profile", "remove", "first")
    assert device.names() == ["second"]
    assert "no profile is chosen" in device.err("whoami", status=USAGE)


# -- renewal -------------------------------------------------------------------------------------


def serial(device, profile="localhost"):
    return subprocess.run(["openssl", "x509", "-in", device.profiles / profile / "cert.pem", "-noout", "-serial"],
                          check=True, capture_output=True, text=True).stdout.strip()[7:].lower()


def test_renew(instance, device, ann):
    device.enroll(instance, ann, PASSWORD)
    first, key = serial(device), device.content("localhost")["key.pem"]
    assert device.out("renew", "--if-due") == "" and serial(device) == first
    assert device.json("renew", "--if-due")["renewed"] == "no"
    assert "is renewed until" in device.out("renew")
    assert serial(device) != first and device.content("localhost")["key.pem"] == key
    assert device.json("renew", "--new-key")["renewed"] == "yes"
    files = device.content("localhost")
    assert files["key.pem"] != key and sorted(files) == [
        "account", "cert.pem", "chain.pem", "directory", "key.pem", "root.pem"]
    assert device.json("whoami")["certificate"] == serial(device)


def test_renew_interrupted_between_its_files(instance, device, ann):
    """Every state that a crash can leave behind is usable, and the next renewal mends it."""
    device.enroll(instance, ann, PASSWORD)
    place = device.profiles / "localhost"
    old = device.content("localhost")
    device.run("renew", "--new-key")
    new = device.content("localhost")
    states = [
        {"key.pem": old, "cert.pem": old, "key.next": new}, {"key.pem": old, "cert.pem": new, "key.next": new},
        {"key.pem": new, "cert.pem": new, "key.next": new},
    ]
    for state, again in itertools.product(states, (["renew"], ["renew", "--new-key"])):
        for name, source in state.items():
            (place / name).write_bytes(source["key.pem" if name == "key.next" else name])
            (place / name).chmod(0o600)
        device.run("whoami")
        device.run(*again)
        assert "key.next" not in device.content("localhost")
        device.run("whoami")
    (place / "key.pem").write_bytes(old["key.pem"])
    assert "no key that fits" in device.err("whoami", status=USAGE)
    device.run("status")
    device.enroll(instance, ann, PASSWORD)
    device.run("whoami")


def test_renew_killed_anywhere(instance, device, ann):
    device.enroll(instance, ann, PASSWORD)
    for i in range(24):
        process = device.start("renew", "--new-key")
        time.sleep(0.004 * i)
        process.kill()
        process.communicate()
        assert device.json("whoami")["user"] == ann, i


def test_renew_after_revocation(instance, device, ann):
    device.enroll(instance, ann, PASSWORD)
    assert "this device's own" in device.out("ca", "revoke", serial(device))
    said = device.err("renew", status=NO)
    assert "(403)" in said and "run quintet enroll again" in said
    assert device.json("whoami", status=NO)["user"] == ann
    device.enroll(instance, ann, PASSWORD)
    device.run("renew")


# -- account -------------------------------------------------------------------------------------


def test_whoami(instance, device, ann):
    device.enroll(instance, ann, PASSWORD)
    mine = device.json("whoami")
    assert mine["user"] == ann and mine["address"] == f"{ann}@quintet.test" and mine["proof"] == "certificate"
    assert mine["certificate"] == serial(device)
    text = device.out("whoami")
    assert all(value in text for value in mine.values())


def test_whoami_without_the_server(make_instance, devices):
    own = make_instance()
    own.account("ann", PASSWORD)
    own.start("cad-signer")
    cad = own.start("cad")
    device = devices()
    device.enroll(own, "ann", PASSWORD)
    cad.stop()
    done = device.run("whoami", "--json", status=TEMPORARY)
    assert json.loads(done.stdout)["user"] == "ann" and "cannot reach" in done.stderr


def test_password(instance, device, ann):
    device.enroll(instance, ann, PASSWORD)
    t = device.terminal("password")
    t.answer("New password: ", "another good password")
    t.answer("Again: ", "another good password")
    t.expect(f"the password of {ann} is changed")
    assert t.status() == 0 and t.echoes() and "another" not in t.text
    t.close()
    root = ["--root", instance.root_pem, "--password-file", secret(device)]
    assert "(401)" in device.err(*arguments(device, ann, *root), status=NO)
    assert device.json("password", "--password-file", "-", input=PASSWORD + "\n") == {"user": ann}
    device.run(*arguments(device, ann, *root))
    assert "(400)" in device.err("password", "--password-file", "-", input="short\n", status=NO)
    t = device.terminal("password")
    t.answer("New password: ", "one thing or the other")
    t.expect("Again: ")
    t.wait_echo(False)
    t.send("\x03")
    assert t.status() == INTERRUPTED and t.echoes()
    t.close()


# -- the command line ----------------------------------------------------------------------------


def test_help_and_manual_agree(device):
    manual = (TOP / "units/man/quintet.1").read_text()
    assert all(f"  {command} " in device.out("--help") for command in COMMANDS)
    assert device.out("--version").startswith("quintet ")
    for command in COMMANDS:
        text = device.out(command, "--help")
        assert text == device.out(command, "-h") and text.startswith(f"usage: quintet {command}")
        assert re.search(rf"^\.It Cm {command}\b", manual, re.M)
        for option in re.findall(r"--([a-z0-9-]+)", text):
            assert re.search(rf"Fl -{option}\b", manual), option


def test_usage(device):
    for args, told in (
            ([], "no server is known yet"), (["--plain", "status"], "without a command"),
            (["bogus"], 'no command "bogus"'), (["--bogus"], "no option --bogus"),
            (["-x"], "no option -x"), (["--timeout", "0", "status"], "1 to 3600"), (["--timeout"], "needs a value"),
            (["--json=x", "status"], "takes no value"), (["status", "x"], "one word too many: x"),
            (["status", "--bogus"], "no option --bogus"), (["enroll"], "which server?"),
            (["enroll", "h"], "--user NAME is missing"), (["enroll", "h", "--user", "ro:ot"], "no account's name"),
            (["enroll", "h", "--user", "a" * 33], "no account's name"), (["enroll", "h", "--user", ""], "no account"),
            (["enroll", "h:0", "--user", "a"], "no host"), (["enroll", "h:99999", "--user", "a"], "no host"),
            (["enroll", "[::1", "--user", "a"], "no host"), (["enroll", "a b", "--user", "a"], "no host"),
            (["enroll", "h", "--user", "a", "--as", "../x"], "cannot be a profile's name"),
            (["enroll", "h" * 64, "--user", "a"], "--as NAME"), (["enroll", "h", "--user"], "needs a value: NAME"),
            (["enroll", "h", "--user", "a", "--root", "r", "--fingerprint", "f"], "exclude each other"),
            (["daytime", "--offset", "--epoch"], "exclude each other"), (["daytime", "--token", "x"], "goes with"),
            (["profile", "use"], "takes list"), (["ca", "bogus"], 'no action "bogus"'),
            (["ca", "revoke"], "wrong number"), (["ca", "list", "x"], "wrong number"),
            (["renew", "-kx"], "no option -x"), (["password", "x"], "one word too many")):
        done = device.run(*args, status=USAGE)
        assert done.stdout == "" and told in done.stderr, (args, done.stderr)
    for words, told in ((["help"], "enroll "), (["help", "ca"], "usage: quintet ca"), (["-j", "help", "renew"], "--if-due")):
        assert told in device.run(*words).stdout
    assert device.names() == []
    assert "begin with: quintet enroll" in device.err("whoami", status=USAGE)
    assert 'no profile "x"' in device.err("-p", "x", "whoami", status=USAGE)
    bare = {k: v for k, v in device.env.items() if k not in ("HOME", "QUINTET_CLIENT_DIR")}
    assert "set HOME" in device.err("enroll", "h", "--user", "a", status=USAGE, env=bare)
    device.run("profile", env={**bare, "XDG_CONFIG_HOME": str(device.folder / "config")})
