"""The README's door of who publishes images, walked with a registry on loopback in the place of Google's."""

import hashlib
import re
import shlex
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from testbed.deadlines import ANSWER_SECONDS, BUILD_SECONDS, PROGRAM_SECONDS
from tests.commands import COMMAND
from tests.documents import ROOT, blocks
from tests.integration.images.conftest import base_options
from tests.integration.images.registry import PASSWORD, USER, running_registry
from vertex_torchserve import docker

[DOOR] = blocks("README.md", "sh")
WRITTEN = "REGION-docker.pkg.dev/PROJECT/REPOSITORY"
# Images of one small file, by the paths and the arguments of the real ones.
SMALL = {
    "images/torchserve-cpu/Dockerfile": "FROM scratch\nCOPY pyproject.toml /\nLABEL made=cpu\n",
    "component/Dockerfile": "ARG BASE_IMAGE=torchserve-cpu:dev\nFROM ${BASE_IMAGE}\nCOPY more /\n",
    "pyproject.toml": "",
    "more": "",
}


# Docker's own, and what engines with containerd's store of images push.
_MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
# An image that was pulled by its digest has no tag.
_NAMES = '{{.Repository}}{{if eq .Tag "<none>"}}@{{.Digest}}{{else}}:{{.Tag}}{{end}}'


class Publisher:
    """Somebody who types what the README says, in a checkout.

    Attributes:
        repository: What they write in the place of the README's; no two have the same.
    """

    def __init__(self, registry: str, checkout: Path) -> None:
        self.repository = f"{registry}/project-{uuid.uuid4().hex[:8]}/images"
        self._checkout = checkout

    def type(self, line: str, *more: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the README."""
        program, *words = shlex.split(line.replace(WRITTEN, self.repository))
        assert program == "vertex-torchserve"
        return subprocess.run(
            [COMMAND, *words, *more],
            cwd=self._checkout, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS,
        )  # fmt: skip

    def pushed(self, line: str, *more: str) -> str:
        """Run a command that builds and pushes; the name by digest that it prints."""
        run = self.type(line, *more)
        assert run.returncode == 0, run.stderr[-4000:]
        name = re.escape(shlex.split(line)[-2].replace(WRITTEN, self.repository))
        said = rf"({name.rpartition(':')[0]}):1: \d\.\d\d GB, pushed as (\1@sha256:[0-9a-f]{{64}})\n"
        found = re.fullmatch(said, run.stdout)
        assert found, run.stdout
        return found[2]

    def forget(self) -> None:
        """Remove its images from the engine, as if another machine had built them."""
        listed = (
            "image",
            "ls",
            "--digests",
            "--format",
            _NAMES,
            "--filter",
            f"reference={self.repository}/*",
        )
        for image in set(docker.ask(*listed).split()):
            docker.ask("image", "rm", image)


@contextmanager
def publishing(registry: str, checkout: Path) -> Iterator[Publisher]:
    """A publisher of whom nothing is left in the engine."""
    publisher = Publisher(registry, checkout)
    try:
        yield publisher
    finally:
        publisher.forget()


def commands() -> list[str]:
    return DOOR.replace("\\\n", " ").splitlines()


@pytest.fixture(scope="module")
def registry(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that asks for a password, and a Docker client of its own that has not logged in."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DOCKER_CONFIG", str(tmp_path_factory.mktemp("docker")))
        with running_registry(tmp_path_factory.mktemp("registry")) as address:
            yield address


@pytest.fixture
def logged_in(registry: str) -> Iterator[str]:
    words = ("login", "--username", USER, "--password-stdin", registry)
    docker.ask(*words, standard_input=PASSWORD.encode())
    yield registry
    docker.ask("logout", registry)


@pytest.fixture
def small_checkout(tmp_path: Path) -> Path:
    for name, text in SMALL.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_who_is_not_logged_in_is_told_how(registry: str, small_checkout: Path) -> None:
    with publishing(registry, small_checkout) as publisher:
        run = publisher.type(commands()[0])
    assert run.returncode == 1
    said = " ".join(run.stderr.split())
    assert "no basic auth credentials" in said
    assert f"error: image '{publisher.repository}/torchserve-cpu:1' could not be pushed" in said
    assert f"`docker login {registry}`. The image is built: `docker push {publisher.repository}/" in said


def test_small_images_go_out_and_come_back(logged_in: str, small_checkout: Path) -> None:
    """The README's commands for images without torch, which take half a minute less to push."""
    build_cpu, build_component, _ = commands()
    with publishing(logged_in, small_checkout) as publisher:
        pushed = [publisher.pushed(build_cpu)]
        publisher.forget()  # only the registry has the component's base
        pushed += [publisher.pushed(build_component)]
        publisher.forget()
        for name, layers in zip(pushed, (1, 2), strict=True):
            with pytest.raises(docker.DockerError, match="No such image"):
                docker.inspect_image(name)
            docker.ask("pull", name, seconds=PROGRAM_SECONDS)
            found = docker.inspect_image(name)
            assert found["Config"]["Labels"]["made"] == "cpu"
            assert len(found["RootFS"]["Layers"]) == layers


def test_a_component_s_base_that_nobody_has_is_told_before_the_build(
    logged_in: str, small_checkout: Path
) -> None:
    with publishing(logged_in, small_checkout) as publisher:
        run = publisher.type(commands()[1])
    assert run.returncode == 2
    said = " ".join(run.stderr.split())
    assert f"there is no image '{publisher.repository}/torchserve-cpu:1', in the engine or in a reg" in said
    assert "build it: `vertex-torchserve images build cpu`" in said


@pytest.mark.heavy
def test_our_images_go_out_come_back_and_keep_the_contract(image: str, logged_in: str) -> None:
    if image != "torchserve-cpu:dev":
        pytest.skip("the README builds the CPU image")
    build_cpu, build_component, ask = commands()
    with publishing(logged_in, ROOT) as publisher:
        pushed = [publisher.pushed(build_cpu, *base_options()), publisher.pushed(build_component)]
        publisher.forget()
        for name in pushed:
            assert_whole(name)
            docker.ask("pull", name, seconds=PROGRAM_SECONDS)
        assert docker.inspect_image(pushed[0])["Id"] == docker.inspect_image(image)["Id"]
        run = publisher.type(ask.replace(f"{WRITTEN}/torchserve-cpu:1", pushed[0]))
    assert run.returncode == 0, run.stdout + run.stderr
    assert ", 0 failed (0 must, 0 should), 0 not run" in run.stdout


def assert_whole(name: str) -> None:
    """What a machine that has none of its layers would download is what the digests say."""
    repository, digest = name.split("@")
    registry, _, path = repository.partition("/")
    with httpx.Client(
        base_url=f"http://{registry}/v2/{path}/", auth=(USER, PASSWORD), timeout=ANSWER_SECONDS
    ) as client:
        manifest = client.get(f"manifests/{digest}", headers={"Accept": ", ".join(_MANIFESTS)})
        assert f"sha256:{hashlib.sha256(manifest.content).hexdigest()}" == digest
        found = manifest.json()
        for part in (found["config"], *found["layers"]):
            computed = hashlib.sha256()
            with client.stream("GET", f"blobs/{part['digest']}") as blob:
                for piece in blob.iter_raw(1 << 20):
                    computed.update(piece)
            assert f"sha256:{computed.hexdigest()}" == part["digest"]
