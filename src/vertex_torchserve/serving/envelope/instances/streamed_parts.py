"""Which answers of a batch have been sent in part, while the handler works."""

from collections.abc import Sequence
from typing import Any

from .answer_head import AnswerHead


class PartSocket:
    """The worker's socket, as the handler's context has it; notes for which requests something was sent.

    Args:
        socket: TorchServe's connection to the JVM.
        heads: Of the requests that the handler works on.
    """

    def __init__(self, socket: Any, heads: Sequence[AnswerHead]) -> None:
        self._socket = socket
        self._heads = heads

    def sendall(self, message: bytes) -> None:
        """Send parts of answers (`ts.handler_utils.utils.send_intermediate_predict_response`)."""
        for head in self._heads:
            head.note_sent_part()
        self._socket.sendall(message)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)
