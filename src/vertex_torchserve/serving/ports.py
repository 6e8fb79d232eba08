"""Free ports for a server that can't be told to pick its own."""

import os
import random
import socket
import sys
from collections import deque

# Below Linux's ephemeral range (32768 and up): a free port of that range may be given to an outgoing
# connection before the JVM binds it, two seconds later.
_FIRST_PORT, _LAST_PORT = 15_000, 32_000
# The system's: a generator that code of a model has seeded would choose what it chose in another process.
_random = random.SystemRandom()
# Descriptors of the marks of the last ports; a server has bound its ports long before they are dropped.
_MOST_MARKS = 64
_marks: deque[int] = deque()


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 on which nobody listens now, and which no other process has been given just now.

    Args:
        count: How many; all different.
    """
    chosen: list[int] = []
    while len(chosen) < count:
        port = _random.randint(_FIRST_PORT, _LAST_PORT)
        if port not in chosen and _is_free(port) and _mark(port):
            chosen.append(port)
    return chosen


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _mark(port: int) -> bool:
    """Tell other processes that a port is taken; whether none had told so before.

    Two servers that are started at the same moment could choose the same port. That of predictions is bound
    with SO_REUSEPORT (early_listener.py), so each would answer some of the requests of the other.
    """
    if sys.platform != "linux":
        return True
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind(f"\0vertex-torchserve-port-{port}")  # a name without a file, which ends with the process
    except OSError:
        mark.close()
        return False
    _marks.append(mark.detach())
    if len(_marks) > _MOST_MARKS:
        os.close(_marks.popleft())
    return True
