"""Write the table of docs/migrate.md: handlers of other servers, a request to each, and what was answered.

    python -m scripts.adapter_table

A test fails when it is stale.
"""

import json
import re
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from testbed.adapted_handler import answer
from testbed.foreign_handlers import CASES, Case

DOCUMENT = Path(__file__).parents[1] / "docs" / "migrate.md"
BLOCK = re.compile(
    r"(?<=<!-- adapters: made by scripts/adapter_table.py -->\n).*?(?=<!-- end of adapters -->)", re.S
)
_LONGEST = 90


def table() -> str:
    """The table, from a run of every case."""
    return "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    yield "| `--handler` | what is special | request | status | answer |"
    yield "|---|---|---|--:|---|"
    for case in CASES:
        with tempfile.TemporaryDirectory(prefix="vts-") as folder:
            status, body = answer(case, Path(folder))
        said = re.sub(r" \(request .*\)", "", json.dumps(body))
        cells = (f"`{case.handler}`", case.shows, _request(case), str(status), _code(said))
        yield f"| {' | '.join(cells)} |"


def _request(case: Case) -> str:
    if isinstance(case.request, bytes):
        return f"{len(case.request)} bytes of type `{case.content_type}`"
    return _code(json.dumps(case.request))


def _code(text: str) -> str:
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return f"`{shown}`".replace("|", "\\|")


def main() -> None:
    """Run the cases and write the table."""
    warnings.simplefilter("ignore")
    DOCUMENT.write_text(BLOCK.sub(lambda _: table(), DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
