"""The container image, from an empty volume to the second start. The tests are one story in this order."""

import hashlib
import json
import pathlib
import re
import ssl
import subprocess
import sys
import time

import pytest
import yaml
from place import Place

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "systemd"))
from house import PASSWORD  # noqa: E402
from machine import cannot_boot  # noqa: E402

FILES = TOP / "units" / "container"
DOORS = [line.split() for line in (FILES / "doors").read_text().splitlines() if line[0] != "#"]
INSIDE = {row[0]: int(row[1]) for row in DOORS if row[0] != "metrics"}
SETTING = {name: "QUINTET_PORT_" + name.upper().replace("-", "_") for name in INSIDE}
SETTING["ircs"] = "QUINTET_PORT_IRC"
KNOWN = {"daytime": 13, "timestamp": 318, "ftps": 990, "ftp": 21, "ircs": 6697, "imaps": 993,
         "submissions": 465, "ca": 8443, "ca-plain": 8080}


@pytest.fixture(scope="module", name="place")
def fixture_place():
    reason = cannot_boot()
    if reason:
        pytest.skip(f"podman here needs {reason}")
    with Place(TOP / "build" / "container") as p:
        yield p


@pytest.fixture(scope="module", name="image")
def fixture_image(place):
    """What `make image` makes; its programs were built and installed by make check-container."""
    subprocess.run([FILES / "base"], check=True, timeout=500, stdout=subprocess.DEVNULL)  # has a network
    version = re.search(r"(?m)^VERSION := (.*)$", (TOP / "Makefile").read_text()).group(1)
    command = ["env", f"PODMAN={' '.join(place.podman_command())}", FILES / "build", version]
    place.inside(*command, timeout=300)
    return f"quintet:{version}"


class Person:
    """The client outside the container, on the container's network."""

    def __init__(self, place, folder):
        self.place = place
        self.env = {"QUINTET_CLIENT_DIR": str(folder / "client"), "HOME": str(folder)}
        self.program = TOP / "build/release/bin/quintet"

    def __call__(self, *arguments, **more):
        return self.place.inside(self.program, *arguments, env=self.env, **more).stdout


@pytest.fixture(scope="module", name="ann")
def fixture_ann(place, tmp_path_factory):
    return Person(place, tmp_path_factory.mktemp("ann"))


def wait_until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def is_well(place):
    return place.podman("exec", "quintet", "/usr/libexec/quintet/container/health", check=False)


def wait_until_well(place):
    wait_until(lambda: is_well(place).returncode == 0)


def assert_content(ann):
    services = json.loads(ann("--json", "status"))["services"]
    assert [s["state"] for s in services] == ["ok"] * len(INSIDE)
    assert "user:              ann" in ann("whoami")
    assert re.search(r"\d\d:\d\d:\d\d", ann("daytime"))
    assert "kept" in ann("ftp", "ls")
    assert "said before" in ann("chat", "history", "#house")
    assert "written before" in ann("mail", "list")


def test_the_manifests_agree_with_the_doors():
    compose = yaml.safe_load((FILES / "compose.yaml").read_text())["services"]["quintet"]
    published = {tuple(p.split(":")) for p in compose["ports"]}
    assert published == {(str(KNOWN[n]), str(INSIDE[n])) for n in INSIDE} | {("50000-50049",) * 2}
    assert compose["read_only"] and compose["cap_drop"] == ["ALL"]
    documents = {d["kind"]: d for d in yaml.safe_load_all((FILES / "quintet.yaml").read_text())}
    ports = {p["name"]: (p["port"], p["targetPort"]) for p in documents["Service"]["spec"]["ports"]}
    assert {n: ports.pop(n) for n in INSIDE} == {n: (KNOWN[n], INSIDE[n]) for n in INSIDE}
    assert documents["Service"]["spec"]["externalTrafficPolicy"] == "Local"
    stateful = documents["StatefulSet"]["spec"]
    assert stateful["replicas"] == 1 and stateful["updateStrategy"]["type"] == "RollingUpdate"
    assert stateful["volumeClaimTemplates"][0]["spec"]["accessModes"] == ["ReadWriteOncePod"]
    (container,) = stateful["template"]["spec"]["containers"]
    assert {p["name"]: p["containerPort"] for p in container["ports"]} == INSIDE
    assert container["env"] == [{"name": "QUINTET_FTP_PASSIVE", "value": "50000-50007"}]
    assert sorted(ports.values()) == [(p, p) for p in range(50000, 50008)]
    exposed = re.search(r"(?m)^EXPOSE (.*)$", (FILES / "Containerfile").read_text()).group(1).split()
    assert exposed == [*map(str, INSIDE.values()), "50000-50049"]


def test_an_empty_volume_needs_a_name(place, image):
    done = place.start(image, "--rm", name="nameless", volume="nothing", background=False)
    assert done.returncode == 100 and "QUINTET_DOMAIN and QUINTET_HOST" in done.stdout


