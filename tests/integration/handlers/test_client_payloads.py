"""docs/payloads.md says what clients of other servers get; with VTS_WRITE_DOCUMENTS=1 this writes it."""

import json
import os
from typing import Any

from testbed.client_payloads import PAYLOADS
from testbed.packaged_models import served
from tests.documents import ROOT

DOCUMENT = ROOT / "docs" / "payloads.md"
HEAD = """# Payloads of other servers' clients

Requests in the shapes that clients of other servers send, each sent to a tiny model, and the form of what
the [reference handler](../handlers/README.md) answers: keys, the first entry of a list, 0 for a number.
`toolkit` is huggingface-inference-toolkit on Vertex AI, `google` Google's notebooks and its chat convention,
`hf-serve` the server in Hugging Face's newer images for Google, `torchserve` TorchServe's own envelope,
`tgi` text-generation-inference, `tei` text-embeddings-inference, `openai` OpenAI's API.
`tests/integration/handlers/test_client_payloads.py` writes this file.
"""
LONGEST = 160


def form(value: Any) -> Any:
    """What a JSON value is: its keys, the first entry of a list, `text` and `0` for what is in them."""
    if isinstance(value, dict):
        return {key: form(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [form(value[0])] if value else []
    if isinstance(value, str):
        return "text"
    return value if value is None or isinstance(value, bool) else 0


def short(value: Any) -> str:
    if isinstance(value, dict):
        value = json.loads(json.dumps(value), object_hook=lambda one: {"b64": "..."} if "b64" in one else one)
    text = json.dumps(value, ensure_ascii=False)
    return f"`{text if len(text) <= LONGEST else text[: LONGEST - 3] + '...'}`".replace("|", "\\|")


def table() -> tuple[str, int]:
    lines = ["| from | model | request | status | answer | why it differs |", "|---|---|---|--:|---|---|"]
    answered = 0
    unexplained = []
    for payload in PAYLOADS:
        status, answer = served(payload.model).answer(payload.body)
        answered += status == 200
        if status != 200 and not (status == 400 and payload.why):
            unexplained.append((payload.model, short(payload.body), status, answer))
        told = answer["error"] if status != 200 else form(answer.get("predictions", answer))
        cells = [payload.source, payload.model, short(payload.body), str(status), short(told), payload.why]
        lines.append(f"| {' | '.join(cells)} |")
    assert not unexplained
    counted = f"\n{answered} of {len(PAYLOADS)} are answered; the others have a reason.\n\n"
    return HEAD + counted + "\n".join(lines) + "\n", answered


def test_the_document_says_what_is_answered() -> None:
    text, answered = table()
    if os.environ.get("VTS_WRITE_DOCUMENTS") == "1":
        DOCUMENT.write_text(text, encoding="utf-8")
    assert len(PAYLOADS) >= 157
    assert answered >= len(PAYLOADS) - 9
    assert DOCUMENT.read_text(encoding="utf-8") == text
