"""Every environment variable the serving process reads, in one place.

The platform's `AIP_*` variables come first, our own `VTS_*` are the fallback; images never set an
`AIP_*` variable themselves (Vertex AI, custom container requirements). One is read by the worker
instead, which knows nothing of this package: `VTS_LOG_EXCEPTION_MESSAGES=1` (serving/envelope) logs what a
handler's exceptions say, which may quote a payload.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vertex_torchserve.errors import Problem, raise_problems

EXIT_WITH_STDIN = "VTS_EXIT_WITH_STDIN"


@dataclass(frozen=True)
class ServingSettings:
    """What the environment asks for.

    Attributes:
        storage_uri: `AIP_STORAGE_URI`: the gs:// folder or the local folder that holds the .mar.
        model_name: `MODEL_NAME`: which `<model_name>.mar` of that folder; None when there is one.
        http_host: `VTS_HTTP_HOST`: where predictions are answered; loopback unless told otherwise.
        http_port: `AIP_HTTP_PORT`, then `VTS_HTTP_PORT`, then 8080.
        management_port: `VTS_MANAGEMENT_PORT`; always on loopback, as is the next.
        metrics_port: `VTS_METRICS_PORT`.
        exit_with_stdin: `VTS_EXIT_WITH_STDIN=1`: end when standard input closes, so that the server
            never outlives the process that holds the other end.
    """

    storage_uri: str
    model_name: str | None
    http_host: str
    http_port: int
    management_port: int
    metrics_port: int
    exit_with_stdin: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "ServingSettings":
        """Read the settings.

        Raises:
            InputError: For every variable that is missing or malformed, together.
        """
        problems: list[Problem] = []

        def port(default: int, *names: str) -> int:
            for name in names:
                value = environment.get(name, "")
                if not value:
                    continue
                if value.isdecimal() and 0 < int(value) < 65536:
                    return int(value)
                problems.append(
                    Problem(f"{name}={value!r} is not a port; 1 to 65535 is accepted", f"correct {name}")
                )
            return default

        storage_uri = environment.get("AIP_STORAGE_URI", "")
        if not storage_uri:
            problems.append(
                Problem(
                    "AIP_STORAGE_URI is not set; it names the gs:// or local folder that holds the .mar",
                    "upload the model with an artifact folder, or set AIP_STORAGE_URI",
                )
            )
        settings = cls(
            storage_uri=storage_uri,
            model_name=environment.get("MODEL_NAME") or None,
            http_host=environment.get("VTS_HTTP_HOST") or "127.0.0.1",
            http_port=port(8080, "AIP_HTTP_PORT", "VTS_HTTP_PORT"),
            management_port=port(8081, "VTS_MANAGEMENT_PORT"),
            metrics_port=port(8082, "VTS_METRICS_PORT"),
            exit_with_stdin=environment.get(EXIT_WITH_STDIN) == "1",
        )
        raise_problems(problems)
        return settings
