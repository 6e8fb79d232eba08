"""Types of numbers that surprise."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, warning
from vertex_torchserve.archive_check.reading.torch_file import Kind
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject


@rule
def weights_type(subject: Subject) -> Iterator[Finding]:
    """The weights are no 64-bit floating point numbers, and a TorchScript program's are not of 16 bits.

    64 bits take twice the memory and time of 32, and hardly anybody means them: they come from numpy. A
    TorchScript program runs in the type that it was saved in; in 16 bits many of torch's operations are
    missing or slow on a CPU. The reference handler loads weights of any type as float32 on a CPU.

    Fix: convert the model before it is saved: `model.float()`.
    """
    for name in sorted(subject.weights()):
        if name.endswith(".safetensors"):
            types = set() if subject.is_pointer(name) else set(subject.safetensors(name).types.values())
            is_double, is_half = "F64" in types, False
        else:
            file = subject.torch_file(name)
            names = file.global_names() if file is not None else set()
            is_double = "torch.DoubleStorage" in names
            is_script = file is not None and file.kind is Kind.TORCHSCRIPT
            is_half = is_script and not names.isdisjoint({"torch.HalfStorage", "torch.BFloat16Storage"})
        if is_double:
            yield warning(
                name,
                "holds 64-bit floating point numbers, which take twice the memory and time of 32 bits",
                "convert the model before it is saved: `model.float()`",
            )
        if is_half:
            yield warning(
                name,
                "is a TorchScript program in 16-bit floating point numbers, which on a CPU is slow or fails",
                "serve it on a GPU, or save it from `model.float()`",
            )
