"""A certificate authority of the emulator's own, for the hosts it answers in Google's place."""

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vertex-torchserve emulator")])
# Whoever trusts this authority trusts it for these domains alone.
_DOMAINS = ("googleapis.com", "vertexai.goog")
_LIFETIME = timedelta(days=30)


class Authority:
    """An authority that lives as long as this object: its key is never written to a disk."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        permitted = x509.NameConstraints([x509.DNSName(domain) for domain in _DOMAINS], None)
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        self._certificate = (
            self._builder(_NAME, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(permitted, critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.context = cache(self._context)

    @property
    def pem(self) -> bytes:
        """The certificate that a client has to trust."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def _context(self, host: str) -> ssl.SSLContext:
        """What a server needs to be `host`; made once for each host."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._builder(x509.Name([]), key.public_key())
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # ssl reads from files only; this one is private, and gone at once.
        with tempfile.TemporaryDirectory(prefix="vts-") as folder:
            path = Path(folder) / "host.pem"
            path.write_bytes(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
                + certificate.public_bytes(serialization.Encoding.PEM)
            )
            context.load_cert_chain(path)
        return context

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        """What the authority's own certificate and a host's have in common."""
        now = datetime.now(UTC)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(_NAME)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            # A clock that runs behind this machine's is no reason to refuse.
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + _LIFETIME)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(authority, critical=False)
        )
