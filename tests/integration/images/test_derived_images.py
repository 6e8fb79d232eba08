"""`images build --with-requirements`: docs/derived-images.md as a reader types it, and what the image is."""

import base64
import contextlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import urllib.parse
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from testbed.archives import write_archive
from testbed.deadlines import BUILD_SECONDS, PROGRAM_SECONDS
from tests.commands import COMMAND, run_command
from tests.documents import blocks
from tests.integration.images.serving_container import STRICT, answer_of, isolated
from tests.model_folders import PLURAL_HANDLER, wheels
from vertex_torchserve import docker

OWN, _, PRIVATE = blocks("docs/derived-images.md", "sh")
_, BESIDE = blocks("docs/derived-images.md", "text")
[PIP_CONFIG] = blocks("docs/derived-images.md", "ini")
[DOWNLOAD] = [
    block for block in blocks("docs/publishing.md", "sh") if block.startswith("pip install keyring")
]
[OFFLINE] = [
    block
    for block in blocks("docs/publishing.md", "sh")
    if "--network none" in block and "--with-req" in block
]
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
PASSWORD = "p@ss/word-that-is-in-no-layer"  # noqa: S105
IN_URL = urllib.parse.quote(PASSWORD, safe="")
LEAKED = "word-that-is-in-no-layer"  # written as it is, or as in a URL


class Builder(NamedTuple):
    """Somebody who types in a folder, with an image that is there."""

    folder: Path
    base: str

    def run(self, block: str, name: str) -> subprocess.CompletedProcess[str]:
        """Type a command of the document; the image gets a name of the test's own."""
        words = block.replace("vertex-torchserve", COMMAND, 1).split()
        words[words.index("--tag") + 1] = name
        return subprocess.run(
            [*words, "--base", self.base],
            cwd=self.folder, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS,
        )  # fmt: skip


@contextlib.contextmanager
def removed(*names: str) -> Iterator[None]:
    """Remove the images at the end."""
    try:
        yield
    finally:
        for name in names:
            subprocess.run(
                [docker.client(), "image", "rm", "--force", name], check=False, capture_output=True
            )


