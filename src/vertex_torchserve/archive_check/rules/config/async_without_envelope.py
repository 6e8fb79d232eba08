"""`asyncCommunication` and an envelope of the manifest's."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.serving.archive.member_names import MANIFEST_NAME


@rule
def async_without_envelope(subject: Subject) -> Iterator[Finding]:
    """An archive with `asyncCommunication: true` names no service envelope in its manifest.

    TorchServe's envelopes (`json`, `body`, `kserve`, `kservev2`) call the handler and never await it.

    Fix: package without the envelope, or without asyncCommunication.
    """
    model = subject.json(MANIFEST_NAME).get("model")
    envelope = model.get("envelope") if isinstance(model, dict) else None
    if envelope and subject.config.get("asyncCommunication") is True:
        yield error(
            MANIFEST_NAME,
            f"names the service envelope {envelope!r}, and model-config.yaml says `asyncCommunication: "
            "true`: envelopes "
            "of TorchServe don't await the handler",
            "take `envelope` out of the manifest, or asyncCommunication out of model-config.yaml",
        )
