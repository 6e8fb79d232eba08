"""A `.tar.gz`, an unpacked folder, and such a folder in Cloud Storage are served as a .mar is."""

import io
import json
import tarfile
from pathlib import Path

import httpx
import pytest

from testbed.archives import ECHO_HANDLER
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from tests.commands import run_command
from tests.storage_emulator import StorageEmulator
from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving.local_server import ServingProcess

# What torch-model-archiver makes with `--archive-format tgz`, and with `no-archive`: all of it in one folder.
MEMBERS = {
    "bert/MAR-INF/MANIFEST.json": json.dumps(
        {"runtime": "python", "model": {"modelName": "bert", "handler": "handler.py"}}
    ),
    "bert/handler.py": f"from words.short import SHORT\n{ECHO_HANDLER}",
    "bert/words/__init__.py": "",
    "bert/words/short.py": "SHORT = 1\n",
}


def store(kind: str, root: Path, storage: StorageEmulator) -> str:
    """Where the archive lies."""
    if kind == "gs":
        for name, text in MEMBERS.items():
            storage.put(f"v1/{name}", text)
        return f"gs://{storage.bucket}/v1"
    if kind == "tgz":
        with tarfile.open(root / "bert.tar.gz", "w:gz") as archive:
            for name, text in MEMBERS.items():
                info = tarfile.TarInfo(name)
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))
        return str(root)
    for name, text in MEMBERS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return str(root / "bert")


@pytest.mark.parametrize("kind", ["tgz", "folder", "gs"])
def test_it_is_served(kind: str, storage: StorageEmulator, tmp_path: Path) -> None:
    where = store(kind, tmp_path, storage)
    checked = run_command("check", f"{where}/bert" if kind == "gs" else where)
    assert (checked.returncode, checked.stdout) == (0, f"nothing found in {checked.args[2]}\n")
    with ServingProcess({"AIP_STORAGE_URI": where, "VTS_WORKERS": "1"}) as server:
        server.wait_ready(READY_SECONDS)
        url = f"{server.base_url}/predictions/bert"
        answer = httpx.post(url, json={"instances": [1]}, timeout=ANSWER_SECONDS)
    assert (answer.status_code, answer.json()) == (200, {"predictions": [{"echo": 1}]})


def test_a_folder_in_a_bucket_that_can_not_be_served_says_why(storage: StorageEmulator) -> None:
    storage.put("v1/MAR-INF/MANIFEST.json", MEMBERS["bert/MAR-INF/MANIFEST.json"])
    with ServingProcess({"AIP_STORAGE_URI": f"gs://{storage.bucket}/v1"}) as server:
        with pytest.raises(ServingError, match="ended with code 2 ") as caught:
            server.wait_ready(READY_SECONDS)
    names = "the manifest names handler 'handler.py', which is not in the archive"
    assert f"gs://{storage.bucket}/v1: {names}" in caught.value.message
