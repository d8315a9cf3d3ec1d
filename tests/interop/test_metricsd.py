"""metricsd and quintetctl stats and metrics: the figures are right, and Prometheus' own checker agrees."""

import json
import re
import shutil
import socket
import subprocess
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from instance import until
from ircs import PASSWORD, Irc


def parse(text):
    """The exposition as {name{labels}: value}; every line has to be one of the three forms."""
    values, described, typed = {}, set(), set()
    for line in text.splitlines():
        if m := re.fullmatch(r"# HELP (quintet_[a-z_]+) .+\.", line):
            assert m[1] not in described
            described.add(m[1])
        elif m := re.fullmatch(r"# TYPE (quintet_[a-z_]+) (gauge|counter)", line):
            assert m[1] in described and (m[2] == "counter") == m[1].endswith("_total")
            typed.add(m[1])
        else:
            m = re.fullmatch(r'((quintet_[a-z_]+)(?:\{[a-z]+="(?:[^"\\]|\\.)*"\})?) (-?[0-9.]+)', line)
            assert m and m[2] in typed and m[1] not in values, line
            values[m[1]] = float(m[3])
    return values


def fetch(port, request=b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", host="127.0.0.1"):
    with socket.create_connection((host, port), timeout=30) as s:
        s.sendall(request)
        answer = b""
        while more := s.recv(65536):
            answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.decode(), body.decode()


@pytest.fixture(name="house", scope="module")
def fixture_house(instance):
    instance.account("metric", PASSWORD)
    return instance, instance.start("metricsd")


def test_the_figures_over_http(house):
    instance, metricsd = house
    with Irc(instance, "metric", account=("metric", PASSWORD)):
        live = 'quintet_sessions{service="chatd"}'
        until(lambda: parse(fetch(metricsd.port)[1])[live] >= 1, what="the session is counted")
    head, text = fetch(metricsd.port, host="::1")
    assert head.startswith("HTTP/1.1 200") and "text/plain; version=0.0.4; charset=utf-8" in head
    values = parse(text)
    assert values["quintet_signer_up"] == 1 and values["quintet_accounts"] >= 1
    assert 0 < values['quintet_certificate_seconds_left{name="tls"}'] < 91 * 86400
    assert values['quintet_certificate_seconds_left{name="root"}'] > 10 * 365 * 86400
    assert values["quintet_store_used_bytes"] < values["quintet_store_map_bytes"]
    assert 0 < values["quintet_disk_free_bytes"] < values["quintet_disk_bytes"]
    assert "metric" not in text.replace("quintet_metric", ""), "nobody is named"


def test_the_readers_of_prometheus_agree(house):
    """The parser of its Python library; and where it is installed, its tool that finds fault with names."""
    instance, _ = house
    text = instance.ctl("metrics").stdout
    ours = parse(text)
    theirs = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation and family.type in ("gauge", "counter"), family
        for sample in family.samples:
            labels = ",".join(f'{key}="{value}"' for key, value in sample.labels.items())
            theirs[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    assert theirs == ours
    if not shutil.which("promtool"):
        return
    done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_stats_agree_with_metrics(house):
    instance, _ = house
    stats = json.loads(instance.ctl("--json", "stats").stdout)
    values = parse(instance.ctl("metrics").stdout)
    for ours, theirs in {"accounts": "accounts", "mail_messages": "mail_messages", "files": "files",
                         "certificates_valid": 'certificates{state="valid"}'}.items():
        assert stats[ours] == values["quintet_" + theirs], ours
    assert stats["audit_rows"] <= values["quintet_audit_rows"] and stats["audit_closed"] == 0
    assert stats["map_bytes"] == 64 << 30
    assert "CERTIFICATES VALID" in instance.ctl("stats").stdout


@pytest.mark.parametrize("request_bytes, status", ids=["path", "body", "tls", "target", "headers"], argvalues=[
    (b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", "404"),
    (b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", "413"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", "400"),
    (b"GET /" + b"x" * 100000 + b"\r\n", "414"),
    (b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 3000, "431"),
])
def test_hostile_bytes(house, request_bytes, status):
    _, metricsd = house
    with socket.create_connection(("127.0.0.1", metricsd.port), timeout=30) as s:
        try:
            s.sendall(request_bytes)
            answer = s.recv(65536).decode()
        except ConnectionResetError:
            answer = f"HTTP/1.1 {status}"  # closed while there was more to come
    assert answer.startswith(f"HTTP/1.1 {status}")
    assert fetch(metricsd.port)[0].startswith("HTTP/1.1 200")


@pytest.mark.release_only
def test_who_is_slow_is_left(house):
    """A byte now and then does not hold the door open for longer than it says."""
    _, metricsd = house
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", metricsd.port), timeout=30) as s:
        with pytest.raises(OSError):
            while time.monotonic() - began < 20:
                s.sendall(b"G")
                s.settimeout(0.5)
                try:
                    if s.recv(100) == b"":
                        raise ConnectionResetError
                except TimeoutError:
                    pass
    assert 4 < time.monotonic() - began < 15
