"""Files fetched by https URL, from the hosts that the operator allows and no others."""

import contextlib
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from hf_handler.schema import Refused

# Of one file, and for all of its redirects together.
FETCHED_BYTES = 2**26
FETCH_SECONDS = 10.0


def fetch(url: str, hosts: Sequence[str]) -> bytes:
    """Fetch a file.

    Args:
        url: https, without a port or a user's name. Up to three redirects are followed, to such URLs only.
        hosts: Those that `handler.allowed_media_hosts` names.

    Returns:
        The file, of `FETCHED_BYTES` at most.

    Raises:
        Refused: The URL is not allowed, or nothing usable came in `FETCH_SECONDS`.
    """
    from urllib.parse import urljoin, urlsplit, urlunsplit

    deadline = time.monotonic() + FETCH_SECONDS
    for _ in range(4):
        try:
            parts = urlsplit(url)
            usual = parts.scheme == "https" and parts.port in {None, 443} and parts.username is None
        except ValueError:
            raise Refused("the URL can't be read") from None
        if not usual or parts.hostname is None or parts.hostname not in hosts:
            raise Refused(
                "a file is fetched only by an https URL whose host handler.allowed_media_hosts names; "
                'send it as {"b64": "..."}'
            )
        target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        found = download(public_address(parts.hostname), 443, parts.hostname, target, None, deadline)
        if isinstance(found, bytes):
            return found
        url = urljoin(url, found)
    raise Refused("the URL redirects too often", 422)


def public_address(host: str) -> str:
    """Look up a host's address.

    All of its addresses must be public: else whoever controls the host's name could have this server fetch
    files from machines of the operator's own network.

    Raises:
        Refused: They aren't, or there are none.
    """
    import ipaddress
    import socket

    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused("the URL's host is unknown", 422) from None
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    if not all(address.is_global and not address.is_multicast for address in addresses):
        raise Refused("the URL's host has a private address", 422)
    return str(addresses[0])


def download(address: str, port: int, host: str, target: str, tls: Any, deadline: float) -> bytes | str:
    """Download a file from a server, whose certificate has to be `host`'s.

    Args:
        address: The server's, looked up and checked before: a second lookup could give another one.
        port: The server's.
        host: Of the URL.
        target: Path and query of the URL.
        tls: An `ssl.SSLContext`; None for one that trusts the usual authorities.
        deadline: When to give up, in seconds of the monotonic clock.

    Returns:
        The file's bytes; or a text, the URL that the server redirects to.

    Raises:
        Refused: Nothing usable came in time, or too much.
    """
    import http.client
    import socket
    import ssl

    try:
        wire = socket.create_connection((address, port), timeout=max(0.1, deadline - time.monotonic()))
        with contextlib.closing(http.client.HTTPConnection(host, port)) as connection:
            connection.sock = wire  # closed with the connection, even if the handshake fails
            connection.sock = (tls or ssl.create_default_context()).wrap_socket(wire, server_hostname=host)
            connection.request("GET", target, headers={"Accept-Encoding": "identity"})
            response = connection.getresponse()
            if response.status in {301, 302, 303, 307, 308}:
                return response.getheader("location") or ""
            if response.status != HTTPStatus.OK:
                raise Refused(f"the URL's host answered {response.status}", 422)
            body = bytearray()
            while part := response.read1(2**16):
                body += part
                if len(body) > FETCHED_BYTES:
                    raise Refused(f"the URL holds more than {FETCHED_BYTES} bytes", 413)
                if time.monotonic() > deadline:
                    raise Refused("the URL's host is too slow", 422)
            return bytes(body)
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise Refused(f"the URL can't be fetched ({type(error).__name__})", 422) from None
