"""Weights in several files."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

_MOST_SHOWN = 5


@rule
def shards_complete(subject: Subject) -> Iterator[Finding]:
    """Every file that an index of weights names is there.

    `model.safetensors.index.json` and `pytorch_model.bin.index.json` say which tensor lies in which file.

    Fix: add the missing files, beside the index.
    """
    for name in sorted(subject.names):
        if not name.endswith((".safetensors.index.json", ".bin.index.json")):
            continue
        places = subject.json(name).get("weight_map")
        shards = {str(shard) for shard in places.values()} if isinstance(places, dict) else set()
        folder = PurePosixPath(name).parent
        missing = sorted(shard for shard in shards if not subject.holds(str(folder / shard)))
        if missing:
            shown = ", ".join(missing[:_MOST_SHOWN]) + (", ..." if len(missing) > _MOST_SHOWN else "")
            yield error(
                name,
                f"names {len(shards)} files, of which {len(missing)} are not there: {shown}",
                "add them to the folder of the index",
            )
