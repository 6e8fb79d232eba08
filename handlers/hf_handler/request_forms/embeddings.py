"""embeddings: the vectors of OpenAI's API."""

from collections.abc import Mapping
from typing import Any, ClassVar

from hf_handler.arrays import BASE64, in_base64
from hf_handler.request_forms.form import Asked, RequestForm
from hf_handler.schema import COUNT, INPUT_TEXT, TEXT, Fields, Schema, or_several


class Embeddings(RequestForm):
    """Vectors of texts (https://platform.openai.com/docs/api-reference/embeddings)."""

    name = "embeddings"
    mark = "input"
    fields: ClassVar[Mapping[str, Schema]] = {
        "input": or_several(INPUT_TEXT),
        "model": TEXT,
        "encoding_format": {"type": "string", "enum": ["float", BASE64]},
        "dimensions": COUNT,
        "user": INPUT_TEXT,
    }

    def asked(self, fields: Fields) -> Asked:
        """Return the texts, and what makes the list of their vectors."""
        parameters = {"encoding": "float"} | {
            name: fields[name] for name in ("dimensions",) if name in fields
        }
        return Asked({"text": fields["input"], "parameters": parameters}, EmbeddingsReply(fields))


class EmbeddingsReply:
    """Makes the list of vectors.

    Args:
        fields: Of the request, checked.
    """

    def __init__(self, fields: Fields) -> None:
        self._model = fields.get("model") or "model"
        self._several = isinstance(fields["input"], list)
        self._base64 = fields.get("encoding_format") == BASE64

    def whole(self, prediction: Any, tokens: int) -> Any:
        """Return the vectors in order, as numbers or as the base64 of their 32-bit floats."""
        vectors = prediction if self._several else [prediction]
        return {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": self._written(vector)}
                for index, vector in enumerate(vectors)
            ],
            "model": self._model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }

    def _written(self, vector: Any) -> Any:
        return in_base64(vector) if self._base64 else vector
