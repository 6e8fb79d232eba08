"""How long a server may take, and how many ask it at once."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The contract's times, in seconds, and the size of the load.

    Attributes:
        listen: From the start until a TCP connection is accepted. Vertex AI tries four times, 10 s after each
            failure, then starts the container anew (custom container requirements, liveness checks).
        ready: From the start until the model answers. Vertex AI's own is the deployment's time-out.
        first: For the first prediction after the first 200 of the health route, when later ones take a tenth.
        health: For the answer of the health route (custom container requirements, health checks).
        answer: For a prediction: what a shared endpoint waits (endpoint types).
        stop: From SIGTERM until the process has ended: what Kubernetes gives a pod by default.
        load: How long predictions are asked for while the health route is watched.
        clients: How many ask at once.
        slow_clients: How many send half a request and then nothing.
    """

    listen: float = 40.0
    ready: float = 600.0
    first: float = 5.0
    health: float = 10.0
    answer: float = 60.0
    stop: float = 30.0
    load: float = 4.0
    clients: int = 8
    slow_clients: int = 64
