"""Workers, threads and batches for machines of every size."""

import dataclasses
from pathlib import Path

import pytest

from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.manifest import Manifest
from vertex_torchserve.serving.archive.model_config import ModelConfig
from vertex_torchserve.serving.archive.unpacking import ModelFolder
from vertex_torchserve.serving.machine.limits import Machine
from vertex_torchserve.serving.machine.sizing import Sizing
from vertex_torchserve.serving.settings import ServingSettings
from vertex_torchserve.serving.torchserve.config_properties import render_config_properties

MIB = 1024**2
GIB = 1024**3
DEFAULTS = ServingSettings.from_environment({})
TWO_CORES = Machine(cores=2, memory_bytes=24 * GIB, gpus=0)


def sized(
    machine: Machine = TWO_CORES,
    *,
    model_bytes: int = 90 * MIB,
    settings: ServingSettings = DEFAULTS,
    config: ModelConfig | None = None,
) -> Sizing:
    return Sizing.of(machine, model_bytes, settings, config or ModelConfig())


def test_what_won_on_two_cores() -> None:
    assert sized() == Sizing(
        workers=2, threads=1, batch_size=16, max_batch_delay_ms=1, netty_threads=4, heap_bytes=3 * GIB
    )


@pytest.mark.parametrize(
    ("cores", "memory_gib", "model_gib", "gpus", "workers", "threads"),
    [
        (1, 24, 0.1, 0, 1, 1),
        (3, 24, 0.1, 0, 3, 1),
        (4, 24, 0.1, 0, 4, 1),
        (16, 64, 0.1, 0, 4, 4),
        (30, 64, 0.1, 0, 4, 7),
        (4, 4, 0.1, 0, 3, 1),  # 3 GiB beside the JVM, 0.82 a worker
        (4, 16, 5, 0, 1, 4),  # 12 GiB beside the JVM, 10.6 a worker
        (2, 1, 5, 0, 1, 2),  # doesn't fit at all: tried with one
        (8, 30, 5, 1, 1, 8),
        (8, 30, 5, 4, 4, 2),
        (1, 30, 5, 4, 4, 1),
    ],
)
def test_workers_fit_cores_memory_and_gpus(
    cores: int, memory_gib: int, model_gib: float, gpus: int, workers: int, threads: int
) -> None:
    machine = Machine(cores=cores, memory_bytes=memory_gib * GIB, gpus=gpus)
    sizing = sized(machine, model_bytes=int(model_gib * GIB))
    assert (sizing.workers, sizing.threads) == (workers, threads)


@pytest.mark.parametrize(("memory_mib", "heap_mib"), [(1024, 256), (2048, 512), (8192, 1024), (131072, 4096)])
def test_the_heap_grows_with_the_memory(memory_mib: int, heap_mib: int) -> None:
    assert sized(Machine(cores=2, memory_bytes=memory_mib * MIB, gpus=0)).heap_bytes == heap_mib * MIB


def test_the_environment_beats_the_machine_and_the_archive_the_environment() -> None:
    settings = ServingSettings.from_environment(
        {"VTS_WORKERS": "3", "VTS_THREADS": "5", "VTS_BATCH_SIZE": "7", "VTS_MAX_BATCH_DELAY_MS": "9"}
    )
    from_environment = sized(settings=settings)
    assert dataclasses.astuple(from_environment)[:4] == (3, 5, 7, 9)
    config = ModelConfig({"minWorkers": 1, "maxWorkers": 2, "maxBatchDelay": 2})
    assert dataclasses.astuple(sized(settings=settings, config=config))[:4] == (1, 5, 7, 2)


def test_threads_are_shared_by_the_workers_the_archive_asks_for() -> None:
    assert sized(config=ModelConfig({"minWorkers": 1, "maxWorkers": 1})).threads == 2


def test_omp_num_threads_counts_when_ours_is_not_set() -> None:
    assert sized(settings=ServingSettings.from_environment({"OMP_NUM_THREADS": "6"})).threads == 6


def test_numbers_that_are_none_are_named() -> None:
    with pytest.raises(InputError) as caught:
        ServingSettings.from_environment({"VTS_WORKERS": "0", "VTS_BATCH_SIZE": "many"})
    assert [problem.message for problem in caught.value.problems] == [
        "VTS_WORKERS='0' is not a whole number from 1 to 1,024",
        "VTS_BATCH_SIZE='many' is not a whole number from 1 to 1,000,000",
    ]


def test_the_model_s_folder_is_served_under_the_name_in_its_manifest() -> None:
    manifest = Manifest(model_name="bert", model_version="2.5", handler="handler.py")
    model = ModelFolder(Path("/work/model-store/model"), "other.mar", manifest, unpacked_bytes=1)
    text = render_config_properties(DEFAULTS, sized(), model, "instances")
    lines = dict(line.split("=", 1) for line in text.splitlines())
    assert lines["load_models"] == "bert=model"
    assert lines["model_store"] == "/work/model-store"
    assert lines["install_py_dep_per_model"] == "true"
