"""Whatever a client sends is answered or refused: never a 500, never a dead worker.

`make benchmark-handler-fuzz` sends 10,000 (benchmarks/handler_fuzz.py).
"""

import os
from pathlib import Path

import pytest

from testbed.fuzzing import Fuzzed
from testbed.tiny_models import FIRST_OF_TASKS

EXAMPLES = int(os.environ.get("VTS_FUZZ_EXAMPLES", "60"))


@pytest.mark.parametrize("name", FIRST_OF_TASKS)
@pytest.mark.filterwarnings("ignore:Tokenizer does not support real words")
def test_only_answers_and_refusals(name: str, tmp_path: Path) -> None:
    fuzzed = Fuzzed(name, tmp_path / "model")
    fuzzed.run(EXAMPLES)
    assert fuzzed.mistakes == []
    assert set(fuzzed.statuses) - {200}  # some were refused; `is_alive` asks for an answer
    assert fuzzed.is_alive()
