"""What makes the reference handler compute for long, or hold much; each is asked of a tiny model."""

import base64
import functools
import io
import json
from typing import Any

from .attack import Attack, asked, outcomes, posted

SOUND_SECONDS, SOUND_RATE = 600, 640_000
SIDE = 7000


def _with(inputs: Any, **parameters: Any) -> Any:
    """An instance with its own parameters: stock TorchServe's envelope drops those of a request."""
    return {"inputs": inputs, "parameters": parameters}


@functools.cache
def _sound() -> bytes:
    """Ten minutes of silence at 640 kHz, a FLAC of 1.4 MB."""
    import numpy
    import soundfile

    file = io.BytesIO()
    second = numpy.zeros(SOUND_RATE, dtype="int16")
    with soundfile.SoundFile(file, "w", SOUND_RATE, 1, "PCM_16", format="FLAC") as written:
        for _ in range(SOUND_SECONDS):
            written.write(second)
    return asked(_with({"b64": base64.b64encode(file.getvalue()).decode()}, return_timestamps=True))


@functools.cache
def _pictures() -> bytes:
    """Forty pictures of 49 megapixels."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("1", (SIDE, SIDE)).save(file, "PNG")
    return asked(*[{"b64": base64.b64encode(file.getvalue()).decode()}] * 40)


def _names() -> str:
    return ",".join(f"name {number}" for number in range(20_000))


TEXT = "The house is small."
GENERATION, CLASSES, NAMES = "text-generation", "text-classification", "zero-shot-classification"
SOUNDS, PICTURES, CONTEXTS = "automatic-speech-recognition", "image-classification", "question-answering"
LARGE = outcomes(400, 413)
MOST_BEAMS = {"num_beams": 32, "num_return_sequences": 32, "max_new_tokens": 100_000}
TASKS = (
    Attack("stop-of-5-million-characters", "a `stop` of 5,000,000 characters",
           lambda: asked(_with(TEXT, stop="a" * 5_000_000)), LARGE, GENERATION),
    Attack("stop-of-10000-characters", "a `stop` of 10,000 characters",
           lambda: asked(_with(TEXT, stop="a" * 10_000)), LARGE, GENERATION),
    Attack("100000-texts-to-write-on", "100,000 empty texts to go on with",
           lambda: asked(*[""] * 100_000), LARGE, GENERATION),
    Attack("text-of-10-MB-to-write-on", "a text of 10 MB to go on with",
           lambda: asked("a " * 5_000_000), LARGE, GENERATION),
    Attack("most-beams-and-tokens", "32 beams of 100,000 tokens for 64 texts",
           lambda: asked(*[_with(TEXT, **MOST_BEAMS)] * 64), LARGE, GENERATION),
    Attack("beams-and-tokens-within-the-bound", "32 beams of 254 tokens for 32 texts",
           lambda: asked(*[_with(TEXT, **{**MOST_BEAMS, "max_new_tokens": 254})] * 32),
           outcomes(200, "open"), GENERATION),
    Attack("200000-messages", "a conversation of 200,000 messages",
           lambda: asked({"messages": [{"role": "user", "content": "a"}] * 200_000}), LARGE, GENERATION),
    Attack("20000-names-in-one-text", "20,000 `candidate_labels` as one text",
           lambda: asked(_with(TEXT, candidate_labels=_names())), LARGE, NAMES),
    Attack("sound-at-640-kHz", "a FLAC of 1.4 MB: 600 s at 640 kHz", _sound, LARGE, SOUNDS),
    Attack("40-pictures-of-49-megapixels", "40 PNGs of 7,000 x 7,000", _pictures, LARGE, PICTURES),
    Attack("text-of-10-MB", "a text of 10 MB", lambda: asked("a " * 5_000_000), LARGE, CLASSES),
    Attack("14000-long-texts", "14,000 texts, each cut by the tokenizer",
           lambda: asked(*["a " * 300] * 14_000), LARGE | outcomes(200), CLASSES),
    Attack("context-of-2-million-words", "a context of 2,000,000 words",
           lambda: asked({"question": "Who?", "context": "a " * 2_000_000}), LARGE, CONTEXTS),
    Attack("json-of-2-million-instances", "two million empty texts",
           lambda: posted(json.dumps({"instances": [""] * 2_000_000}).encode()), LARGE, CLASSES),
)  # fmt: skip
