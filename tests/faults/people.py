"""People who sign up, enrol, revoke and change passwords as fast as they are let, and the journal of
what the server acknowledged to them. The journal is kept here, outside the server's reach."""

import base64
import http.client
import random
import ssl
import threading
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Journal:
    """What was acknowledged, in order; safe for many threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.accounts, self.serials, self.revoked, self.passwords = set(), {}, set(), {}
        self.refused = []

    def note(self, fn, *args):
        with self.lock:
            fn(*args)


class Person(threading.Thread):
    """One thread of load; every network failure is met by trying something else."""

    def __init__(self, port, root_pem, journal, seed):
        super().__init__(daemon=True)
        self.port, self.journal, self.rng = port, journal, random.Random(seed)
        self.context = ssl.create_default_context(cafile=str(root_pem))
        self.halt = threading.Event()
        self.mine = []

    def ask(self, method, path, body=None, headers=None):
        link = http.client.HTTPSConnection("localhost", self.port, timeout=60, context=self.context)
        try:
            link.request(method, path, body, headers or {})
            answer = link.getresponse()
            return answer.status, answer.read()
        finally:
            link.close()

    def basic(self, name, password):
        pair = base64.b64encode(f"{name}:{password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}

    def sign_up(self):
        name = f"u{self.rng.randrange(10**12)}"
        password = f"first-{self.rng.randrange(10**9)}"
        status, text = self.ask("POST", "/account/create",
                                urllib.parse.urlencode({"name": name, "password": password}), FORM)
        if status == 201:
            self.mine.append((name, password))
            self.journal.note(self.journal.accounts.add, name)
            self.journal.note(self.journal.passwords.__setitem__, name, password)
        elif status not in (503, 429):
            self.journal.note(self.journal.refused.append, (status, text))

    def enroll(self):
        name, password = self.rng.choice(self.mine)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
        der = csr.public_bytes(serialization.Encoding.DER)
        headers = {"Content-Type": "application/pkcs10", **self.basic(name, password)}
        status, text = self.ask("POST", "/.well-known/est/simpleenroll", base64.b64encode(der), headers)
        if status != 200:
            return
        cert = pkcs7.load_der_pkcs7_certificates(base64.b64decode(text))[0]
        self.journal.note(self.journal.serials.__setitem__, f"{cert.serial_number:032x}", name)

    def change_password(self):
        """Which one holds is not known until the answer is there; what is not known is not used again."""
        name, old = self.mine.pop(self.rng.randrange(len(self.mine)))
        new = f"later-{self.rng.randrange(10**9)}"
        self.journal.note(self.journal.passwords.pop, name)
        status, _ = self.ask("POST", "/account/password", urllib.parse.urlencode({"new": new}),
                             {**FORM, **self.basic(name, old)})
        if status == 200:
            self.mine.append((name, new))
            self.journal.note(self.journal.passwords.__setitem__, name, new)

    def revoke(self):
        with self.journal.lock:
            own = {n for n, _ in self.mine}
            open_ = [s for s, n in self.journal.serials.items()
                     if n in own and s not in self.journal.revoked]
        if not open_:
            return
        serial = self.rng.choice(open_)
        name = self.journal.serials[serial]
        password = dict(self.mine)[name]
        status, _ = self.ask("POST", "/account/revoke",
                             urllib.parse.urlencode({"serial": serial, "reason": "superseded"}),
                             {**FORM, **self.basic(name, password)})
        if status == 200:
            self.journal.note(self.journal.revoked.add, serial)

    def run(self):
        while not self.halt.is_set():
            act = self.sign_up if not self.mine else self.rng.choice(
                (self.sign_up, self.enroll, self.enroll, self.enroll, self.revoke, self.change_password))
            try:
                act()
            except (OSError, http.client.HTTPException, ssl.SSLError):
                pass
