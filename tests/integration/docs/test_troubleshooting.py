"""docs/troubleshooting.md: its commands find what it says they find, its messages are those of the code."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from google.api_core.future import polling
from google.cloud.aiplatform_v1.types import Port

from testbed.archives import ECHO_HANDLER, write_archive
from testbed.deadlines import PROGRAM_SECONDS
from tests.documents import ROOT, blocks

TEXT = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")


def shell(block: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        check=False, cwd=folder, capture_output=True, text=True, timeout=PROGRAM_SECONDS,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )  # fmt: skip


def test_the_commands_for_a_model_that_never_becomes_ready(tmp_path: Path) -> None:
    """The handler can be read, and fails as it loads: the second command says why."""
    broken = ECHO_HANDLER + '\nraise RuntimeError("labels.json is missing")\n'
    write_archive(tmp_path, handler=broken)
    (tmp_path / "instances.json").write_text('["a"]')
    run = shell("\n".join(blocks("docs/troubleshooting.md", "bash")), tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "labels.json is missing" in run.stdout + run.stderr


def test_the_messages_are_the_code_s() -> None:
    [message] = blocks("docs/troubleshooting.md", "text")
    emulator = (ROOT / "src/vertex_torchserve/emulator/containers/model_server.py").read_text()
    written = "".join(re.findall(r'"([^"]*)"', emulator.replace('f"', '"')))
    assert " ".join(message.split()) in written
    application = (ROOT / "src/vertex_torchserve/cli/app.py").read_text()
    assert "`this command needs the package ..., which is not installed`" in TEXT
    assert 'f"this command needs the package {error.name!r}, which is not installed"' in application
    assert "for lack of memory perhaps" in TEXT
    assert "perhaps" in (ROOT / "src/vertex_torchserve/serving/log/load_failure.py").read_text()


def test_the_messages_of_googles_libraries_are_theirs() -> None:
    with pytest.raises(TypeError) as refused:
        Port(container_port=8080.0)
    assert f'"{refused.value}"' in TEXT
    waited = "Operation did not complete within the designated timeout of "
    assert waited in inspect.getsource(polling)
    assert f'"{waited}900 seconds"' in TEXT


def test_what_vertex_ai_is_quoted_with_was_reported_by_somebody() -> None:
    section = TEXT.partition("## What Vertex AI says")[2].partition("What it does without a message")[0]
    messages = [row.split(" | ")[0] for row in section.splitlines() if row.startswith("| ")][1:]
    assert len(messages) > 10
    unreported = [message for message in messages if "https://github.com/" not in message]
    assert [message.partition(":")[0] for message in unreported] == [
        "| `TypeError`"
    ]  # the SDK's, tested above
