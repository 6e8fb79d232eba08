"""Labels of models, endpoints and batch prediction jobs.

Three public sources, which differ:

- The API's types (`labels` of Model, Endpoint and BatchPredictionJob in google/cloud/aiplatform_v1/types):
  keys and values of up to 64 characters; no number of labels.
- The requirements that the types refer to
  (https://cloud.google.com/resource-manager/docs/creating-managing-labels#requirements): 64 labels, keys and
  values of up to 63 characters, a letter first in a key.
- The service itself, when it refuses labels with 400 (quoted in
  https://github.com/GoogleCloudPlatform/cortex-data-foundation/issues/27): no more than 64 labels, keys and
  values of fewer than 64 characters and fewer than 128 bytes of UTF-8, a letter or a digit first in a key.

The service decides, so its own words are the rule here. Which characters are letters and digits is worded by
Bigtable's API (`Instance.labels`): Unicode's lowercase letters, letters without case, and numbers.
"""

import unicodedata
from collections.abc import Iterator, Mapping

from vertex_torchserve.errors import Problem

MOST_LABELS = 64
_MOST_CHARACTERS = 63
_MOST_BYTES = 127
_LETTERS_AND_DIGITS = frozenset({"Ll", "Lo", "Nd", "Nl", "No"})
_ACCEPTED = f"up to {_MOST_CHARACTERS} lowercase letters, digits, `_` and `-`, at most {_MOST_BYTES} bytes"
_FIX = "write it shorter, or in lowercase, with `-` for other characters"


def label_problems(labels: Mapping[str, object], most: int = MOST_LABELS) -> Iterator[Problem]:
    """Why Vertex AI would refuse these labels.

    Args:
        labels: Key -> value; a key or value that is no string is a problem too.
        most: How many labels there may be.
    """
    if len(labels) > most:
        yield Problem(f"{len(labels)} labels; up to {most} are accepted", "remove some")
    for key, value in labels.items():
        if not _is_label_text(key) or key[:1] in {"", "_", "-"}:
            yield Problem(f"label {key!r}: a key is {_ACCEPTED}, a letter or digit first", _FIX)
        if not _is_label_text(value):
            yield Problem(f"label {key!r} has the value {value!r}; accepted are {_ACCEPTED}", _FIX)


def _is_label_text(text: object) -> bool:
    return (
        isinstance(text, str)
        and len(text) <= _MOST_CHARACTERS
        and len(text.encode(errors="surrogatepass")) <= _MOST_BYTES
        and all(
            character in "_-" or unicodedata.category(character) in _LETTERS_AND_DIGITS for character in text
        )
    )
