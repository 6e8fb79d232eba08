"""The dated story of Google's prebuilt containers."""

from datetime import date

import pytest

from vertex_torchserve.resource_rules.prebuilt_containers import is_prebuilt, nearest_available

PREBUILT = "europe-docker.pkg.dev/vertex-ai/prediction"
BEFORE = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (f"{PREBUILT}/pytorch-cpu.1-12:latest", f"{PREBUILT}/pytorch-cpu.2-4:latest"),
        (f"{PREBUILT}/pytorch-gpu.1-13:latest", f"{PREBUILT}/pytorch-gpu.2-4:latest"),
        (f"{PREBUILT}/pytorch-gpu.2-1", f"{PREBUILT}/pytorch-gpu.2-4:latest"),
        (
            "us-docker.pkg.dev/vertex-ai/prediction/pytorch-cpu.1-11:latest",
            "us-docker.pkg.dev/vertex-ai/prediction/pytorch-cpu.2-4:latest",
        ),
    ],
)
def test_an_image_that_is_gone_is_replaced_with_a_dated_warning(asked: str, given: str) -> None:
    image, (replaced, going) = nearest_available(asked, BEFORE)
    assert image == given
    assert asked in replaced
    assert given in replaced
    assert "2026-11-22" in replaced
    assert "stop being available on 2027-01-14" in going


@pytest.mark.parametrize("version", ["2-2", "2-3", "2-4"])
def test_an_image_that_is_there_is_taken_with_the_date_of_its_end(version: str) -> None:
    asked = f"{PREBUILT}/pytorch-gpu.{version}:latest"
    image, (going,) = nearest_available(asked, BEFORE)
    assert image == asked
    assert "2027-01-14" in going
    assert "custom_container=True" in going


def test_the_warning_after_the_end() -> None:
    _, (gone,) = nearest_available(f"{PREBUILT}/pytorch-cpu.2-4:latest", date(2027, 1, 14))
    assert "have not been available since 2027-01-14" in gone


def test_an_image_that_is_named_by_its_digest_is_taken_as_it_is() -> None:
    asked = f"{PREBUILT}/pytorch-cpu.2-4:latest@sha256:{'0' * 64}"
    assert is_prebuilt(asked)
    assert nearest_available(asked, BEFORE)[0] == asked


@pytest.mark.parametrize(
    "image",
    [
        "europe-west2-docker.pkg.dev/my-project/vertex-ai/pytorch-cpu.2-4:latest",
        "europe-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest",
        "europe-docker.pkg.dev/vertex-ai/training/pytorch-gpu.2-4:latest",
        "torchserve:latest",
    ],
)
def test_any_other_image_is_left_alone(image: str) -> None:
    assert not is_prebuilt(image)
    assert nearest_available(image, BEFORE) == (image, [])
