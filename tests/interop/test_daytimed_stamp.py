"""RFC 3161 time stamps from daytimed, asked for with curl and verified with openssl."""

import re
import subprocess

import pytest

import talk


@pytest.fixture(scope="module", params=["daytime", "timestamp"])
def url(instance, request):
    """Both doors: by ALPN on the first, without need of it on the second."""
    return f"https://{instance.host}:{instance.ports[request.param]}"


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "document"
    path.write_bytes(b"what was there before the stamp\n" * 100)
    return path


def openssl(*args, check=True):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=False)
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def curl(instance, *args, check=True):
    done = subprocess.run(["curl", "-sS", "--max-time", "20", "--cacert", instance.root_pem,
                           *map(str, args)], capture_output=True, text=True, check=False)
    if check:
        assert done.returncode == 0, done.stderr
    return done


def stamp(instance, url, query, reply, *more):
    curl(instance, "-H", "Content-Type: application/timestamp-query", "--data-binary", f"@{query}",
         "-o", reply, *more, url)
    return openssl("ts", "-reply", "-in", reply, "-text").stdout


@pytest.mark.parametrize("digest", ["-sha256", "-sha384", "-sha512"])
def test_stamp_is_verified(instance, url, document, tmp_path, digest):
    query, reply = tmp_path / "q", tmp_path / "r"
    openssl("ts", "-query", "-data", document, "-cert", digest, "-out", query)
    text = stamp(instance, f"{url}/tsa", query, reply, "--fail")
    assert "Status: Granted." in text and "Ordering: no" in text
    assert re.search(r"Policy OID: 2\.25\.\d+", text)
    assert re.search(r"Time stamp: .*:\d\d\.\d{1,6} \d{4} GMT", text)
    for what in (["-data", document], ["-queryfile", query]):
        openssl("ts", "-verify", *what, "-in", reply, "-CAfile", instance.root_pem,
                "-untrusted", instance.chain_pem)
    # The issuing certificate came along: the root alone is enough.
    openssl("ts", "-verify", "-data", document, "-in", reply, "-CAfile", instance.root_pem)


def test_another_document_is_not_verified(instance, url, document, tmp_path):
    query, reply = tmp_path / "q", tmp_path / "r"
    openssl("ts", "-query", "-data", document, "-cert", "-sha256", "-out", query)
    stamp(instance, url, query, reply)
    document.write_bytes(b"something else")
    done = openssl("ts", "-verify", "-data", document, "-in", reply, "-CAfile", instance.root_pem,
                   check=False)
    assert done.returncode != 0


def test_serials_differ_and_nonces_are_echoed(instance, url, document, tmp_path):
    serials = set()
    for i in range(5):
        query, reply = tmp_path / f"q{i}", tmp_path / f"r{i}"
        openssl("ts", "-query", "-data", document, "-cert", "-sha256", "-out", query)
        asked = openssl("ts", "-query", "-in", query, "-text").stdout
        text = stamp(instance, url, query, reply)
        assert re.search(r"Nonce: (\S+)", asked)[1] == re.search(r"Nonce: (\S+)", text)[1]
        serials.add(re.search(r"Serial number: 0x(\w+)", text)[1])
    assert len(serials) == 5 and min(map(len, serials)) >= 26


@pytest.mark.parametrize("options,failure", [
    (["-sha1"], "unrecognized or unsupported algorithm identifier"),
    (["-sha3-256"], "unrecognized or unsupported algorithm identifier"),
    (["-sha256", "-tspolicy", "1.2.3.4"], "the requested TSA policy is not supported by the TSA"),
])
def test_unacceptable_queries_are_rejected_in_the_reply(
        instance, url, document, tmp_path, options, failure):
    query, reply = tmp_path / "q", tmp_path / "r"
    openssl("ts", "-query", "-data", document, "-cert", *options, "-out", query)
    text = stamp(instance, url, query, reply, "--fail")
    assert "Status: Rejected." in text and failure in text


def test_garbage_query_is_rejected_in_the_reply(instance, url, tmp_path):
    query, reply = tmp_path / "q", tmp_path / "r"
    query.write_bytes(b"\x30\x03\x02\x01\x07")
    assert "Status: Rejected." in stamp(instance, url, query, reply, "--fail")


def status(instance, *args):
    return curl(instance, "-o", "/dev/null", "-w", "%{http_code}", *args).stdout


def test_http_errors(instance, url, tmp_path):
    big = tmp_path / "big"
    big.write_bytes(b"\x30" * 9000)
    kind = ["-H", "Content-Type: application/timestamp-query"]
    assert status(instance, url) == "200"
    assert status(instance, "-I", url) == "200"
    assert status(instance, f"{url}/tsa") == "405"
    assert status(instance, "-X", "DELETE", url) == "405"
    assert status(instance, f"{url}/elsewhere") == "404"
    assert status(instance, "-d", "x", f"{url}/tsa") == "415"
    assert status(instance, *kind, "-d", "", f"{url}/tsa") == "400"
    assert status(instance, *kind, "--data-binary", f"@{big}", f"{url}/tsa") == "413"
    assert status(instance, "-H", "X: " + "y" * 9000, url) == "431"
    assert status(instance, *kind, "-H", "Transfer-Encoding: chunked", "-d", "x", url) == "501"
    assert "openssl ts -query" in curl(instance, url).stdout


def test_many_queries_on_one_connection(instance, url, document, tmp_path):
    query = tmp_path / "q"
    openssl("ts", "-query", "-data", document, "-cert", "-sha256", "-out", query)
    args = []
    for i in range(10):
        args += ["--next"] if i else []
        args += ["--cacert", instance.root_pem, "-H", "Content-Type: application/timestamp-query",
                 "--data-binary", f"@{query}", "-o", tmp_path / f"r{i}", "-w", "%{num_connects} ",
                 f"{url}/tsa"]
    assert curl(instance, *args).stdout.split() == ["1"] + ["0"] * 9
    for i in range(10):
        openssl("ts", "-verify", "-data", document, "-in", tmp_path / f"r{i}", "-CAfile",
                instance.root_pem)


def test_query_byte_by_byte(instance, url, document, tmp_path):
    query = tmp_path / "q"
    openssl("ts", "-query", "-data", document, "-sha256", "-out", query)
    body = query.read_bytes()
    head = (b"POST /tsa HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/timestamp-query\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body))
    port = int(url.rsplit(":", 1)[1])
    with talk.connect(instance, port, alpn=["http/1.1"]) as tls:
        for byte in head + body:
            tls.sendall(bytes([byte]))
        answer = talk.read_to_end(tls)
    assert answer.startswith(b"HTTP/1.1 200 ") and b"application/timestamp-reply" in answer


def test_timestamp_door_without_alpn(instance):
    with talk.connect(instance, instance.ports["timestamp"]) as tls:
        tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert talk.read_to_end(tls).startswith(b"HTTP/1.1 200 ")
