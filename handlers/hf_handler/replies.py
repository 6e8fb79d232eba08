"""What an answer looks like for clients of another API; `hf_handler/request_forms` has them."""

from typing import Any, Protocol, runtime_checkable


class Reply(Protocol):
    """Makes the answer to one instance that came in a form of another API."""

    def whole(self, prediction: Any, tokens: int) -> Any:
        """Return the answer, of JSON types.

        Args:
            prediction: As the task gives it for the instance that the form was read as.
            tokens: That the model read.
        """


@runtime_checkable
class StreamedReply(Reply, Protocol):
    """Makes the parts of an answer, too."""

    content_type: str

    def first(self) -> str:
        """Return what is sent before the first part of a text."""

    def part(self, text: str, details: dict[str, Any], index: int) -> str:
        """Return what is sent of the next part of a text; empty where it is held back.

        Args:
            text: The part.
            details: Of its tokens, as `token_details` gives them; empty where nothing was noted.
            index: Of the text, where several are written to one instance.
        """

    def last(self, prediction: Any, tokens: int) -> str:
        """Return what is sent behind the last part."""

    def broken(self, status: int, message: str) -> str:
        """Return what is sent in place of the rest, when that failed."""
