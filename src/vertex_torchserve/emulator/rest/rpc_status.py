"""Google's error model: one status, as HTTP answers and finished operations carry it."""

from typing import Any

from vertex_torchserve.errors import RegistryError

# Name -> (HTTP status, number in an operation's error): google/rpc/code.proto.
_CODES = {
    "CANCELLED": (499, 1),
    "INVALID_ARGUMENT": (400, 3),
    "DEADLINE_EXCEEDED": (504, 4),
    "NOT_FOUND": (404, 5),
    "ALREADY_EXISTS": (409, 6),
    "RESOURCE_EXHAUSTED": (429, 8),
    "FAILED_PRECONDITION": (400, 9),
    "UNIMPLEMENTED": (501, 12),
    "INTERNAL": (500, 13),
    "UNAVAILABLE": (503, 14),
}
_NAMES_OF_HTTP = {
    http: name for name, (http, _) in _CODES.items() if name not in {"CANCELLED", "FAILED_PRECONDITION"}
}


class RpcError(RegistryError):
    """A request the emulator refuses, or an operation that failed.

    Args:
        status: A name of google.rpc.Code, such as `NOT_FOUND`.
        message: What the client is told.
        http_status: Sent instead of the status's own HTTP code: a container's answer keeps its code.
    """

    def __init__(self, status: str, message: str, http_status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.http_status = http_status or _CODES[status][0]

    @classmethod
    def of_http(cls, http_status: int, message: str) -> "RpcError":
        """The error for a container's HTTP status, which is kept as it is."""
        fallback = "INVALID_ARGUMENT" if http_status < 500 else "INTERNAL"
        return cls(_NAMES_OF_HTTP.get(http_status, fallback), message, http_status)

    def http_json(self) -> dict[str, Any]:
        """The body of an HTTP answer: `{"error": {code, status, message}}`."""
        return {"error": {"code": self.http_status, "status": self.status, "message": self.message}}

    def status_json(self) -> dict[str, Any]:
        """A google.rpc.Status: `{code, message}`, where code is the number of google.rpc.Code."""
        return {"code": _CODES[self.status][1], "message": self.message}


def invalid(message: str) -> RpcError:
    """The error for a request that is wrong whatever there is."""
    return RpcError("INVALID_ARGUMENT", message)


def not_found(name: str) -> RpcError:
    """The error for a resource that isn't there."""
    return RpcError("NOT_FOUND", f"The resource {name!r} is not found.")


def not_emulated(what: str) -> RpcError:
    """The error for something that Vertex AI has and this emulator does not."""
    return RpcError("UNIMPLEMENTED", f"{what} is not emulated: docs/emulator.md lists what is.")
