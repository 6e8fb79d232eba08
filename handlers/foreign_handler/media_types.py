"""The media types (`Content-Type`, `Accept`) that the adapters know."""

JSON = "application/json"
CSV = "text/csv"
NPY = "application/x-npy"
BYTES = "application/octet-stream"
ANY = "*/*"
# What a handler gets as text, and not as bytes (sagemaker_inference/content_types.py).
UTF8_TYPES = (JSON, CSV)
_TEXTS = ("application/jsonlines", "application/x-ndjson", "application/xml")


def bare(media_type: str) -> str:
    """The type without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def is_text(media_type: str) -> bool:
    """Whether a body of a type is text."""
    name = bare(media_type)
    return name == JSON or name in _TEXTS or name.startswith("text/") or name.endswith(("+json", "+xml"))


def is_image(media_type: str) -> bool:
    """Whether it is a type of pictures."""
    return bare(media_type).startswith("image/")


def is_audio(media_type: str) -> bool:
    """Whether it is a type of sounds."""
    return bare(media_type).startswith("audio/")
