"""Certificates per second through cad: EST simplereenroll with a client certificate. Beside it the
floor: what `openssl speed` and the disk's flush allow, and cfssl where it is installed."""

import base64
import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request

import cpu
from process import TOP
from table import Figure, Plot, ratio, show

sys.path.insert(0, str(TOP / "tests/interop"))

from cadtools import EST, Person, connection, new_csr  # noqa: E402
from instance import Instance, free_port, until  # noqa: E402

REPETITIONS = 5
ISSUES = 40
CLIENTS = 4
CFSSL_CONFIG = {"signing": {"default": {"expiry": "720h", "usages": ["digital signature", "client auth"]}}}


def post(link, csr):
    link.request("POST", EST + "/simplereenroll", csr, {"Content-Type": "application/pkcs10"})
    answer = link.getresponse()
    body = answer.read()
    if answer.status != 200:
        sys.exit(f"bench: cad answers {answer.status}: {body.decode(errors='replace')}")


def many_connections(instance, person, csr, count):
    for _ in range(count):
        link = connection(instance, person)
        post(link, csr)
        link.close()


def one_connection(instance, person, csr, count):
    with contextlib.closing(connection(instance, person)) as link:
        for _ in range(count):
            post(link, csr)


def at_once(work, instance, people, count):
    with concurrent.futures.ThreadPoolExecutor(len(people)) as pool:
        jobs = [pool.submit(work, instance, *person, count // len(people)) for person in people]
        for job in jobs:
            job.result()


class Cad:
    """cad and its signer, in wait mode, with their accounts."""

    def __init__(self, stack):
        self.instance = Instance()
        stack.callback(self.instance.close)
        self.group = cpu.Group("issuing")
        stack.callback(self.end)
        for name in ("cad-signer", "cad"):
            self.group.enter(self.instance.start(name).pid)
        self.people = []
        for i in range(CLIENTS):
            person = Person(self.instance, f"bench{i}").enroll()
            csr = new_csr(person.key, f"/CN={person.name}", "-addext",
                          f"subjectAltName=email:{person.name}@{self.instance.domain}")
            self.people.append((person, base64.b64encode(csr.read_bytes())))

    def end(self):
        for service in self.instance.services:
            service.stop()
        until(lambda: not (self.group.path / "cgroup.procs").read_text(), what="the end of all")
        self.group.close()

    def sample(self, work, clients):
        used, began = cpu.used_ms(self.group.path), time.monotonic()
        at_once(work, self.instance, self.people[:clients], ISSUES)
        seconds = time.monotonic() - began
        return ISSUES / seconds, (cpu.used_ms(self.group.path) - used) / ISSUES


class Cfssl:
    """`cfssl serve` with a P-256 CA of its own: plain HTTP, no log-in, no store."""

    def __init__(self, stack, instance):
        self.work = instance.path("work")
        key, cert, config = (self.work / f"cfssl.{kind}" for kind in ("key", "pem", "json"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-subj", "/CN=bench", "-keyout", key, "-out", cert],
                       check=True, capture_output=True)
        config.write_text(json.dumps(CFSSL_CONFIG))
        instance.give(self.work)
        self.group = cpu.Group("cfssl")
        stack.callback(self.group.close)
        port = free_port()
        service = instance.spawn("cfssl", [shutil.which("cfssl"), "serve", "-address", "127.0.0.1", "-port",
                                           str(port), "-ca", str(cert), "-ca-key", str(key), "-config",
                                           str(config)])
        stack.callback(service.stop)
        self.group.enter(service.pid)
        until(lambda: "Now listening" in service.text(), what="cfssl")
        self.url = f"http://127.0.0.1:{port}/api/v1/cfssl/sign"

    def sample(self, csr_pem):
        body = json.dumps({"certificate_request": csr_pem, "hosts": [""]}).encode()
        used, began = cpu.used_ms(self.group.path), time.monotonic()
        for _ in range(ISSUES):
            with urllib.request.urlopen(self.url, body, timeout=10) as answer:
                if not json.load(answer)["success"]:
                    sys.exit("bench: cfssl does not sign")
        seconds = time.monotonic() - began
        return ISSUES / seconds, (cpu.used_ms(self.group.path) - used) / ISSUES


def speed():
    """Milliseconds of one operation, by openssl speed."""
    done = subprocess.run(["openssl", "speed", "-seconds", "1", "ecdsap256", "ecdhx25519", "ecdhp256"],
                          check=True, capture_output=True, text=True, timeout=60).stdout
    number = r"\s+([\d.]+)s" * 2 + r"\s+([\d.]+)\s+([\d.]+)"
    sign, verify = (1e3 / float(n) for n in re.search(r"ecdsa \(nistp256\)" + number, done).groups()[2:])
    x25519, p256 = (1e3 / float(re.search(rf"ecdh \({name}\)\s+[\d.]+s\s+([\d.]+)", done)[1])
                    for name in ("X25519", "nistp256"))
    return {"ECDSA P-256 sign": sign, "ECDSA P-256 verify": verify, "X25519": x25519, "ECDH P-256": p256}


def flush_ms(folder, count=50):
    """One write of a page and its flush, where the store lies."""
    path = folder / "flush"
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        began = time.monotonic()
        for _ in range(count):
            os.pwrite(fd, b"x" * 4096, 0)
            os.fdatasync(fd)
        return (time.monotonic() - began) * 1e3 / count
    finally:
        os.close(fd)
        path.unlink()


WAYS = (("cad, a connection each", many_connections, 1),
        ("cad, one kept connection", one_connection, 1),
        (f"cad, {CLIENTS} kept connections", one_connection, CLIENTS))
CFSSL = "cfssl serve, plain HTTP (no TLS, log-in or store)"


def measure():
    samples = {name: [] for name, _, _ in WAYS}
    floors = []
    with contextlib.ExitStack() as stack:
        cad = Cad(stack)
        cfssl = Cfssl(stack, cad.instance) if shutil.which("cfssl") else None
        csr = new_csr(cad.people[0][0].key, "/CN=bench0", form="PEM").read_text()
        for _ in range(REPETITIONS):
            floors.append({**speed(), "flush of a page": flush_ms(cad.instance.path("work"))})
            for name, work, clients in WAYS:
                samples[name].append(cad.sample(work, clients))
            if cfssl:
                samples.setdefault(CFSSL, []).append(cfssl.sample(csr))
    return samples, {name: Figure(f[name] for f in floors) for name in floors[0]}


PLOTS = (Plot("certificates/s", "How many certificates are issued a second?", "certificates/s", ("cad",)),
         Plot("CPU ms each (cad and signer)", "What CPU does a certificate cost?", "ms", ("cad",), less=True))


def main():
    samples, floor = measure()
    show(f"issuing: EST simplereenroll with a client certificate, {REPETITIONS} x {ISSUES}, "
         "medians (min..max)",
         ["way", "certificates/s", "CPU ms each (cad and signer)"],
         [[name, Figure(s[0] for s in of), Figure(s[1] for s in of)] for name, of in samples.items()], PLOTS)
    if CFSSL not in samples:
        print("  missing: cfssl (apt-get install golang-cfssl), for comparison")
    print("  missing: libest's server is not in Debian")
    show("floor: one core, openssl speed, and the disk", ["operation", "ms", "per second"],
         [[name, f, f"{1e3 / f.median:.0f}"] for name, f in floor.items()])
    # Proof in the request, the old certificate's chain in the signer; the signature.
    once = floor["ECDSA P-256 sign"].median + 2 * floor["ECDSA P-256 verify"].median
    handshake = (floor["ECDSA P-256 sign"].median + 3 * floor["ECDSA P-256 verify"].median +
                 2 * floor["X25519"].median)
    cpu_of = {name: Figure(s[1] for s in of).median for name, of in samples.items()}
    print(f"  floor of an issue (1 sign, 2 verify): {once:.2f} ms; with its handshake (1 sign, 3 verify, "
          f"2 X25519 more): {once + handshake:.2f} ms")
    ratio("CPU, kept connection / floor", cpu_of[WAYS[1][0]] / once)
    ratio("CPU, a connection each / floor with handshake", cpu_of[WAYS[0][0]] / (once + handshake))


if __name__ == "__main__":
    main()
