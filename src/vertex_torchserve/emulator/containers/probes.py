"""A container's probes, and how Kubernetes counts their results."""

from dataclasses import dataclass

from vertex_torchserve.emulator.rest.request import Json

_KINDS = ("exec", "httpGet", "tcpSocket", "grpc")


@dataclass(frozen=True)
class Probe:
    """One probe, with Kubernetes' defaults for what isn't given (Probe in the API's types).

    Attributes:
        kind: Which of the API's actions: `exec`, `httpGet`, `tcpSocket`, `grpc`.
        action: The fields of that action.
        statuses: The HTTP statuses that are a success.
        hurries: Whether it is run every second while the container isn't ready, as Kubernetes may.
    """

    kind: str
    action: Json
    initial_delay_seconds: int = 0
    period_seconds: int = 10
    timeout_seconds: int = 1
    success_threshold: int = 1
    failure_threshold: int = 3
    statuses: range = range(200, 400)
    hurries: bool = False

    @classmethod
    def of(cls, given: Json) -> "Probe":
        """The probe that a model is registered with."""
        kind = next((kind for kind in _KINDS if kind in given), "")
        return cls(
            kind,
            given.get(kind, {}),
            given.get("initialDelaySeconds") or cls.initial_delay_seconds,
            given.get("periodSeconds") or cls.period_seconds,
            given.get("timeoutSeconds") or cls.timeout_seconds,
            given.get("successThreshold") or cls.success_threshold,
            given.get("failureThreshold") or cls.failure_threshold,
        )


@dataclass(frozen=True)
class Probes:
    """The three probes of a container.

    Attributes:
        startup: Must pass before the others are run; None when there is none.
        health: While it doesn't pass, the container gets no traffic.
        liveness: When it fails, the container is started again.
    """

    startup: Probe | None
    health: Probe
    liveness: Probe

    @classmethod
    def of(cls, spec: Json, health_route: str) -> "Probes":
        """The probes of a ModelContainerSpec, and the documented checks in place of those that it lacks.

        Those are (custom container requirements): 200 of the health route within 10 s, four failures ten
        seconds apart; a TCP connection, four attempts ten seconds apart.
        """
        startup, health, liveness = (
            Probe.of(spec[field]) if field in spec else None
            for field in ("startupProbe", "healthProbe", "livenessProbe")
        )
        route = {"path": health_route}
        return cls(
            startup,
            health or Probe("httpGet", route, 0, 10, 10, 1, 4, range(200, 201), hurries=True),
            liveness or Probe("tcpSocket", {}, 0, 10, 10, 1, 4),
        )
