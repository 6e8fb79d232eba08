"""Write handlers/EXAMPLES.md: one request of every task, and what a tiny model answered.

    PYTHONPATH=handlers python -m scripts.handler_examples

Media, long texts and long lists are cut, numbers rounded. A test fails when the block is stale.
"""

import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from testbed.packaged_models import request, served
from testbed.tiny_models import FIRST_OF_TASKS

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "handlers" / "EXAMPLES.md"
BLOCK = re.compile(
    r"(?<=<!-- examples: made by scripts/handler_examples.py -->\n).*?(?=<!-- end of examples -->)", re.S
)
WIDTH = 110
LONGEST_TEXT, LONGEST_WORD, LONGEST_LIST = 90, 16, 4
CUT = "..."

Example = tuple[dict[str, Any], dict[str, Any]]
Answers = Callable[[str, dict[str, Any]], Any]


def examples(answer: Answers) -> dict[str, Example]:
    """Request and response of each task, cut as the document shows them.

    Args:
        answer: Gives the body of the answer to a request; arguments are the name of a tiny model and the
            request's body.
    """
    shown = {}
    for name in FIRST_OF_TASKS:
        body = request(name)
        body["instances"] = body["instances"][:1]
        shown[name] = (cut(body), cut(answer(name, body)))
    return shown


def cut(value: Any) -> Any:
    """A JSON value for readers: long texts and lists end early."""
    if isinstance(value, dict):
        return {key: cut(entry) for key, entry in value.items()}
    if isinstance(value, list):
        shown = [cut(entry) for entry in value[:LONGEST_LIST]]
        return [*shown, CUT] if len(value) > LONGEST_LIST else shown
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return value[: LONGEST_TEXT if " " in value else LONGEST_WORD] + CUT
    return value


def rounded(value: Any) -> Any:
    """A JSON value with its numbers rounded to four digits."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return round(value, 4) if isinstance(value, float) else value


def as_block(shown: dict[str, Example]) -> str:
    """The block of the document."""
    parts = []
    for name, both in sorted(shown.items()):
        request, response = (as_text(rounded(one)) for one in both)
        parts.append(f"\n`{name}`\n\n```json\n{request}\n{response}\n```\n")
    return "".join(parts) + "\n"


def as_text(value: Any, indent: int = 0) -> str:
    """JSON in one line where it fits, else one entry a line."""
    text = json.dumps(value, ensure_ascii=False)
    if indent + len(text) <= WIDTH or not isinstance(value, dict | list):
        return text
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        entries = [f"{json.dumps(key)}: {as_text(entry, indent + 2)}" for key, entry in value.items()]
    else:
        entries = [as_text(entry, indent + 2) for entry in value]
    first, last = "{}" if isinstance(value, dict) else "[]"
    return f"{first}\n{inner}" + f",\n{inner}".join(entries) + f"\n{' ' * indent}{last}"


def read_block(text: str) -> dict[str, Example]:
    """The examples that the document's text shows.

    Raises:
        ValueError: It has no such block.
    """
    found = BLOCK.search(text)
    if found is None:
        raise ValueError("no block of examples")
    decoder = json.JSONDecoder()
    shown = {}
    for name, both in re.findall(r"^`([\w-]+)`\n\n```json\n(.*?)\n```$", found[0], re.M | re.S):
        request, end = decoder.raw_decode(both)
        response, _ = decoder.raw_decode(both, end + 1)
        shown[name] = (request, response)
    return shown


def main() -> None:
    """Run the tiny models and write the block."""
    warnings.simplefilter("ignore")
    block = as_block(examples(lambda name, body: served(name).answer(body)[1]))
    DOCUMENT.write_text(BLOCK.sub(lambda _: block, DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