@contextlib.contextmanager
def private_index(wheel: str, content: bytes) -> Iterator[str]:
    """An index with one package for `reader`, who knows the password, not for `guest`; its host and port."""
    reader, guest = (
        "Basic " + base64.b64encode(f"{name}:{PASSWORD}".encode()).decode() for name in ("reader", "guest")
    )

    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.headers.get("Authorization")
            known = given == reader
            page = f'<a href="/{wheel}">{wheel}</a>'.encode()
            body = (
                content
                if self.path == f"/{wheel}"
                else page
                if self.path == "/simple/vtsprivatewords/"
                else None
            )
            self.send_response(403 if given == guest else 401 if not known else 200 if body else 404)
            if not known:
                self.send_header("WWW-Authenticate", "Basic")
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            if known and body:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def derived(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image with a wheel from beside the requirements, and one from an index with a password."""
    folder = tmp_path_factory.mktemp("derived")
    builder = Builder(folder, image)
    (own, beside), (_, private) = wheels("torch>=2").popitem(), wheels(name="vtsprivatewords").popitem()
    (folder / Path(own).name).write_bytes(beside)
    (folder / "private.txt").write_text(f"vtsprivatewords==1.0\n{BESIDE.replace('mypkg', 'plurals')}")
    name = f"vts-test-{uuid.uuid4().hex[:12]}:derived"
    with private_index("vtsprivatewords-1.0-py3-none-any.whl", private) as host, removed(name):
        url = f"http://reader:{IN_URL}@{host}"
        (folder / "pip.conf").write_text(PIP_CONFIG.replace("https://USER:PASSWORD@HOST", url))
        answer = builder.run(PRIVATE, name)
        assert answer.returncode == 0, answer.stderr[-4000:]
        assert answer.stdout.startswith(f"{name}: ")
        yield name


def test_nothing_is_installed_at_a_start(derived: str, tmp_path: Path) -> None:
    mar = write_archive(tmp_path, f"import vtsprivatewords\n{PLURAL_HANDLER}")
    with isolated(derived, mar) as container:
        [[word, torch, package]] = answer_of(container)
        log = container.logs()
    assert (word, torch.partition("+")[0]) == ("cats", "2.13.0")
    assert package == "/opt/venv/lib/python3.11/site-packages/plurals.py"
    assert "requirements" not in log


def test_it_is_the_base_with_packages(derived: str, image: str) -> None:
    made, base = (docker.inspect_image(name)["Config"] for name in (derived, image))
    for key in ("User", "Entrypoint", "Cmd", "Env", "Healthcheck", "WorkingDir", "ExposedPorts"):
        assert made[key] == base[key], key
    assert made["Labels"] == {**base["Labels"], "org.opencontainers.image.base.name": image}
    with docker.Container.run(derived, "3600", options=(*STRICT, "--entrypoint", "sleep")) as container:
        left = container.execute("sh", "-c", "find /root /tmp /srv /context /run -type f 2> /dev/null; true")
        versions = container.execute(
            "python", "-c", "import torch, ts, vtsprivatewords; print(torch.__version__, ts.__version__)"
        )
    assert left == ""
    assert versions.split() == docker.output_of(
        image, "-c", "import torch, ts; print(torch.__version__, ts.__version__)",
        options=("--entrypoint", "python"),
    ).split()  # fmt: skip


def test_the_password_of_the_index_is_in_no_layer_and_not_in_the_history(derived: str) -> None:
    history = subprocess.run(
        [docker.client(), "history", "--no-trunc", derived],
        stdout=subprocess.PIPE, check=True, timeout=PROGRAM_SECONDS,
    ).stdout  # fmt: skip
    assert LEAKED.encode() not in history
    end, size = b"", 0
    with subprocess.Popen([docker.client(), "save", derived], stdout=subprocess.PIPE) as saved:
        assert saved.stdout is not None
        while block := saved.stdout.read(1 << 22):
            size += len(block)
            assert LEAKED.encode() not in end + block
            end = block[-len(LEAKED) :]
    assert saved.returncode == 0
    assert size > 1_000_000_000, "all of its layers were read, and none is packed"


def test_an_index_that_refuses_is_named_with_what_to_do(image: str, tmp_path: Path) -> None:
    """pip itself says that there is no such package."""
    (tmp_path / "private.txt").write_text("vtsprivatewords==1.0\n")
    [(_, private)] = wheels(name="vtsprivatewords").items()
    with private_index("vtsprivatewords-1.0-py3-none-any.whl", private) as host:
        given = [f"http://{who}@{host}/simple/" for who in ("reader:a-wrong-one", f"guest:{IN_URL}")]
        (tmp_path / "pip.conf").write_text("[global]\nindex-url = {}\nextra-index-url = {}\n".format(*given))
        answer = Builder(tmp_path, image).run(
            f"{PRIVATE.strip()} --build-arg TORCH_INDEX_URL=", f"vts-test-{uuid.uuid4().hex[:12]}:refused"
        )
    assert answer.returncode == 1
    assert "No matching distribution found for vtsprivatewords==1.0" in answer.stderr
    for who, status in (("reader", 401), ("guest", 403)):
        assert (
            f"ERROR: http://{who}:****@{host}/simple/ answers {status}: name or password of" in answer.stderr
        )
    for secret in ("a-wrong-one", LEAKED):
        assert secret not in answer.stderr


def test_wheels_of_a_private_index_are_fetched_before_and_built_without_a_network(
    image: str, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text("vtsprivatewords==1.0\n")
    [(_, private)] = wheels(name="vtsprivatewords").items()
    # Google's keyring answers for Google's hosts alone: here the name and the password are in the address.
    _, download = DOWNLOAD.split("\n", 1)
    builder, name = Builder(tmp_path, image), f"vts-test-{uuid.uuid4().hex[:12]}:offline"
    with removed(name):
        answer = builder.run(OFFLINE, name)
        assert answer.returncode == 1
        assert "ERROR: the build has no network: put what is to be installed into the folder" in answer.stderr
        with private_index("vtsprivatewords-1.0-py3-none-any.whl", private) as host:
            index = f"http://reader:{IN_URL}@{host}/simple/"
            typed = re.sub(r"https://\S+/simple/", index, download).replace("mypkg", "vtsprivatewords")
            subprocess.run(
                ["bash", "-euo", "pipefail", "-c", typed],
                cwd=tmp_path, check=True, timeout=PROGRAM_SECONDS, env={**os.environ, "PATH": PATH},
            )  # fmt: skip
        answer = builder.run(OFFLINE, name)
        assert answer.returncode == 0, answer.stderr[-4000:]
        imported = docker.output_of(
            name,
            "-c",
            "import vtsprivatewords; print(vtsprivatewords.__file__)",
            options=("--entrypoint", "python"),
        )
    assert imported == "/opt/venv/lib/python3.11/site-packages/vtsprivatewords.py\n"


def test_check_knows_what_was_added(derived: str, image: str, tmp_path: Path) -> None:
    mar = write_archive(tmp_path, PLURAL_HANDLER)
    assert run_command("check", str(mar), "--image", derived).stdout == f"nothing found in {mar}\n"
    answer = run_command("check", str(mar), "--image", image)
    assert answer.returncode == 1
    assert f"imports plurals, which is not in the archive, the image {image}" in answer.stdout


def test_its_inventory_is_its_own(derived: str, image: str) -> None:
    base, own = (
        json.loads(docker.output_of(name, "/opt/venv/inventory.json", options=("--entrypoint", "cat")))
        for name in (image, derived)
    )
    added = {name: about for name, about in own["packages"].items() if name not in base["packages"]}
    assert added == {name: {"version": "1.0", "modules": [name]} for name in ("plurals", "vtsprivatewords")}
    assert own == {**base, "packages": {**base["packages"], **added}}


@pytest.mark.heavy
def test_a_torchvision_for_another_torch_fails_the_build(image: str, tmp_path: Path) -> None:
    """PyPI's, for CUDA, beside the CPU image's torch: pip installs it, and no worker could import it."""
    if "+cpu" not in docker.output_of(
        image, "-m", "pip", "show", "torch", options=("--entrypoint", "python")
    ):
        pytest.skip("PyPI's torchvision may fit the GPU image's torch")
    (tmp_path / "requirements.txt").write_text("torchvision==0.28.0\n")
    name = f"vts-test-{uuid.uuid4().hex[:12]}:bad"
    answer = Builder(tmp_path, image).run(f"{OWN.strip()} --build-arg TORCH_INDEX_URL=", name)
    assert answer.returncode == 1
    assert "torchvision 0.28.0 can't be imported beside torch 2.13.0+cpu" in answer.stderr
    assert "operator torchvision::nms does not exist" in answer.stderr
    with pytest.raises(docker.DockerError, match="No such image"):
        docker.inspect_image(name)


def test_all_that_is_wrong_is_told_before_the_build(image: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("torch==1.0\nno such ==1\n./gone.whl\n-e ./pkg\n../x.whl\n")
    (tmp_path / "pkg").mkdir()
    answer = Builder(tmp_path, image).run(f"{OWN.strip()} --pip-config pip.conf", image)
    assert answer.returncode == 2
    said = " ".join(answer.stderr.split())
    for number, problem in enumerate(
        (
            "requirements.txt:2: line 2, column 4: 'no such ==1'",
            "requirements.txt:3: gone.whl does not exist",
            "requirements.txt:4: -e ./pkg installs a link to a folder that is not in the image",
            "requirements.txt:5: ../x.whl names a file outside of .",
            f"{image} is the base image, which the build would replace",
            "pip.conf is not a file",
            "requirements.txt:1: torch==1.0 wants another torch",
        ),
        start=1,
    ):
        assert f"{number}. {problem}" in said, said
    answer = Builder(tmp_path, "no-such-image:here").run(OWN, "x:y")
    assert "the engine has no image no-such-image:here to build from" in " ".join(answer.stderr.split())
    assert answer.returncode == 2
