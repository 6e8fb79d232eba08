"""Workers, threads and batches that fit the machine.

On two cores and MiniLM, two workers with one thread each, `batchSize` 16 and a `maxBatchDelay` of 1 ms
answered 340 requests a second at concurrency 32; one worker with two threads and batches of 32 answered
287, TorchServe's own defaults 13 (two workers with two threads each). More cores were not measured.
"""

from dataclasses import dataclass

from vertex_torchserve.serving.archive.model_config import ModelConfig
from vertex_torchserve.serving.machine.limits import Machine
from vertex_torchserve.serving.settings import ServingSettings

MIB = 1024 * 1024
_BATCH_SIZE = 16
_MAX_BATCH_DELAY_MS = 1  # 0 is taken for "not given", which is 100 ms; our queue takes 1 for none of its own
# Memory grows with every worker, and a single request's speed with the threads of one: from here on
# further cores go to the threads.
_MOST_CPU_WORKERS = 4
# Measured with MiniLM: 243 MiB for Python, torch, transformers and the worker, 135 MiB more for weights of
# 87 MiB, 380 MiB more while a batch of 16 texts of 256 tokens is run.
_WORKER_BYTES = 640 * MIB
_WEIGHTS_FACTOR = 2  # a state dict and the model it is loaded into
_MOST_NETTY_THREADS = 32
_LEAST_HEAP_BYTES, _MOST_HEAP_BYTES = 512 * MIB, 4096 * MIB


@dataclass(frozen=True)
class Sizing:
    """What TorchServe is started with.

    Attributes:
        workers: Worker processes; each holds the model.
        threads: Threads of each worker's torch (`OMP_NUM_THREADS`).
        batch_size: The most requests of one batch.
        max_batch_delay_ms: How long a batch is waited for.
        netty_threads: Threads that take requests.
        heap_bytes: The JVM's heap, and as much again outside of it for buffers.
    """

    workers: int
    threads: int
    batch_size: int
    max_batch_delay_ms: int
    netty_threads: int
    heap_bytes: int

    @classmethod
    def of(
        cls, machine: Machine, model_bytes: int, settings: ServingSettings, config: ModelConfig
    ) -> "Sizing":
        """For each value the archive's `model-config.yaml` comes first, then `VTS_*`, then what fits.

        Args:
            machine: What there is.
            model_bytes: The size of the archive's files, unpacked.
            settings: What the environment asks for.
            config: What the archive asks for.
        """
        heap = min(max(machine.memory_bytes // 8, _LEAST_HEAP_BYTES), _MOST_HEAP_BYTES)
        heap = min(heap, machine.memory_bytes // 4)
        workers = config.workers or settings.workers or _fitting_workers(machine, model_bytes, heap)
        return cls(
            workers=workers,
            threads=settings.threads or max(1, machine.cores // workers),
            batch_size=config.batch_size or settings.batch_size or _BATCH_SIZE,
            max_batch_delay_ms=(
                config.max_batch_delay_ms or settings.max_batch_delay_ms or _MAX_BATCH_DELAY_MS
            ),
            netty_threads=min(max(4, 2 * machine.cores), _MOST_NETTY_THREADS),
            heap_bytes=heap,
        )


def _fitting_workers(machine: Machine, model_bytes: int, heap_bytes: int) -> int:
    """One a GPU; on CPUs as many as the cores and the memory allow, at least one."""
    if machine.gpus:
        return machine.gpus
    worker_bytes = _WORKER_BYTES + _WEIGHTS_FACTOR * model_bytes
    fitting = (machine.memory_bytes - 2 * heap_bytes) // worker_bytes
    return max(1, min(machine.cores, _MOST_CPU_WORKERS, fitting))
