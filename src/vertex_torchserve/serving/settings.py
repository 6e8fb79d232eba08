"""What an operator sets with environment variables: ports, the archive, workers, batches, time limits.

The platform's `AIP_*` variables come first, our own `VTS_*` are the fallback; images never set an
`AIP_*` variable themselves (Vertex AI, custom container requirements).

Read elsewhere: `VTS_LOG_FORMAT` (`json` or `text`) by the entrypoint before anything can be logged;
`VTS_LOG_EXCEPTION_MESSAGES=1` by the worker, to log the messages of a handler's exceptions, which may quote a
request (envelope/instances/failure.py); `JAVA_HOME` (java_libraries/java_runtime.py), `CUDA_VISIBLE_DEVICES`
(machine/gpus.py) and `PIP_*` (torchserve/requirements.py) where they are used.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vertex_torchserve.errors import Problem, raise_problems
from vertex_torchserve.resource_rules.container_routes import is_route

EXIT_WITH_STDIN = "VTS_EXIT_WITH_STDIN"
LOG_FORMAT = "VTS_LOG_FORMAT"
LOG_FORMATS = ("json", "text")
ENVELOPE = "VTS_ENVELOPE"
ENVELOPES = ("instances", "none")
GOLDEN_REQUEST = "VTS_GOLDEN_REQUEST"
GOLDEN_REQUEST_USES = ("check", "ignore")
PUBLIC_METRICS = "VTS_PUBLIC_METRICS"
PUBLIC_METRICS_CHOICES = ("0", "1")
# Where `docker run -v FOLDER:/mnt/models:ro` puts a model when there is no cloud.
DEFAULT_MODEL_STORE = "/mnt/models"
# The longest a dedicated endpoint of Vertex AI waits for an answer.
DEFAULT_REQUEST_TIMEOUT_SECONDS = 3600
# Some sixty full batches of the default size: enough for a burst; a lasting overload is refused with 503.
DEFAULT_QUEUE_SIZE = 1000
# TorchServe's own.
HEALTH_PATH = "/ping"
PREDICT_PATH = "/predictions/"
# As long as nginx and Apache wait for the head of a request, or a little less.
DEFAULT_READ_TIMEOUT_SECONDS = 30
# A little longer than the 600 s for which Google Cloud's load balancers keep a connection: the first to close
# it must be the client, or requests that it sends at that moment are lost.
DEFAULT_IDLE_TIMEOUT_SECONDS = 620
# Twice the clients of a large deployment; each costs the JVM some 10 kB.
DEFAULT_CONNECTIONS = 4096
_LONGEST_TIMEOUT_SECONDS = 86400  # a day
# The most of each number. No machine has so many cores for workers and threads; requests that wait, and those
# of a batch, lie in the JVM's memory.
_MOST_PROCESSES = 1024
_MOST_WAITING = 1_000_000
_MOST_CONNECTIONS = 100_000
_LONGEST_DELAY_MS = 3_600_000
_MOST_DIGITS = 20
_MOST_SHOWN = 80
# How long a model may load; TorchServe's default of 120 s is too short for many.
STARTUP_TIMEOUT_SECONDS = 3600
# Enough for a few hundred MB of wheels from an index.
DEFAULT_INSTALL_TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class ServingSettings:
    """What the environment asks for.

    Attributes:
        storage_uri: `AIP_STORAGE_URI`: the gs:// folder or the local folder that holds the .mar; empty
            when the model came without an artifact folder.
        model_store: `VTS_MODEL_STORE`: the local folder to look in when `storage_uri` is empty.
        on_vertex: Whether the platform says it is Vertex AI (`AIP_MODE=PREDICTION`).
        model_name: `MODEL_NAME`: which `<model_name>.mar` of that folder; None when there is one.
        http_host: `VTS_HTTP_HOST`: where predictions are answered; loopback unless told otherwise.
        http_port: `AIP_HTTP_PORT`, then `VTS_HTTP_PORT`, then 8080.
        predict_route: `AIP_PREDICT_ROUTE`: where the platform sends predictions; empty when it says nothing.
        health_route: `AIP_HEALTH_ROUTE`: the same for health checks. TorchServe's own paths work as well.
        management_port: `VTS_MANAGEMENT_PORT`, or 8081, or the next that `http_port` leaves; always on
            loopback, as is the next.
        metrics_port: `VTS_METRICS_PORT`.
        public_metrics: `VTS_PUBLIC_METRICS=1`: metrics are at `/metrics` of the port of predictions, too.
        workers: `VTS_WORKERS`: worker processes, at most 1,024; None: as many as fit
            (serving/machine/sizing.py).
        threads: `VTS_THREADS`, then `OMP_NUM_THREADS`: threads of each worker's torch, at most 1,024.
        batch_size: `VTS_BATCH_SIZE`: the most requests of one batch, at most 1,000,000.
        max_batch_delay_ms: `VTS_MAX_BATCH_DELAY_MS`: how long a batch is waited for, at most an hour.
        queue_size: `VTS_QUEUE_SIZE`: how many requests may wait for a worker; one more is answered 503. At
            most 1,000,000.
        request_timeout_seconds: `VTS_REQUEST_TIMEOUT_SECONDS`: a request without an answer by then gets 504.
            At most a day.
        read_timeout_seconds: `VTS_READ_TIMEOUT_SECONDS`: how long the head of a request may take to arrive,
            and its body beside a second for each 8 KiB; then it is answered 408. At most a day.
        idle_timeout_seconds: `VTS_IDLE_TIMEOUT_SECONDS`: how long a connection may be open without a request.
            At most a day.
        connections: `VTS_CONNECTIONS`: how many connections may be open; requests on one more get 503, but
            for `/ping`. At most 100,000.
        install_timeout_seconds: `VTS_INSTALL_TIMEOUT_SECONDS`: how long installing the archive's requirements
            may take; 900 s unless told otherwise, at most a day.
        envelope: `VTS_ENVELOPE`: `instances`, unless told otherwise, or `none`: the handler gets bodies and
            answers them as in TorchServe alone. The archive's own word comes first.
        golden_request: `VTS_GOLDEN_REQUEST`: `check`, unless told otherwise, or `ignore`: the model is ready
            without having answered the archive's golden request.
        accelerator: `AIP_ACCELERATOR_TYPE`: the kind of GPU that was asked for; empty for none.
        exit_with_stdin: `VTS_EXIT_WITH_STDIN=1`: end when standard input closes, so that the server
            never outlives the process that holds the other end.
    """

    storage_uri: str
    model_store: str
    on_vertex: bool
    model_name: str | None
    http_host: str
    http_port: int
    predict_route: str
    health_route: str
    management_port: int
    metrics_port: int
    public_metrics: bool
    workers: int | None
    threads: int | None
    batch_size: int | None
    max_batch_delay_ms: int | None
    queue_size: int
    request_timeout_seconds: int
    read_timeout_seconds: int
    idle_timeout_seconds: int
    connections: int
    install_timeout_seconds: int
    envelope: str
    golden_request: str
    accelerator: str
    exit_with_stdin: bool

    @property
    def model_source(self) -> str:
        """The folder that must hold the archive."""
        return self.storage_uri or self.model_store

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "ServingSettings":
        """Read the settings.

        Raises:
            InputError: For every variable that is malformed, together.
        """
        problems: list[Problem] = []

        def port(default: int, *names: str) -> int:
            for name in names:
                value = environment.get(name, "")
                if not value:
                    continue
                if 0 < _number(value) < 65536:
                    return int(value)
                problems.append(
                    Problem(
                        f"{name}={_shown(value)} is not a port; 1 to 65535 is accepted", f"correct {name}"
                    )
                )
            return default

        def count(most: int, *names: str) -> int | None:
            for name in names:
                value = environment.get(name, "")
                if not value:
                    continue
                if 0 < _number(value) <= most:
                    return int(value)
                problems.append(
                    Problem(
                        f"{name}={_shown(value)} is not a whole number from 1 to {most:,}",
                        f"correct {name}, or unset it for its default",
                    )
                )
            return None

        problems += _log_format_problems(environment.get(LOG_FORMAT, ""))
        problems += _word_problems(environment)
        http_port = port(8080, "AIP_HTTP_PORT", "VTS_HTTP_PORT")
        management_port = port(_beside(8081, http_port), "VTS_MANAGEMENT_PORT")
        metrics_port = port(_beside(8082, http_port, management_port), "VTS_METRICS_PORT")
        problems += _port_problems(http_port, management_port, metrics_port)
        settings = cls(
            storage_uri=environment.get("AIP_STORAGE_URI", ""),
            model_store=environment.get("VTS_MODEL_STORE") or DEFAULT_MODEL_STORE,
            on_vertex=environment.get("AIP_MODE") == "PREDICTION",
            model_name=environment.get("MODEL_NAME") or None,
            http_host=environment.get("VTS_HTTP_HOST") or "127.0.0.1",
            http_port=http_port,
            predict_route=environment.get("AIP_PREDICT_ROUTE", ""),
            health_route=environment.get("AIP_HEALTH_ROUTE", ""),
            management_port=management_port,
            metrics_port=metrics_port,
            public_metrics=environment.get(PUBLIC_METRICS) == "1",
            workers=count(_MOST_PROCESSES, "VTS_WORKERS"),
            threads=count(_MOST_PROCESSES, "VTS_THREADS", "OMP_NUM_THREADS"),
            batch_size=count(_MOST_WAITING, "VTS_BATCH_SIZE"),
            max_batch_delay_ms=count(_LONGEST_DELAY_MS, "VTS_MAX_BATCH_DELAY_MS"),
            install_timeout_seconds=(
                count(_LONGEST_TIMEOUT_SECONDS, "VTS_INSTALL_TIMEOUT_SECONDS")
                or DEFAULT_INSTALL_TIMEOUT_SECONDS
            ),
            queue_size=count(_MOST_WAITING, "VTS_QUEUE_SIZE") or DEFAULT_QUEUE_SIZE,
            request_timeout_seconds=(
                count(_LONGEST_TIMEOUT_SECONDS, "VTS_REQUEST_TIMEOUT_SECONDS")
                or DEFAULT_REQUEST_TIMEOUT_SECONDS
            ),
            envelope=environment.get(ENVELOPE) or ENVELOPES[0],
            golden_request=environment.get(GOLDEN_REQUEST) or GOLDEN_REQUEST_USES[0],
            read_timeout_seconds=count(_LONGEST_TIMEOUT_SECONDS, "VTS_READ_TIMEOUT_SECONDS")
            or DEFAULT_READ_TIMEOUT_SECONDS,
            idle_timeout_seconds=count(_LONGEST_TIMEOUT_SECONDS, "VTS_IDLE_TIMEOUT_SECONDS")
            or DEFAULT_IDLE_TIMEOUT_SECONDS,
            connections=count(_MOST_CONNECTIONS, "VTS_CONNECTIONS") or DEFAULT_CONNECTIONS,
            accelerator=environment.get("AIP_ACCELERATOR_TYPE", ""),
            exit_with_stdin=environment.get(EXIT_WITH_STDIN) == "1",
        )
        raise_problems([*problems, *_route_problems(settings.predict_route, settings.health_route)])
        return settings


def _number(value: str) -> int:
    """A whole number in decimal digits; 0 for anything else, which no setting accepts."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS else 0


