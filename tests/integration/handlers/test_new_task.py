"""The task that handlers/README.md adds works as it says."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from testbed.loaded_handler import HANDLERS, write_manifest
from testbed.tiny_models import make
from tests.documents import ROOT, blocks

PROGRAM = """
import json, sys
from ts.model_loader import TsModelLoader
from ts.context import RequestProcessor

sys.path.insert(0, sys.argv[1])
service = TsModelLoader().load(
    "model", sys.argv[2], "huggingface_handler.py", gpu_id=None, batch_size=1, envelope="json"
)
service.context.request_processor = [RequestProcessor({"body": {"content-type": "application/json"}})]
(answer,) = service._entry_point([{"body": json.loads(sys.argv[3])}], service.context)
print(answer)
"""


def test_the_task_of_the_readme(tmp_path: Path) -> None:
    readme = (ROOT / "handlers" / "README.md").read_text()
    [file] = re.findall(r"`hf_handler/(tasks/\w+\.py)`:\n", readme)
    [line] = re.findall(r'`("[\w-]+": "\w+:\w+",)`', readme)
    [request] = re.findall(r'`(\{"instances": \[\{"text": "Once upon", .*?\}\]\})`', readme)

    handlers = tmp_path / "handlers"
    shutil.copytree(HANDLERS, handlers, ignore=shutil.ignore_patterns("__pycache__"))
    (handlers / "hf_handler" / file).write_text(blocks("handlers/README.md", "python")[0])
    registry = handlers / "hf_handler" / "registry.py"
    table, begins = registry.read_text(), "TASKS: dict[str, str] = {\n"
    assert begins in table
    registry.write_text(table.replace(begins, f"{begins}    {line}\n"))

    make("text-generation", tmp_path / "model")
    write_manifest(tmp_path / "model", config="handler: {task: next-token}")
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(handlers), str(tmp_path / "model"), request],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    [[first, second]] = json.loads(run.stdout.splitlines()[-1])["predictions"]
    assert set(first) == set(second) == {"token", "score"}
    assert 1 > first["score"] >= second["score"] > 0
