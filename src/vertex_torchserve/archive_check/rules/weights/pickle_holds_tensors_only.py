"""What pickled weights load beside tensors."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error, note, warning
from vertex_torchserve.archive_check.image_modules import of_our_images
from vertex_torchserve.archive_check.reading.torch_file import MOST_PICKLE_BYTES, Kind
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

_MOST_SHOWN = 5


@rule
def pickle_holds_tensors_only(subject: Subject) -> Iterator[Finding]:
    """Pickled weights hold nothing but tensors, by torch's own list of what may be loaded.

    A pickle runs what it names. `torch.load` has refused others since torch 2.6 (`weights_only=True`), and
    TorchServe's handlers and the reference handler load so. The names are read from the pickle, which is not
    run, and compared with the list of the image's torch: the one by which
    `torch.serialization.get_unsafe_globals_in_checkpoint` judges.

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
        accepted = subject.image.unpickled or of_our_images().unpickled
        others = sorted(file.global_names() - accepted)
        if others:
            shown = ", ".join(others[:_MOST_SHOWN]) + (", ..." if len(others) > _MOST_SHOWN else "")
            handler = subject.handler
            ours = subject.by_reference_handler or (handler is not None and handler.is_built_in)
            yield (error if name == subject.serialized_file and ours else warning)(
                name,
                f"loads more than tensors: {shown}; torch.load refuses that unless it is told "
                "`weights_only=False`, which runs whatever the file names",
                "save the state dict alone: `torch.save(model.state_dict(), FILE)`, or safetensors",
            )
