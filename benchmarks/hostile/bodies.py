"""JSON that costs more to read than to send, and bodies that are more than they look."""

import gzip

from .attack import HEAD, Attack, outcomes, posted


def _zeros() -> bytes:
    return gzip.compress(b'{"instances": ["' + b"0" * 500_000_000 + b'"]}', compresslevel=1)


BODIES = (
    Attack(
        "json-nested-5000000-deep", "five million `[`",
        lambda: posted(b'{"instances": ' + b"[" * 5_000_000), outcomes(400),
    ),
    Attack(
        "json-number-of-10-MB", "a number of ten million digits",
        lambda: posted(b'{"instances": [' + b"9" * 10_000_000 + b"]}"), outcomes(400),
    ),
    Attack(
        "json-of-3-million-instances", "three million empty lists as instances",
        lambda: posted(b'{"instances": [' + b"[]," * 3_000_000 + b"[]]}"), outcomes(400),
    ),
    Attack(
        "gzip-of-500-MB", "500 MB of zeros as 2 MB of gzip",
        lambda: posted(_zeros(), headers=b"Content-Encoding: gzip\r\n"), outcomes(413, 415),
    ),
    Attack(
        "body-said-to-have-1-TB", "`Content-Length: 1000000000000`, then nothing",
        lambda: HEAD + b"Content-Length: 1000000000000\r\n\r\n", outcomes(413),
    ),
)  # fmt: skip
