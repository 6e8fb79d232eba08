"""GPUs by `nvidia-smi`: a script stands in for NVIDIA's program, which only a machine with a GPU has."""

import os
from pathlib import Path

import pytest

from vertex_torchserve.errors import InputError, ServingError
from vertex_torchserve.serving.machine.gpus import require_accelerator, usable_gpus, visible_devices

TWO_GPUS = """\
GPU 0: NVIDIA L4 (UUID: GPU-5c89852c-d268-c3f3-1b07-005d5ae1dc3f)
GPU 1: NVIDIA L4 (UUID: GPU-66fba4dd-1a28-2f5a-9f2c-1f8b2d2fd6ae)
"""
MIG = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaaaaaa-0000-0000-0000-000000000000)
  MIG 1g.5gb      Device  0: (UUID: MIG-11111111-0000-0000-0000-000000000000)
  MIG 1g.5gb      Device  1: (UUID: MIG-22222222-0000-0000-0000-000000000000)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-bbbbbbbb-0000-0000-0000-000000000000)
  MIG 7g.40gb     Device  0: (UUID: MIG-33333333-0000-0000-0000-000000000000)
"""


def environment(folder: Path, listing: str | None, exit_code: int = 0, devices: str = "") -> dict[str, str]:
    """A PATH with an nvidia-smi that prints `listing` when asked with -L; without one for None."""
    if listing is not None:
        path = folder / "nvidia-smi"
        path.write_text(f'#!/bin/sh\n[ "$*" = -L ] || exit 64\ncat <<END\n{listing}END\nexit {exit_code}\n')
        path.chmod(0o755)
    system = os.pathsep.join(
        place for place in ("/usr/bin", "/bin") if not Path(place, "nvidia-smi").exists()
    )
    search = f"{folder}{os.pathsep}{system}" if listing is not None else str(folder)
    return {"PATH": search, **({"CUDA_VISIBLE_DEVICES": devices} if devices else {})}


@pytest.mark.parametrize(
    ("listing", "exit_code", "devices", "count"),
    [
        (None, 0, "", 0),
        (TWO_GPUS, 0, "", 2),
        (MIG, 0, "", 2),
        ("No devices were found\n", 6, "", 0),
        (TWO_GPUS, 0, "1", 1),
        (TWO_GPUS, 0, "-1", 0),
        (None, 0, "GPU-1,GPU-2,GPU-3", 3),
    ],
)
def test_how_many_there_are(
    tmp_path: Path, listing: str | None, exit_code: int, devices: str, count: int
) -> None:
    assert usable_gpus(environment(tmp_path, listing, exit_code, devices)) == count


@pytest.mark.parametrize(
    ("listing", "devices", "indices"),
    [
        (TWO_GPUS, "GPU-66fba4dd-1a28-2f5a-9f2c-1f8b2d2fd6ae", "1"),
        (TWO_GPUS, "GPU-66fba4dd-1a28-2f5a-9f2c-1f8b2d2fd6ae, 0", "1,0"),
        (MIG, "MIG-33333333-0000-0000-0000-000000000000", "1"),
    ],
)
def test_uuids_become_indices(tmp_path: Path, listing: str, devices: str, indices: str) -> None:
    assert visible_devices(environment(tmp_path, listing, devices=devices)) == {
        "CUDA_VISIBLE_DEVICES": indices,
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }


@pytest.mark.parametrize("devices", ["", "0", "1,0", "-1"])
def test_indices_stay_as_they_are(tmp_path: Path, devices: str) -> None:
    assert visible_devices(environment(tmp_path, TWO_GPUS, devices=devices)) == {}


@pytest.mark.parametrize(
    ("listing", "device"),
    [
        (TWO_GPUS, "GPU-00000000-0000-0000-0000-000000000000"),
        (MIG, "MIG-11111111-0000-0000-0000-000000000000"),
        (MIG, "MIG-22222222-0000-0000-0000-000000000000"),
        (None, "GPU-66fba4dd-1a28-2f5a-9f2c-1f8b2d2fd6ae"),
    ],
)
def test_uuids_without_an_index_are_an_error(tmp_path: Path, listing: str | None, device: str) -> None:
    with pytest.raises(InputError, match=f"CUDA_VISIBLE_DEVICES names {device}; nvidia-smi lists as usable:"):
        visible_devices(environment(tmp_path, listing, devices=device))


def test_no_accelerator_asked_for_none_needed(tmp_path: Path) -> None:
    require_accelerator("", environment(tmp_path, None))


@pytest.mark.parametrize(
    ("listing", "exit_code", "said"),
    [
        (None, 0, "no GPU is to be seen here (there is no nvidia-smi)"),
        ("No devices were found\n", 6, "no GPU is to be seen here (nvidia-smi says: No devices were found)"),
        (TWO_GPUS, 0, "nvidia-smi lists a GPU, but torch can't use it: "),
    ],
)
def test_an_accelerator_that_is_not_there_is_a_failure(
    tmp_path: Path, listing: str | None, exit_code: int, said: str
) -> None:
    hidden = environment(tmp_path, listing, exit_code, devices="-1")  # from torch, should there be one
    with pytest.raises(ServingError) as caught:
        require_accelerator("NVIDIA_L4", hidden)
    assert caught.value.exit_code == 1
    assert caught.value.message.startswith("AIP_ACCELERATOR_TYPE='NVIDIA_L4'")
    assert said in caught.value.message
