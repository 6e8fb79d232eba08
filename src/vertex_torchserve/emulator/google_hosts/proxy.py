"""What an HTTPS proxy says first: tunnels to Vertex AI's hosts end in the emulator, others are refused."""

import asyncio
import re

from vertex_torchserve.emulator.google_hosts.authority import Authority
from vertex_torchserve.emulator.relay import Greeting

# The API of a region, a dedicated endpoint's own host, and where credentials get their tokens.
_HOSTS = re.compile(
    r"([a-z0-9-]+-)?aiplatform\.googleapis\.com|([a-z0-9-]+\.)+prediction\.vertexai\.goog|oauth2\.googleapis\.com"
)
_CONNECT = re.compile(rb"CONNECT ([A-Za-z0-9.-]+):443 HTTP/1\.[01]\r\n")


def proxy_greeting(authority: Authority) -> Greeting:
    """Answers CONNECT, and shows the certificate of the host that was asked for.

    Args:
        authority: Whose certificates they are.
    """

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        asked = _CONNECT.match(await reader.readuntil(b"\r\n\r\n"))
        host = asked[1].decode().lower() if asked else ""
        if not _HOSTS.fullmatch(host):
            said = f"{host or 'This request'} is not emulated"
            writer.write(f"HTTP/1.1 403 {said}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
            return False
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        # Nothing may be awaited in between: the client's handshake would be read as plain bytes.
        await writer.start_tls(authority.context(host))
        return True

    return greet
