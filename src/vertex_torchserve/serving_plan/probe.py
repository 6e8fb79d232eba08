"""A probe of a container in the API's own form (`Probe` of Vertex AI's v1 API), of every kind."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vertex_torchserve.errors import Problem

# The actions, one of which a probe has, and the fields of each; then the numbers of every probe.
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "exec": ("command",),
    "httpGet": ("path", "port", "host", "scheme", "httpHeaders"),
    "tcpSocket": ("port", "host"),
    "grpc": ("port", "service"),
}
NUMBERS = ("periodSeconds", "timeoutSeconds", "failureThreshold", "successThreshold", "initialDelaySeconds")
_SNAKE = re.compile(r"_([a-z])")


@dataclass(frozen=True)
class Probe:
    """What Vertex AI asks a container, and how it counts the answers.

    Attributes:
        form: As the API has it: `exec` (`command`), `httpGet` (`path`, `port`, ...), `tcpSocket` or `grpc`,
            and any of `periodSeconds`, `timeoutSeconds`, `failureThreshold`, `successThreshold`,
            `initialDelaySeconds`; what is not given is left to Vertex AI.
    """

    form: Mapping[str, Any]

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> "Probe | None":
        """From what a user writes or KFP delivers; None for nothing.

        Args:
            given: The API's form; its names may have underscores, its whole numbers may be floats.
        """
        return cls(api_form(given)) if given else None

    @classmethod
    def running(cls, command: Sequence[str], *, period_seconds: int, timeout_seconds: int) -> "Probe":
        """A program in the container, run in `/` without a shell: code 0 means healthy.

        Args:
            command: Program and arguments.
            period_seconds: Seconds from one start to the next.
            timeout_seconds: Seconds after which an attempt has failed; at least `period_seconds`.
        """
        action = {"command": list(command)}
        return cls({"exec": action, "periodSeconds": period_seconds, "timeoutSeconds": timeout_seconds})

    @property
    def kind(self) -> str:
        """`exec`, `httpGet`, `tcpSocket` or `grpc`; empty when it has none."""
        return next((kind for kind in ACTIONS if kind in self.form), "")

    @property
    def action(self) -> Mapping[str, Any]:
        """The fields of its kind."""
        fields: Mapping[str, Any] = self.form.get(self.kind, {})
        return fields

    def problems(self, name: str) -> Iterator[Problem]:
        """What Vertex AI would refuse.

        Args:
            name: How the user calls it, such as `startup_probe`.
        """
        unknown = sorted(set(self.form) - {*ACTIONS, *NUMBERS})
        if unknown:
            yield _no_field(name, unknown, (*ACTIONS, *NUMBERS))
        if len(set(self.form) & set(ACTIONS)) != 1:
            yield Problem(
                f"{name} has {_words(set(self.form) & set(ACTIONS)) or 'no action'}; one of "
                f"{_words(ACTIONS)} is accepted",
                'write it as {"httpGet": {"path": "/ping"}}, say',
            )
        for number in NUMBERS:
            value = self.form.get(number, 1)
            least = 0 if number == "initialDelaySeconds" else 1
            if type(value) is not int or value < least:
                yield Problem(
                    f"{name}.{number} {value!r} is not a whole number from {least} on", "give one such as 10"
                )
        yield from self._action_problems(name)

    def _action_problems(self, name: str) -> Iterator[Problem]:
        if not isinstance(self.action, Mapping):
            yield Problem(f"{name}.{self.kind} is {self.action!r}", "write its fields in braces")
            return
        unknown = sorted(set(self.action) - set(ACTIONS.get(self.kind, ())))
        if unknown:
            yield _no_field(f"{name}.{self.kind}", unknown, ACTIONS[self.kind])
        command = self.action.get("command")
        if self.kind == "exec" and not (
            isinstance(command, list) and command and all(isinstance(part, str) for part in command)
        ):
            yield Problem(
                f"{name}.exec.command {command!r} is not a list of strings",
                "give the program and its arguments",
            )
        port = self.action.get("port", 1)
        if type(port) is not int or not 0 < port < 65536:
            yield Problem(
                f"{name}.{self.kind}.port {port!r}: 1 to 65535 are accepted", "give the port's number"
            )


def api_form(value: Any) -> Any:
    """Names as the API's JSON has them (`httpGet` for `http_get`), and whole floats of KFP as numbers."""
    if isinstance(value, Mapping):
        return {
            _SNAKE.sub(lambda letter: letter[1].upper(), str(name)): api_form(each)
            for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [api_form(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _no_field(name: str, unknown: Sequence[str], accepted: Sequence[str]) -> Problem:
    return Problem(f"{name} has no {_words(unknown)}; it has {_words(accepted)}", "correct the name")


def _words(names: Any) -> str:
    return ", ".join(sorted(names))
