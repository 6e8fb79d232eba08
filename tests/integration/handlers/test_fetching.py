"""Files that an instance names by their address: who they are fetched from, and how long that may take."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from testbed.deadlines import MOMENT_SECONDS


@contextmanager
def https_server(folder: Path, answer: Any) -> Iterator[tuple[int, ssl.SSLContext]]:
    """A server with a certificate of its own for `media.test`; yields its port and who trusts it."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "media.test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("media.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], ssl.create_default_context(cafile=str(pem))
    finally:
        server.shutdown()
        server.server_close()
        thread.join(MOMENT_SECONDS)


def test_a_file_is_fetched_from_who_proves_to_be_the_host_and_in_time(tmp_path: Path) -> None:
    from hf_handler.media.fetching import download
    from hf_handler.schema import Refused

    def answer(request: BaseHTTPRequestHandler) -> None:
        if request.path == "/away":
            request.send_response(302)
            request.send_header("location", "https://elsewhere.test/x")
            request.end_headers()
            return
        request.send_response(404 if request.path == "/missing" else 200)
        request.end_headers()
        if request.path == "/slow":
            time.sleep(1.5)
        request.wfile.write(b"body of " + request.path.encode())

    def get(target: str, host: str = "media.test", seconds: float = MOMENT_SECONDS) -> bytes | str:
        return download("127.0.0.1", port, host, target, trust, time.monotonic() + seconds)

    with https_server(tmp_path, answer) as (port, trust):
        assert get("/cat?x=1") == b"body of /cat?x=1"
        assert get("/away") == "https://elsewhere.test/x"
        for target, host, seconds, reason in [
            ("/missing", "media.test", MOMENT_SECONDS, "answered 404"),
            ("/cat", "other.test", MOMENT_SECONDS, "SSLCertVerificationError"),
            ("/slow", "media.test", 0.5, "can't be fetched"),
        ]:
            with pytest.raises(Refused, match=reason):
                get(target, host, seconds)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://localhost/cat.png", "private address"),
        ("http://localhost/cat.png", "handler.allowed_media_hosts"),
        ("https://localhost:8443/cat.png", "handler.allowed_media_hosts"),
        ("https://localhost@other.test/cat.png", "handler.allowed_media_hosts"),
        ("https://user@localhost/cat.png", "handler.allowed_media_hosts"),
        ("https://[localhost/cat.png", "can't be read"),
        ("file:///localhost/cat.png", "handler.allowed_media_hosts"),
    ],
)
def test_an_allowed_host_may_not_lead_inside(tmp_path: Path, url: str, reason: str) -> None:
    from hf_handler.media.files import from_text
    from hf_handler.schema import Refused

    with pytest.raises(Refused, match=reason):
        from_text(url, ["localhost"])