def _shown(value: str) -> str:
    return repr(value if len(value) <= _MOST_SHOWN else f"{value[:_MOST_SHOWN]}...")


def _beside(port: int, *taken: int) -> int:
    """The first port from `port` on that isn't taken."""
    return next(free for free in range(port, port + len(taken) + 1) if free not in taken)


def _port_problems(http_port: int, management_port: int, metrics_port: int) -> list[Problem]:
    if len({http_port, management_port, metrics_port}) == 3:
        return []
    return [
        Problem(
            f"predictions, management and metrics would listen on {http_port}, {management_port} and "
            f"{metrics_port}; each needs a port of its own",
            "correct AIP_HTTP_PORT, VTS_MANAGEMENT_PORT or VTS_METRICS_PORT",
        )
    ]


def _route_problems(predict_route: str, health_route: str) -> list[Problem]:
    problems = [
        Problem(
            f"{name}={_shown(route)} is not a path; printable ASCII from `/` on, without ? and #, is",
            f"correct {name}, or unset it",
        )
        for name, route in (("AIP_PREDICT_ROUTE", predict_route), ("AIP_HEALTH_ROUTE", health_route))
        if route and not is_route(route)
    ]
    if predict_route and predict_route == (health_route or HEALTH_PATH):
        problems.append(
            Problem(
                f"AIP_PREDICT_ROUTE={_shown(predict_route)} is the route of health checks, too",
                "give predictions and health checks routes of their own",
            )
        )
    return problems


def _word_problems(environment: Mapping[str, str]) -> list[Problem]:
    return [
        Problem(
            f"{name}={_shown(environment[name])} is not accepted; {' and '.join(accepted)} are",
            f"correct {name}, or unset it",
        )
        for name, accepted in (
            (ENVELOPE, ENVELOPES),
            (GOLDEN_REQUEST, GOLDEN_REQUEST_USES),
            (PUBLIC_METRICS, PUBLIC_METRICS_CHOICES),
        )
        if environment.get(name, "") not in {"", *accepted}
    ]


def _log_format_problems(log_format: str) -> list[Problem]:
    if log_format in {"", *LOG_FORMATS}:
        return []
    return [
        Problem(
            f"{LOG_FORMAT}={_shown(log_format)} is not accepted; {' and '.join(LOG_FORMATS)} are",
            f"correct {LOG_FORMAT}, or unset it: text on a terminal, json elsewhere",
        )
    ]
