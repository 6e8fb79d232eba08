"""Requirements in the image, with no network at all, and archives that a container can't unpack."""

from pathlib import Path

import pytest

from testbed.archives import ECHO_HANDLER, write_archive
from testbed.deadlines import READY_SECONDS
from testbed.processes import wait_until
from tests.integration.images.serving_container import ENGINE_PAUSE, STRICT, answer_of, isolated
from tests.model_folders import PLURAL_HANDLER, wheels
from vertex_torchserve.docker import Container


def wait_ended(container: Container) -> tuple[int | None, str]:
    """Its exit code and its log, once it has ended."""
    wait_until(
        lambda: container.state().status != "running",
        READY_SECONDS,
        "the container ends",
        pause=ENGINE_PAUSE,
    )
    return container.state().exit_code, container.logs()


def test_a_requirement_that_is_in_the_archive(image: str, tmp_path: Path) -> None:
    mar = write_archive(
        tmp_path,
        PLURAL_HANDLER,
        files={"requirements.txt": "plurals\n", **wheels("torch>=2")},
        requirementsFile="requirements.txt",
    )
    with isolated(image, mar) as container:
        [[word, torch, package]] = answer_of(container)
        installed = container.execute("python", "-c", "import torch; print(torch.__version__)").strip()
    assert (word, torch) == ("cats", installed)
    assert torch.startswith("2.13.0")
    assert "/venv/lib/python3.11/site-packages/plurals.py" in package


def test_a_requirement_that_can_not_be_had(image: str, tmp_path: Path) -> None:
    mar = write_archive(
        tmp_path,
        PLURAL_HANDLER,
        files={"requirements.txt": "plurals\nno-such-package==1.0\n", **wheels()},
        requirementsFile="requirements.txt",
    )
    with isolated(image, mar, (*STRICT, "--env", "VTS_LOG_FORMAT=text")) as container:
        code, log = wait_ended(container)
    assert code == 1
    assert log.rstrip().splitlines()[-2:] == [
        "ERROR: Could not find a version that satisfies the requirement no-such-package==1.0 "
        "(from versions: none)",
        "ERROR: No matching distribution found for no-such-package==1.0",
    ]


@pytest.mark.parametrize(
    ("tmpfs", "mode", "found"),
    [
        ("/tmp:exec,size=4m", 0o644, "needs 8,3"),  # seen before anything is written
        ("/tmp:exec,nr_inodes=10", 0o644, "needs 8,3"),  # seen by the file that can't be made
        ("/tmp:exec", 0o600, "can't be read: Permission denied"),
    ],
)
def test_an_archive_that_can_not_be_unpacked(
    image: str, tmp_path: Path, tmpfs: str, mode: int, found: str
) -> None:
    files: dict[str, str | bytes] = {f"{number}.bin": bytes(1 << 20) for number in range(8)}
    mar = write_archive(tmp_path, ECHO_HANDLER, files=files)
    mar.chmod(mode)
    strict = [tmpfs if option.startswith("/tmp") else option for option in STRICT]
    with isolated(image, mar, strict) as container:
        code, log = wait_ended(container)
    assert code == 2
    assert f"/mnt/models/model.mar {found}" in log
