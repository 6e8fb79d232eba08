"""Requirements are installed by a real pip, beside the torch that serves and never in its place."""

import io
import socket
import tarfile
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from testbed.archives import ECHO_HANDLER, write_archive
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from tests.model_folders import PLURAL_HANDLER, wheels
from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving.local_server import ServingProcess

# Prints more than a pipe takes, and then fails.
TALKATIVE_SETUP = (
    "for number in range(20_000): print('line', number)\nraise SystemExit('it needs a compiler')\n"
)


@pytest.fixture(autouse=True)
def _no_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nothing but what the archive brings, whatever this machine's pip is told; and no file left."""
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield
        assert list(Path(folder).iterdir()) == []


def test_a_package_in_the_archive_is_installed_and_torch_is_left_alone(tmp_path: Path) -> None:
    write_archive(
        tmp_path,
        PLURAL_HANDLER,
        files={"requirements.txt": "plurals\n", **wheels("torch>=2")},
        requirementsFile="requirements.txt",
    )
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path)}) as server:
        server.wait_ready(READY_SECONDS)
        answer = httpx.post(
            f"{server.base_url}/predictions/model", json={"instances": ["cat"]}, timeout=ANSWER_SECONDS
        )
    [[word, torch, installed]] = answer.json()["predictions"]
    assert (word, torch) == ("cats", version("torch"))
    assert "/venv/lib/" in installed


SETUP = "from setuptools import setup\nsetup(name='{0}', version='1.0', py_modules=['{0}'])\n"


def test_requirements_that_name_files_of_the_archive(tmp_path: Path) -> None:
    [wheel] = wheels().values()
    files: dict[str, str | bytes] = {
        "requirements.txt": "-r more.txt\n./plurals-1.0-py3-none-any.whl\n",
        "more.txt": "./tool\n-e .\n",
        "plurals-1.0-py3-none-any.whl": wheel,
        "tool/setup.py": SETUP.format("tool"),
        "tool/tool.py": "",
        "setup.py": SETUP.format("whole"),
        "whole.py": "",
    }
    handler = (
        "import importlib.metadata as m\nimport plurals\n\ndef handle(data, context):\n"
        "    return data and [plurals.plural(name) + m.version(name) for name in data]\n"
    )
    write_archive(tmp_path, handler, files=files, requirementsFile="requirements.txt")
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}  # 0 is pip's word for: without isolation
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path), **offline}) as server:
        server.wait_ready(READY_SECONDS)
        answer = httpx.post(
            f"{server.base_url}/predictions/model",
            json={"instances": ["tool", "whole", "plurals"]},
            timeout=ANSWER_SECONDS,
        )
    assert answer.json() == {"predictions": ["tools1.0", "wholes1.0", "pluralss1.0"]}


def failure(tmp_path: Path, files: dict[str, str | bytes], **environment: str) -> str:
    write_archive(tmp_path, ECHO_HANDLER, files=files, requirementsFile="requirements.txt")
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path), **environment}) as server:
        with pytest.raises(ServingError, match="ended with code 1") as caught:
            server.wait_ready(READY_SECONDS)
        return caught.value.message


def test_a_package_that_wants_another_torch(tmp_path: Path) -> None:
    message = failure(tmp_path, {"requirements.txt": "plurals\n", **wheels("torch==1.0")})
    assert "plurals 1.0 depends on torch==1.0" in message
    assert f"The user requested (constraint) torch=={version('torch')}" in message
    assert "ERROR: ResolutionImpossible" in message.splitlines()[-1]


def test_a_package_that_is_not_there(tmp_path: Path) -> None:
    message = failure(tmp_path, {"requirements.txt": "no-such-package==1.0\n", **wheels()})
    assert message.splitlines()[-1] == "ERROR: No matching distribution found for no-such-package==1.0"


def test_a_package_that_says_much_while_it_fails_to_build(tmp_path: Path) -> None:
    source = io.BytesIO()
    with tarfile.open(fileobj=source, mode="w:gz") as archive:
        for name, text in (("setup.py", TALKATIVE_SETUP), ("PKG-INFO", "Name: noisy\nVersion: 1.0\n")):
            info = tarfile.TarInfo(f"noisy-1.0/{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    files: dict[str, str | bytes] = {
        "requirements.txt": "noisy\n",
        "wheels/noisy-1.0.tar.gz": source.getvalue(),
    }
    # pip's own word for "no isolation": no setuptools is fetched for the build, there is no index.
    message = failure(tmp_path, files, PIP_NO_BUILD_ISOLATION="0")
    assert "it needs a compiler" in message


def test_an_installation_that_takes_too_long(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent_index:
        message = failure(
            tmp_path,
            {"requirements.txt": "no-such-package==1.0\n"},
            PIP_INDEX_URL=f"http://me:secret@127.0.0.1:{silent_index.getsockname()[1]}/simple",
            VTS_INSTALL_TIMEOUT_SECONDS="30",  # pip asks its index some seconds after it is started
        )
    assert "took longer than 30 s" in message
    assert "http://****@127.0.0.1:" in message
    assert "secret" not in message
