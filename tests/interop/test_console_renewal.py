"""The console renews the certificate by itself, and never beside another process."""

import base64
import subprocess
import time

from cryptography.x509 import load_der_x509_csr

from device import NO, OK
from hostile import answer, certs_only
from test_client_hostile import authority, device, renewable, serve  # noqa: F401  (fixtures)

DUE = {"start": -21, "end": 9}


def fresh(authority, body):  # noqa: F811
    return certs_only(authority.user("mallory", load_der_x509_csr(base64.b64decode(body)).public_key()))


def test_renews_by_itself(device, authority, serve):  # noqa: F811
    seen = renewable(device, authority, serve, lambda body: fresh(authority, body), **DUE)
    before = device.content("localhost")["cert.pem"]
    told = device.out("--plain", input="/status\n")
    assert "the certificate is renewed: valid until" in told and len(seen) == 1
    assert device.content("localhost")["cert.pem"] != before
    # This server has nothing else to offer.
    for part in ("chat", "mail", "files", "time"):
        assert f"{part}: localhost does not offer it" in told
    told = device.out("--plain", input="/renew\n")
    assert "the certificate is renewed: valid until" in told and len(seen) == 2
    told = device.out("--plain", input="/status\n")
    assert "is renewed" not in told and len(seen) == 2


def test_tells_why_not(device, authority, serve):  # noqa: F811
    renewable(device, authority, serve, lambda body: b"nonsense", **DUE)
    before = device.content("localhost")["cert.pem"]
    told = device.out("--plain", input="/status\n", status=NO)
    assert "error: certificate not renewed: " in told
    assert "the last attempt failed: " in told
    assert device.content("localhost")["cert.pem"] == before


def test_two_at_once_renew_once(device, authority, serve):  # noqa: F811
    def slow(body):
        time.sleep(0.5)
        return fresh(authority, body)

    seen = renewable(device, authority, serve, slow, **DUE)
    first, second = (subprocess.Popen(device.argv(args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      text=True, env=device.env, cwd=device.folder)
                     for args in (["--plain"], ["renew", "--if-due"]))
    assert first.communicate(timeout=60) and second.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (OK, OK) and len(seen) == 1