def test_the_first_start_makes_the_authority(place, image, ann, tmp_path):
    options = [f"--env={SETTING[n]}={port}" for n, port in INSIDE.items()]
    options += ["--env=QUINTET_DOMAIN=quintet.test", "--env=QUINTET_HOST=host.quintet.test"]
    options += ["--env=QUINTET_HOST_NAMES=localhost ::1", "--env=QUINTET_ADMIN=ann"]
    options += ["--env=QUINTET_PLAIN_URL=http://localhost:8080", "--env=QUINTET_METRICS=yes"]
    place.start(image, *options)
    wait_until_well(place)
    said = place.podman("logs", "quintet").stdout
    fingerprint = re.search(r"ROOT SHA256 +([0-9a-f]{64})\n", said).group(1)
    root = place.podman("exec", "quintet", "cat", "conf/pki/root.pem").stdout
    assert hashlib.sha256(ssl.PEM_cert_to_DER_cert(root)).hexdigest() == fingerprint
    invite = re.search(r"TOKEN +(\S+)", said).group(1)
    (tmp_path / "password").write_text(PASSWORD + "\n")
    (tmp_path / "password").chmod(0o600)
    proof = ["--fingerprint", fingerprint, "--invite", invite, "--password-file", tmp_path / "password"]
    ann("enroll", "localhost:8443", "--user", "ann", *proof)
    (tmp_path / "kept").write_text("put before\n")
    ann("ftp", "put", tmp_path / "kept")
    ann("chat", "send", "--join", "#house", "said before")
    letter = ["sh", "-c", f"echo text | {ann.program} mail send -s 'written before' ann"]
    place.inside(*letter, env=ann.env)
    assert_content(ann)
    ann("daytime", "--stamp", tmp_path / "kept")
    assert "kept" in ann("daytime", "--verify", tmp_path / "kept")


def test_figures_are_there_for_who_asked_for_them(place):
    assert "quintet_" in place.inside("curl", "-sS", "--max-time", "20", "http://[::1]:9547/metrics").stdout


def test_the_walls(place):
    text = place.podman("exec", "quintet", "cat", "/proc/1/status").stdout
    status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert status["Name"] == "tini" and status["Uid"].split() == ["900"] * 4
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert {status[k] for k in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    written = place.podman("exec", "quintet", "touch", "/usr/x", check=False)
    assert written.returncode != 0 and "Read-only file system" in written.stdout
    assert "no Landlock" not in place.podman("logs", "quintet").stdout
    # keys are closed to others who reach the volume
    modes = place.podman("exec", "quintet", "stat", "-c", "%a", "conf/credentials", "conf/root.key")
    assert modes.stdout.split() == ["700", "600"]


def test_what_is_killed_comes_back(place, ann):
    for program in ("keeper", "cad-signer", "xinetd"):
        script = f"for p in /proc/[0-9]*; do read -r n <$p/comm && [ $n = {program} ] && kill -9 ${{p#/proc/}}; done; :"
        place.podman("exec", "quintet", "bash", "-c", script)
    wait_until(lambda: place.podman("logs", "quintet").stdout.count("; again in a second") == 3)
    wait_until_well(place)
    said = place.podman("logs", "quintet").stdout
    again = re.findall(r"(?m)^quintet: (\S+) ended with status 137; again in a second$", said)
    assert sorted(again) == ["cad-signer", "keeper", "xinetd"]
    assert_content(ann)


def test_no_second_container_on_the_volume(place, image, ann):
    done = place.start(image, "--rm", name="second", background=False)
    assert done.returncode != 0 and "must share one PID namespace" in done.stdout, done.stdout
    assert_content(ann)


def open_session(place):
    """A live daytime dialogue, as a process."""
    command = ["nsenter", "-t", place.holder.pid, "-n", "--", "openssl", "s_client", "-quiet"]
    command += ["-connect", "localhost:10013"]
    process = subprocess.Popen(
        list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert re.search(rb"\d\d:\d\d:\d\d", process.stdout.readline())
    return process


def test_stopped_and_started_again(place, ann):
    session = open_session(place)
    start = time.monotonic()
    place.podman("stop", "--time", "20", "quintet")
    took = time.monotonic() - start
    print(f"stopped in {took:.1f} s")
    assert took < 8
    assert session.wait(30) is not None
    said = place.podman("logs", "quintet").stdout
    assert said.count("quintet: stopped") == 1 and "SIGKILL" not in said
    code = place.podman("inspect", "--format", "{{.State.ExitCode}}", "quintet").stdout.strip()
    assert code == "0"
    place.podman("start", "quintet")
    wait_until_well(place)
    assert place.podman("logs", "quintet").stdout.count("TOKEN") == 1
    assert_content(ann)
    place.podman("exec", "quintet", "quintetctl", "check")
