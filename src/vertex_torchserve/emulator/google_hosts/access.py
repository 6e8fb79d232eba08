"""What a client needs to reach the emulator under Google's own names: a proxy, a certificate, credentials."""

import json
import socket
from pathlib import Path

from vertex_torchserve.emulator.google_hosts.authority import Authority
from vertex_torchserve.emulator.google_hosts.proxy import proxy_greeting
from vertex_torchserve.emulator.relay import Relay

# Of the kind that asks https://oauth2.googleapis.com/token for a token, which leads here: no secret is in it.
_CREDENTIALS = {
    "type": "authorized_user",
    "client_id": "emulator",
    "client_secret": "emulator",
    "refresh_token": "emulator",
}


class GoogleHosts:
    """The proxy, and the files that clients are pointed at.

    Args:
        folder: Where the files go; made when it isn't there.
        listener: A listening socket for the proxy.
        target: Address of the emulator's REST server.
    """

    def __init__(self, folder: Path, listener: socket.socket, target: tuple[str, int]) -> None:
        host, port = listener.getsockname()
        self._url = f"http://{host}:{port}"
        authority = Authority()
        folder.mkdir(parents=True, exist_ok=True)
        self._certificate = folder / "authority.pem"
        self._certificate.write_bytes(authority.pem)
        self._credentials = folder / "credentials.json"
        self._credentials.write_text(json.dumps(_CREDENTIALS), encoding="utf-8")
        self._relay = Relay(listener, target, proxy_greeting(authority))

    def environment(self) -> dict[str, str]:
        """The variables of a client whose every HTTPS request goes to the emulator, or is refused."""
        return {
            "HTTPS_PROXY": self._url,
            "REQUESTS_CA_BUNDLE": str(self._certificate),
            # What OpenSSL and httpx read, and so OpenAI's client.
            "SSL_CERT_FILE": str(self._certificate),
            "GOOGLE_APPLICATION_CREDENTIALS": str(self._credentials),
        }

    def start(self) -> None:
        """Start to answer."""
        self._relay.start()

    def stop(self) -> None:
        """Stop answering; the files stay."""
        self._relay.stop()
