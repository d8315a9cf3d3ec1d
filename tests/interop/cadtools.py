"""What the tests of cad share: stock tools pointed at an instance."""

import base64
import http.client
import re
import ssl
import subprocess
from pathlib import Path

EST = "/.well-known/est"


def run(*args, check=True, **more):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=120, **more)
    if check:
        assert done.returncode == 0, f"{args}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def new_key(path, kind="ec"):
    options = {
        "ec": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "p384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        "p224": ["EC", "-pkeyopt", "ec_paramgen_curve:P-224"],
        "rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        "rsa1024": ["RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
        "ed25519": ["ED25519"],
    }[kind]
    run("openssl", "genpkey", "-algorithm", *options, "-out", path)
    return path


def new_csr(key, subject, *options, form="DER"):
    path = Path(f"{key}.csr")
    run("openssl", "req", "-new", "-config", "/dev/null", "-key", key, "-subj", subject, "-outform", form,
        "-out", path, *options)
    return path


class Person:
    """An account with key and certificate files of its own."""

    def __init__(self, instance, name, password="a password of some length", make=True):
        self.instance, self.name, self.password = instance, name, password
        self.work = instance.root / "work"
        self.key = new_key(self.work / f"{name}-{id(self)}.key")
        self.cert = self.work / f"{name}-{id(self)}.pem"
        if make:
            instance.account(name, password)

    @property
    def auth(self):
        return f"{self.name}:{self.password}"

    def enroll(self):
        csr = new_csr(self.key, f"/CN={self.name}")
        status, headers, body = post(self.instance, EST + "/simpleenroll", base64.b64encode(csr.read_bytes()),
                                     user=self.auth)
        assert status == 200, body
        save_p7(body, self.cert)
        return self

    def serial(self):
        return run("openssl", "x509", "-in", self.cert, "-noout", "-serial").stdout.strip()[7:].lower()


def save_p7(body, path):
    """The certificates of an EST answer as PEM; their count."""
    done = subprocess.run(["openssl", "pkcs7", "-inform", "DER", "-print_certs"], check=True,
                          input=base64.b64decode(body, validate=False), capture_output=True)
    path.write_bytes(done.stdout)
    return done.stdout.count(b"BEGIN CERTIFICATE")


def connection(instance, person=None):
    context = ssl.create_default_context(cafile=str(instance.root_pem))
    if person:
        context.load_cert_chain(str(person.cert), str(person.key))
    return http.client.HTTPSConnection("localhost", instance.ports["ca"], context=context, timeout=60)


def request(instance, method, path, body=None, kind="application/pkcs10", user=None, person=None,
            headers=None):
    """One request on a connection of its own: status, headers, body."""
    c = connection(instance, person)
    all_headers = {"Content-Type": kind} if body is not None else {}
    if user:
        all_headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
    c.request(method, path, body, {**all_headers, **(headers or {})})
    answer = c.getresponse()
    data = answer.read()
    c.close()
    return answer.status, answer.headers, data


def post(instance, path, body, **more):
    return request(instance, "POST", path, body, **more)


def get(instance, path, **more):
    return request(instance, "GET", path, **more)


def form(instance, path, fields, **more):
    from urllib.parse import urlencode
    return post(instance, path, urlencode(fields).encode(), kind="application/x-www-form-urlencoded", **more)


def fetch_crls(instance, path):
    """Root's and issuing CA's list, in one PEM file."""
    text = ""
    for number in (0, 1):
        der = path.with_suffix(f".{number}.crl")
        run("curl", "-sS", "--fail", "-o", der,
            f"http://localhost:{instance.ports['ca_plain']}/ca/{number}.crl")
        text += run("openssl", "crl", "-inform", "DER", "-in", der).stdout
    path.write_text(text)
    return path


def verify(instance, cert, *options, check=True):
    crls = fetch_crls(instance, instance.root / "work/all.crl")
    return run("openssl", "verify", "-x509_strict", "-crl_check_all", "-CRLfile", crls, "-CAfile",
               instance.root_pem, "-untrusted", instance.chain_pem, *options, cert, check=check)


def ocsp(instance, cert, url=None):
    """What stock openssl makes of it: "good", "revoked" or "unknown"."""
    url = url or f"http://localhost:{instance.ports['ca_plain']}/ocsp"
    done = run("openssl", "ocsp", "-issuer", instance.chain_pem, "-cert", cert, "-url", url, "-CAfile",
               instance.root_pem, "-verify_other", instance.chain_pem)
    assert "Response verify OK" in done.stderr, done.stderr
    return re.search(r": (good|revoked|unknown)", done.stdout).group(1)
