"""One attack, by one client or several at once."""

import time
from concurrent.futures import ThreadPoolExecutor

from .attack import Attack
from .sending import Sent, attack_once
from .watching import Suffered, Watch

LEAST_SECONDS = 0.5
"""A trial lasts so long at least, so that the others are asked a few times."""
Outcome = tuple[list[Sent], Suffered, Suffered]


def run_trial(
    attack: Attack, payload: bytes, copies: int, port: int, watch: Watch, seconds: float
) -> Outcome:
    """Attack; returns what became of each connection, and what `/ping` and the neighbour saw.

    Args:
        attack: What is sent.
        payload: What `attack.payload` made.
        copies: How many clients do it at once.
        port: The server's, on loopback.
        watch: Asks the others' questions.
        seconds: The most that it may take.
    """
    watch.begin_anew()  # what an earlier attack still holds up is not this one's
    began = time.monotonic()
    with ThreadPoolExecutor(copies) as clients:
        sending = [clients.submit(attack_once, attack, payload, port, seconds) for _ in range(copies)]
        sent = [one for client in sending for one in client.result()]
    time.sleep(max(0.0, began + LEAST_SECONDS - time.monotonic()))
    return sent, *watch.during(began, time.monotonic())
