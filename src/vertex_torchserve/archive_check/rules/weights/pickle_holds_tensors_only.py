"""What pickled weights load beside tensors."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error, note, warning
from vertex_torchserve.archive_check.reading.torch_file import MOST_PICKLE_BYTES, Kind, TorchFile
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

# What state dicts of tensors load, all of it on torch's own list. Only a file that loads more is shown to
# torch, whose import takes seconds.
_USUAL = {
    "collections.OrderedDict",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_tensor_v2",
    "torch.nn.parameter.Parameter",
    *(
        f"torch.{name}Storage"
        for name in ("BFloat16", "Bool", "Byte", "Char", "Double", "Float", "Half", "Int", "Long", "Short")
    ),
}
_MOST_SHOWN = 5


@rule
def pickle_holds_tensors_only(subject: Subject) -> Iterator[Finding]:
    """Pickled weights hold nothing but tensors, by torch's own list of what may be loaded.

    A pickle runs what it names. `torch.load` has refused others since torch 2.6 (`weights_only=True`), and
    TorchServe's handlers and the reference handler load so. The names are read from the pickle without
    running it and judged by `torch.serialization.get_unsafe_globals_in_checkpoint`; without torch here, all
    but the usual ones are named.

    Fix: save the state dict (`torch.save(model.state_dict(), ...)`) or safetensors, not the whole module.
    """
    for name in sorted(subject.pickled_weights()):
        file = subject.torch_file(name)
        if file is None or file.kind is not Kind.PICKLE:
            continue
        if not file.is_whole:
            yield note(
                name,
                f"has a pickle of more than {MOST_PICKLE_BYTES:,} bytes, which was not read to its end",
                "save a state dict alone, without what the training needs",
            )
            continue
        unsafe, judged_by = _unsafe(file)
        if unsafe:
            shown = ", ".join(unsafe[:_MOST_SHOWN]) + (", ..." if len(unsafe) > _MOST_SHOWN else "")
            by_ours = subject.by_reference_handler or (
                subject.handler is not None and subject.handler.is_built_in
            )
            refused = name == subject.serialized_file and by_ours and judged_by == "torch"
            yield (error if refused else warning)(
                name,
                f"loads more than tensors: {shown}; torch.load refuses that unless it is told "
                "`weights_only=False`, "
                "which runs whatever the file names"
                + (
                    ""
                    if judged_by == "torch"
                    else " (torch is not installed here, so its own list was not asked)"
                ),
                "save the state dict alone: `torch.save(model.state_dict(), FILE)`, or safetensors",
            )


def _unsafe(file: TorchFile) -> tuple[list[str], str]:
    others = file.global_names() - _USUAL
    if not others:
        return [], "torch"
    try:
        from torch.serialization import get_unsafe_globals_in_checkpoint
    except ImportError:
        return sorted(others), "name"
    try:
        return sorted(get_unsafe_globals_in_checkpoint(file.for_torch())), "torch"
    except Exception:  # torch reads fewer opcodes than there are, and loads none of the others
        return sorted(others), "torch"
