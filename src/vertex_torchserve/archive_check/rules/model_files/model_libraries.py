"""Libraries that only some models need."""

from collections.abc import Iterator
from typing import NamedTuple

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

# Its generated code needs protobuf 7.36, which it does not declare.
_TOO_NEW = "0.2.3"
# What the requirements have to say of a package besides its name.
_ACCEPTED = {"sentencepiece": f"sentencepiece<{_TOO_NEW}"}
_PIECES = ("spiece.model", "sentencepiece.bpe.model", "tokenizer.model", "sentencepiece.model")


class _Need(NamedTuple):
    """Libraries that a model needs.

    Attributes:
        where: The member that tells it.
        what: What needs them, for the message.
        packages: The packages, as they are named in requirements.
    """

    where: str
    what: str
    packages: tuple[str, ...]


@rule
def model_libraries(subject: Subject) -> Iterator[Finding]:
    """The libraries that this kind of model needs are in the image or among the requirements.

    sentencepiece for Marian and, with a protobuf as new as it, for tokenizers without `tokenizer.json`;
    tiktoken for `.tiktoken` files; pandas for TAPAS; peft for adapters; accelerate for `device_map` and
    quantized weights; torchvision for models of videos; timm for backbones of timm. transformers names
    another library than the one that lacks, or none. This project's images have sentencepiece, and a protobuf
    for it; requirements that bring sentencepiece 0.2.3 have to bring protobuf 7.

    Fix: name them in the requirements.
    """
    if not subject.by_reference_handler:
        return
    for need in _needs(subject):
        missing = [
            _ACCEPTED.get(package, package)
            for package in need.packages
            if package not in subject.image.versions and package not in subject.requirements.names
        ]
        if missing:
            yield error(
                need.where,
                f"{need.what} takes {' and '.join(missing)}, which {subject.image.name} lacks and no "
                "requirements file names",
                f"name in the requirements: {', '.join(missing)}",
                depends_on_image=True,
            )
        elif "protobuf" in need.packages and "protobuf" not in subject.requirements.names:
            yield from _too_new_sentencepiece(subject, need)


def _too_new_sentencepiece(subject: Subject, need: _Need) -> Iterator[Finding]:
    """Requirements that bring a sentencepiece for which the image's protobuf is too old."""
    from packaging.specifiers import SpecifierSet

    protobuf = subject.image.versions["protobuf"]
    if SpecifierSet(">=7").contains(protobuf, prereleases=True):
        return
    for line in subject.requirements.lines:
        if line.name == "sentencepiece" and SpecifierSet(line.versions).contains(_TOO_NEW):
            yield error(
                f"{subject.requirements.member}:{line.number}",
                f"{line.text} accepts sentencepiece {_TOO_NEW}, with which {need.what} takes protobuf 7; "
                f"{subject.image.name} has {protobuf}",
                f"write `{_ACCEPTED['sentencepiece']}`, or add the line `protobuf>=7`",
                depends_on_image=True,
            )


def _needs(subject: Subject) -> Iterator[_Need]:
    yield from _tokenizer_needs(subject)
    config = subject.json("config.json")
    architectures = [str(each) for each in config.get("architectures") or [] if isinstance(each, str)]
    if any(each.startswith("Tapas") for each in architectures):
        yield _Need("config.json", f"the model {architectures[0]}", ("pandas",))
    if subject.holds("adapter_config.json"):
        yield _Need("adapter_config.json", "an adapter", ("peft",))
    settings = subject.config.get("handler")
    if isinstance(settings, dict) and settings.get("device_map"):
        yield _Need(subject.config_name or "", "handler.device_map", ("accelerate",))
    if config.get("quantization_config"):
        yield _Need("config.json", "a model with quantized weights", ("accelerate",))
    if subject.holds("video_preprocessor_config.json"):
        yield _Need("video_preprocessor_config.json", "a model of videos", ("torchvision",))
    if config.get("use_timm_backbone") or config.get("model_type") == "timm_wrapper":
        yield _Need("config.json", "a model with a backbone of timm", ("timm",))


def _tokenizer_needs(subject: Subject) -> Iterator[_Need]:
    if subject.holds("source.spm"):
        yield _Need("source.spm", "the tokenizer of Marian", ("sentencepiece",))
    elif not subject.holds("tokenizer.json"):
        piece = next((name for name in _PIECES if subject.holds(name)), None)
        if piece is not None:
            yield _Need(piece, "a tokenizer without tokenizer.json", ("sentencepiece", "protobuf"))
        tokens = next((name for name in sorted(subject.names) if name.endswith(".tiktoken")), None)
        if tokens is not None:
            yield _Need(tokens, "a tokenizer without tokenizer.json", ("tiktoken",))
