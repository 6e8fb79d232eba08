"""Free ports for a server that can't be told to pick its own."""

import random
import socket

# Below Linux's ephemeral range (32768 and up): a free port of that range may be given to an outgoing
# connection before the JVM binds it, two seconds later.
_FIRST_PORT, _LAST_PORT = 15_000, 32_000


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 on which nobody listens now.

    Args:
        count: How many; all different.
    """
    chosen: list[int] = []
    while len(chosen) < count:
        port = random.randint(_FIRST_PORT, _LAST_PORT)  # noqa: S311 (not a secret)
        if port not in chosen and _is_free(port):
            chosen.append(port)
    return chosen


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
