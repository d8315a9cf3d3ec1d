"""Certificates for tests: authorities that are not ours, and what an attacker or a mistake could make with
a real issuing key. Nothing here is kept: keys are made when they are needed and go with the test.

The profiles of the real ones are in lib/pki/profile.c.
"""

import datetime
import ipaddress
import re
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SERVER_AUTH, CLIENT_AUTH, EMAIL_PROTECTION = (f"1.3.6.1.5.5.7.3.{n}" for n in (1, 2, 4))
PEER = "2.25.268329493512394017458362904857382010114"  # of lib/pki/cert.h
DAY = datetime.timedelta(days=1)
USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
          "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def usage(*names):
    return x509.KeyUsage(**{name: name in names for name in USAGES})


def pem(cert):
    return cert.public_bytes(serialization.Encoding.PEM)


def key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def key_purposes(*dotted):
    """The extension by hand: the library's own refuses numbers as large as those of PEER."""
    body = b""
    for text in dotted:
        first, second, *rest = map(int, text.split("."))
        oid = b""
        for number in (40 * first + second, *rest):
            septets = [number & 0x7F]
            while number := number >> 7:
                septets.append(number & 0x7F | 0x80)
            oid += bytes(reversed(septets))
        body += b"\x06" + bytes([len(oid)]) + oid
    assert len(body) < 128
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.37"), b"0" + bytes([len(body)]) + body)


class Authority:
    """Root and issuing CA, and leaves of all kinds."""

    def __init__(self, name="hostile"):
        self.root_key, self.issuing_key = (ec.generate_private_key(ec.SECP256R1()) for _ in "12")
        self.root = self.make_ca(f"{name} root", None, self.root_key.public_key(), 1)
        self.issuing = self.make_ca(f"{name} issuing", self.root, self.issuing_key.public_key(), 0)

    def make_ca(self, name, issuer, public_key, length):
        builder = self.builder(name, issuer.subject if issuer else None, public_key, self.root_key)
        return builder.add_extension(x509.BasicConstraints(True, length), True).add_extension(
            usage("key_cert_sign", "crl_sign"), True).sign(self.root_key, hashes.SHA256())

    @staticmethod
    def builder(name, issuer, public_key, issuer_key, start=-1, end=30):
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or subject)
                .public_key(public_key).serial_number(x509.random_serial_number())
                .not_valid_before(now() + start * DAY).not_valid_after(now() + end * DAY)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    issuer_key.public_key()), False))

    def leaf(self, name, public_key, names, purposes, start=-1, end=20):
        """purposes: dotted object identifiers."""
        builder = self.builder(name, self.issuing.subject, public_key, self.issuing_key, start, end)
        return (builder.add_extension(x509.BasicConstraints(False, None), True)
                .add_extension(usage("digital_signature"), True)
                .add_extension(key_purposes(*purposes), False)
                .add_extension(x509.SubjectAlternativeName(names), False)
                .sign(self.issuing_key, hashes.SHA256()))

    def host(self, name="localhost", **dates):
        """A context for a server of that name, which is on 127.0.0.1 and ::1."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(name)]
        if name == "localhost":
            names += [x509.IPAddress(ipaddress.ip_address(a)) for a in ("127.0.0.1", "::1")]
        cert = self.leaf(name, key.public_key(), names, [SERVER_AUTH], **dates)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile() as file:
            file.write(key_pem(key) + pem(cert) + pem(self.issuing))
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def user(self, name, public_key, **dates):
        return self.leaf(name, public_key, [x509.RFC822Name(f"{name}@hostile.test")],
                         [CLIENT_AUTH, EMAIL_PROTECTION, PEER], **dates)

    @property
    def fingerprint(self):
        return self.root.fingerprint(hashes.SHA256()).hex()


def issuer_of(instance):
    """The real issuing key and its certificate: only a test instance gives them away."""
    key = serialization.load_pem_private_key(
        instance.path("conf/credentials/cad-signer/issuing.pem").read_bytes(), None)
    blocks = re.findall(rb"-----BEGIN CERT.*?END CERTIFICATE-----\n", instance.chain_pem.read_bytes(), re.S)
    return key, x509.load_pem_x509_certificate(blocks[0])


def sign(folder, name, issuer_key, issuer, days=(-1, 1), usage=(CLIENT_AUTH, EMAIL_PROTECTION, PEER)):
    """A user's certificate by any key, self-signed without issuer. Paths of key and certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number() >> 33)
        .not_valid_before(now() + days[0] * DAY)
        .not_valid_after(now() + days[1] * DAY)
        .add_extension(key_purposes(*usage), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(f"{name}@quintet.test")]), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )
    if issuer:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value), False)
    made = builder.sign(issuer_key or key, hashes.SHA256())
    pair = folder / f"{name}.key", folder / f"{name}.pem"
    pair[0].write_bytes(key_pem(key))
    pair[1].write_bytes(pem(made))
    return pair
