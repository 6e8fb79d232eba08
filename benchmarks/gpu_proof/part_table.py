"""The parts of the proof, in the order in which they run: what is wanted most comes first."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One part.

    Attributes:
        name: Of its file in parts/.
        title: For readers.
        seconds: Its deadline, when all of them have ten minutes.
    """

    name: str
    title: str
    seconds: float

    @property
    def module(self) -> str:
        """Where it is imported from."""
        return f"benchmarks.gpu_proof.parts.{self.name}"


PARTS = (
    Part("device_choice", "CUDA picked by gpu_id, and the dtype", 60),
    Part("minilm_speed", "all-MiniLM-L6-v2 through the server", 180),
    Part("where_time_goes", "Where the time goes while the most clients ask", 60),
    Part("server_settings", "Workers and batch sizes", 240),
    Part("task_answers", "Every task's tiny model, beside the CPU's answers", 150),
    Part("out_of_memory", "Out of memory, halved and survived", 90),
    Part("llama_speed", "A Llama of 6 layers through the server", 180),
    Part("two_workers", "Two workers on one GPU", 90),
    Part("accelerator", "The accelerator check, with and without a driver", 120),
    Part("cold_start", "Cold start", 120),
    Part("forward_ways", "One forward pass: as it is called, as a CUDA graph, compiled", 90),
)
