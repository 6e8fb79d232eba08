"""Sounds, read as samples at the rate a model takes."""

import numpy
import torch

from hf_handler.allowance import Allowance
from hf_handler.bounds import AUDIO_SAMPLES
from hf_handler.optional import need
from hf_handler.schema import Refused

# The least and the most samples a second that are taken.
RATES = (1_000, 768_000)
# Samples that are brought to another rate at a time.
BLOCK = 2**22


def silence() -> bytes:
    """Return half a second of silence as a WAV file (16 kHz, one channel), which is answered at load."""
    import io
    import wave

    stream = io.BytesIO()
    with wave.open(stream, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(bytes(16_000))
    return stream.getvalue()


def read_sound(content: bytes, rate: int, most: float, allowance: Allowance) -> numpy.ndarray:
    """Read a sound for a model.

    Args:
        content: A file's bytes: WAV with PCM; with the library soundfile also FLAC, OGG, MP3 and other kinds
            of WAV.
        rate: Samples a second that the model takes.
        most: Seconds of the longest sound that is taken.
        allowance: Of the request that it came with.

    Returns:
        The samples: float32, from -1 to 1, one dimension. Channels are averaged.

    Raises:
        Refused: No sound of a known format (415), too long (413), or damaged or empty (422).
    """
    measure = Measure(rate, most, allowance)
    found = read_wave(content, measure) if content[:4] == b"RIFF" else None
    samples, own_rate = found or read_soundfile(content, measure)
    if not len(samples) or not numpy.isfinite(samples).all():
        raise Refused("the audio is empty or damaged", 422)
    return resampled(samples, own_rate, rate)


class Measure:
    """Holds a sound against what is taken, before it is decoded.

    Args:
        rate: Samples a second that the model takes.
        most: Seconds of the longest sound that is taken.
        allowance: Of the request that it came with.
    """

    def __init__(self, rate: int, most: float, allowance: Allowance) -> None:
        self._rate, self._most, self._allowance = rate, most, allowance

    def hold(self, frames: int, rate: int, channels: int) -> None:
        """Hold what a sound's header says against the bounds.

        Args:
            frames: Samples of each channel.
            rate: Of them a second.
            channels: How many there are.

        Raises:
            Refused: Too long, too many samples, or too few or many a second.
        """
        if not RATES[0] <= rate <= RATES[1]:
            raise Refused(f"the audio has {rate} samples a second, accepted: {RATES[0]} to {RATES[1]}", 422)
        if frames > self._most * rate:
            raise Refused(f"the audio is longer than {self._most:g} seconds", 413)
        self._allowance.take(AUDIO_SAMPLES, max(frames * channels, frames * self._rate // rate))


def read_wave(content: bytes, measure: Measure) -> tuple[numpy.ndarray, int] | None:
    """Read a WAV file with PCM samples of 8 to 32 bits by Python's own `wave`.

    Args:
        content: The file's bytes.
        measure: Holds it against what is taken.

    Returns:
        Samples (float32, channels averaged) and how many there are a second; None for another kind of WAV.

    Raises:
        Refused: It is too long, or damaged.
    """
    import io
    import wave

    try:
        with wave.open(io.BytesIO(content)) as reader:
            measure.hold(reader.getnframes(), reader.getframerate(), reader.getnchannels())
            raw = reader.readframes(reader.getnframes())
            width, channels, rate = reader.getsampwidth(), reader.getnchannels(), reader.getframerate()
    except (wave.Error, EOFError):
        return None
    except Refused:
        raise
    except Exception:  # the header says what isn't so
        raise Refused("the audio is damaged or cut short", 422) from None
    if width not in {1, 2, 3, 4}:
        return None
    raw = raw[: len(raw) // (width * channels) * width * channels]
    if width == 1:  # of all widths only this one is unsigned, in WAV files
        values = (numpy.frombuffer(raw, numpy.uint8).astype(numpy.float32) - 128) / 128
    else:
        # A sample's bytes become the highest ones of a 32-bit integer, so that one scale fits all widths.
        whole = numpy.zeros((len(raw) // width, 4), numpy.uint8)
        whole[:, 4 - width :] = numpy.frombuffer(raw, numpy.uint8).reshape(-1, width)
        values = (whole.view("<i4")[:, 0] / 2**31).astype(numpy.float32)
    return values.reshape(-1, channels).mean(axis=1), rate


def read_soundfile(content: bytes, measure: Measure) -> tuple[numpy.ndarray, int]:
    """Read a sound of any format that libsndfile knows; in blocks, as a small file may hold hours.

    Args:
        content: The file's bytes.
        measure: Holds it against what is taken.

    Returns:
        Samples (float32, channels averaged) and how many there are a second.

    Raises:
        Refused: It is too long, libsndfile knows no such file, or soundfile is not installed.
    """
    import io

    try:
        soundfile = need("soundfile", "audio other than WAV with PCM")
    except ValueError:
        message = "expected audio as WAV with PCM; for FLAC, OGG or MP3 the server lacks soundfile"
        raise Refused(message, 415) from None
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as reader:
            measure.hold(reader.frames, reader.samplerate, reader.channels)
            samples, frames = numpy.empty(reader.frames, numpy.float32), 0
            for block in reader.blocks(max(1, 2**17 // reader.channels), dtype="float32", always_2d=True):
                block.mean(axis=1, out=samples[frames : frames + len(block)])
                frames += len(block)
            return samples[:frames], reader.samplerate
    except Refused:
        raise
    except Exception:  # soundfile's own, or Python's where the header says what isn't so
        raise Refused("expected audio as WAV, FLAC, OGG or MP3", 415) from None


def resampled(samples: numpy.ndarray, old: int, new: int) -> numpy.ndarray:
    """Return samples at another rate.

    Each new sample is a sum of the old ones around it, weighted by a sinc function under a Hann window: six
    zero crossings wide, and cut off 1 % below the lower Nyquist frequency, as in torchaudio's `resample`.

    Args:
        samples: Float32, one dimension.
        old: Their rate, samples a second.
        new: The rate wanted.

    Raises:
        Refused: The rates have so small a common divisor that the table of weights would be too large.
    """
    import math

    if old == new:
        return samples
    divisor = math.gcd(old, new)
    step, phases = old // divisor, new // divisor
    cutoff = 0.99 * min(step, phases)
    width = math.ceil(6 * step / cutoff)
    if phases * (2 * width + step) > 2**23:
        raise Refused(f"the audio has {old} samples a second; send it with {new}, 44100 or 48000", 422)
    offsets = torch.arange(-width, width + step, dtype=torch.float64) / step
    times = offsets[None, :] - torch.arange(phases, dtype=torch.float64)[:, None] / phases
    crossings = (times * cutoff).clamp(-6, 6)
    weights = torch.sinc(crossings) * torch.cos(crossings * math.pi / 12) ** 2 * (cutoff / step)
    result = numpy.empty((len(samples) // step + 1, phases), numpy.float32)
    steps = math.ceil(BLOCK / step)
    for first in range(0, len(result), steps):  # in blocks: convolved at once, an hour would take gigabytes
        last = min(first + steps, len(result))
        begin, end = first * step - width, last * step + width
        block = torch.from_numpy(samples[max(0, begin) : end])
        padded = torch.nn.functional.pad(block, (max(0, -begin), max(0, end - len(samples))))
        convolved = torch.nn.functional.conv1d(padded[None, None], weights[:, None].float(), stride=step)
        result[first:last] = convolved[0].T
    return result.reshape(-1)[: math.ceil(phases * len(samples) / step)]
