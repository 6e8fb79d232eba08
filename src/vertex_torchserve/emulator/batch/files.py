"""The files of a batch prediction job: instances in, predictions and errors out, all JSONL."""

import json
from collections import Counter
from dataclasses import dataclass, field

from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.emulator.rest.rpc_status import RpcError, invalid
from vertex_torchserve.emulator.storage.object_store import GcsUri, ObjectStore

_RESULTS = "prediction.results-00000-of-00001"
_ERROR_STATS = "prediction.errors_stats-00000-of-00001"
_ERRORS = "errors_0001.jsonl"


@dataclass
class Outcome:
    """What became of the instances so far.

    Attributes:
        results: `{"instance", "prediction"}` of what was predicted.
        errors: `{"instance", "error"}` of what failed, `error` being `{code, message}`.
    """

    results: list[Json] = field(default_factory=list)
    errors: list[Json] = field(default_factory=list)

    def succeed(self, instances: list[object], predictions: list[object]) -> None:
        """Record the predictions of a group, one for each instance."""
        pairs = zip(instances, predictions, strict=True)
        self.results += [{"instance": instance, "prediction": prediction} for instance, prediction in pairs]

    def fail(self, instances: list[object], error: RpcError) -> None:
        """Record an error as that of every instance of a group."""
        self.errors += [{"instance": instance, "error": error.status_json()} for instance in instances]

    def stats(self, total: int) -> Json:
        """The job's completionStats: 64-bit numbers are strings in JSON."""
        done = len(self.results) + len(self.errors)
        return {
            "successfulCount": str(len(self.results)),
            "failedCount": str(len(self.errors)),
            "incompleteCount": str(total - done),
        }

    def write(self, store: ObjectStore, folder: str) -> None:
        """Write the result file, and the error files when something failed.

        Args:
            store: Where to.
            folder: The gs:// folder of the job's output.
        """
        files = {_RESULTS: self.results}
        if self.errors:
            counts = Counter((entry["error"]["code"], entry["error"]["message"]) for entry in self.errors)
            files[_ERRORS] = self.errors
            files[_ERROR_STATS] = [
                {"error": {"code": code, "message": message}, "count": count}
                for (code, message), count in counts.items()
            ]
        target = GcsUri.parse(folder)
        for name, lines in files.items():
            content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            store.write(target.bucket, f"{target.folder}{name}", content.encode())


def read_instances(store: ObjectStore, uris: list[str]) -> list[object]:
    """Every line of the files, one instance each; empty lines are passed over.

    Args:
        store: Where from.
        uris: gs:// addresses of files; a `*` at the end means every file that starts so.

    Raises:
        RpcError: NOT_FOUND for a file that isn't there; INVALID_ARGUMENT for a line that isn't JSON,
            or when there is no instance at all.
    """
    instances: list[object] = []
    for uri in uris:
        source = GcsUri.parse(uri)
        names = [source.name]
        if uri.endswith("*"):
            names = store.names(source.bucket, source.name.removesuffix("*"))
        for name in names:
            # Split as bytes: str.splitlines also breaks at U+2028, which may stand inside a JSON string.
            for number, line in enumerate(store.read(source.bucket, name).splitlines(), start=1):
                if line.strip():
                    instances.append(_instance(line, f"gs://{source.bucket}/{name}:{number}"))
    if not instances:
        raise invalid(f"No instances in {', '.join(uris)}.")
    return instances


def _instance(line: bytes, where: str) -> object:
    try:
        instance: object = json.loads(line)
    except ValueError:
        # The line is the user's data and stays out of messages.
        raise invalid(f"{where} is not JSON; one JSON value a line is accepted.") from None
    return instance
