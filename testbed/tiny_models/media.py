"""Images and sounds made in place, as the base64 that a request carries."""

import base64
import io
import math
import random
import struct
import wave

WHITE = (255, 255, 255)


def image(seed: int, width: int = 48, height: int = 40, kind: str = "PNG") -> dict[str, str]:
    """A picture of coloured boxes on a slope of grey: `{"b64": ...}`."""
    from PIL import Image, ImageDraw

    numbers = random.Random(seed)  # noqa: S311 (a picture, not a secret)
    picture = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for _ in range(5):
        left, top = numbers.randrange(width - 8), numbers.randrange(height - 8)
        colour = tuple(numbers.randrange(256) for _ in range(3))
        box = (left, top, left + numbers.randrange(6, width // 2), top + numbers.randrange(6, height // 2))
        draw.rectangle(box, fill=colour)
    return _encoded(picture, kind)


def document(
    lines: list[str], width: int = 200, height: int = 120
) -> tuple[dict[str, str], list[list[object]]]:
    """A page with words, and what an OCR engine would read from it.

    Returns:
        `{"b64": ...}` and one `[word, [left, top, right, bottom]]` for each word, in thousandths of the page.
    """
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (width, height), WHITE)
    draw = ImageDraw.Draw(picture)
    words: list[list[object]] = []
    for row, line in enumerate(lines):
        left, top = 8, 8 + 16 * row
        for word in line.split():
            right, bottom = left + 6 * len(word), top + 11
            draw.text((left, top), word, fill=(0, 0, 0))
            words.append(
                [
                    word,
                    [
                        1000 * left // width,
                        1000 * top // height,
                        1000 * right // width,
                        1000 * bottom // height,
                    ],
                ]
            )
            left = right + 6
    return _encoded(picture, "PNG"), words


def sound(seed: int, seconds: float = 0.5, rate: int = 16_000) -> dict[str, str]:
    """A chord that swells and falls, 16 bit, one channel, as a WAV file: `{"b64": ...}`."""
    numbers = random.Random(seed)  # noqa: S311
    tones = [(numbers.uniform(150, 1500), numbers.uniform(0.1, 0.3)) for _ in range(3)]
    count = int(seconds * rate)
    samples = [
        math.sin(math.pi * n / count)
        * sum(loud * math.sin(2 * math.pi * tone * n / rate) for tone, loud in tones)
        for n in range(count)
    ]
    stream = io.BytesIO()
    with wave.open(stream, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(struct.pack(f"<{count}h", *(int(32767 * one) for one in samples)))
    return {"b64": base64.b64encode(stream.getvalue()).decode()}


def _encoded(picture: object, kind: str) -> dict[str, str]:
    stream = io.BytesIO()
    picture.save(stream, kind)  # type: ignore[attr-defined]
    return {"b64": base64.b64encode(stream.getvalue()).decode()}
