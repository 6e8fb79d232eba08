"""Sounds: equal to transformers' pipelines, in a batch too; whatever is no sound is refused."""

import base64
import io
import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

from testbed.loaded_handler import load
from testbed.tiny_models import CATALOGUE, make, samples
from testbed.tiny_models.audio import LONG_SOUND
from testbed.tiny_models.media import sound
from tests.integration.handlers.handler_models import assert_same

RATE = 16_000
WHISPER = "automatic-speech-recognition"
CTC = "automatic-speech-recognition-ctc"
QUICK = {"num_beams": 1, "max_new_tokens": 12}


def opened(file: dict[str, str]) -> dict[str, Any]:
    """The samples, as the pipelines take them where there is no ffmpeg."""
    with wave.open(io.BytesIO(base64.b64decode(file["b64"]))) as reader:
        raw = reader.readframes(reader.getnframes())
        values = numpy.frombuffer(raw, "<i2").astype(numpy.float32) / 32768
        return {"raw": values, "sampling_rate": reader.getframerate()}


def wav(values: Any, rate: int = RATE, width: int = 2) -> bytes:
    """A WAV file of samples (frames, or frames x channels) from -1 to 1."""
    values = numpy.atleast_2d(numpy.asarray(values, numpy.float64).T).T
    whole = numpy.round(values * (2 ** (8 * width - 1) - 1)).astype("<i8")
    if width == 1:
        whole += 128
    raw = whole.reshape(-1, 1).view(numpy.uint8)[:, :width].tobytes()
    stream = io.BytesIO()
    with wave.open(stream, "wb") as writer:
        writer.setnchannels(values.shape[1])
        writer.setsampwidth(width)
        writer.setframerate(rate)
        writer.writeframes(raw)
    return stream.getvalue()


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Each model once; Whisper also told which of its attention heads follow the time."""
    folders: dict[str, Path] = {}

    def get(name: str) -> Path:
        if name not in folders:
            folders[name] = make(name, tmp_path_factory.mktemp("model"))
            if name == WHISPER:
                file = folders[name] / "generation_config.json"
                heads = {"alignment_heads": [[0, 0], [1, 1]], "median_filter_width": 3}
                file.write_text(json.dumps({**json.loads(file.read_text()), **heads}))
        return folders[name]

    return get


@pytest.fixture(scope="module")
def sender_of(folder_of: Callable[[str], Path]) -> Callable[[str], Any]:
    senders: dict[str, Any] = {}

    def get(name: str) -> Any:
        if name not in senders:
            senders[name] = load(folder_of(name), envelope=None)
        return senders[name]

    return get


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("audio-classification", {}),
        ("audio-classification", {"top_k": 2, "function_to_apply": "sigmoid"}),
        ("audio-classification-ast", {}),
        (WHISPER, {}),
        (WHISPER, {"return_timestamps": True, "generate_kwargs": QUICK}),
        (WHISPER, {"return_timestamps": "word", "generate_kwargs": QUICK}),
        (WHISPER, {"return_language": True, "return_timestamps": True, "generate_kwargs": QUICK}),
        (WHISPER, {"generate_kwargs": {"language": "de", "task": "translate", "num_beams": 2}}),
        (CTC, {}),
        (CTC, {"return_timestamps": "char"}),
        (CTC, {"return_timestamps": "word"}),
    ],
)
@pytest.mark.filterwarnings("ignore:std")  # of transformers' own, for words of one token
def test_answers_are_those_of_the_pipeline_alone_and_in_a_batch(
    transformers: Any, folder_of: Any, sender_of: Any, name: str, parameters: dict[str, Any]
) -> None:
    pipeline = transformers.pipeline(CATALOGUE[name].task, model=str(folder_of(name)), device="cpu")
    expected = [pipeline(opened(instance), **parameters) for instance in samples(name)]
    answer = sender_of(name)({"instances": samples(name) * 2, "parameters": parameters})
    assert answer.statuses == [200], answer.answers
    assert_same(answer.answers[0]["predictions"], json.loads(json.dumps(expected * 2)))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        (WHISPER, {"return_timestamps": True, **QUICK}),
        (WHISPER, {"chunk_length_s": 4, **QUICK}),
        (WHISPER, {"chunk_length_s": 4, "stride_length_s": [0.5, 0.4], "return_timestamps": True, **QUICK}),
        (CTC, {"chunk_length_s": 3}),
        (CTC, {"chunk_length_s": 3, "stride_length_s": 0.5, "return_timestamps": "word"}),
    ],
)
def test_a_sound_longer_than_the_model_takes_is_heard_as_by_the_pipeline(
    transformers: Any, folder_of: Any, sender_of: Any, name: str, parameters: dict[str, Any]
) -> None:
    pipeline = transformers.pipeline(CATALOGUE[name].task, model=str(folder_of(name)), device="cpu")
    expected = pipeline(opened(LONG_SOUND), **parameters)
    short = pipeline(opened(samples(name)[0]), **parameters)
    bodies = [
        {"instances": [one], "parameters": parameters} for one in (LONG_SOUND, samples(name)[0], LONG_SOUND)
    ]
    answers = [one["predictions"][0] for one in sender_of(name)(*bodies).answers]
    assert_same(answers, json.loads(json.dumps([expected, short, expected])))


@pytest.mark.parametrize(
    ("name", "parameters", "status", "reason"),
    [
        (WHISPER, {}, 422, "longer than the 5 seconds the model takes at once"),
        (WHISPER, {"return_timestamps": "char"}, 422, "Whisper cannot return `char`"),
        (WHISPER, {"chunk_length_s": 30}, 422, "chunk_length_s must be 5 at most"),
        (WHISPER, {"chunk_length_s": 4, "stride_length_s": 2}, 422, "0.5 more than both strides"),
        (WHISPER, {"chunk_length_s": 4, "language": "xx"}, 422, "Unsupported language: xx"),
        (WHISPER, {"chunk_length_s": 4, "max_new_tokens": 4000}, 422, "the model refuses the parameters"),
        (WHISPER, {"model": "x"}, 400, "unknown parameters: model"),
        (CTC, {"return_timestamps": True}, 422, "CTC can either predict"),
        (CTC, {"num_beams": 2}, 422, "a CTC model generates nothing, so it takes no num_beams"),
        (CTC, {"return_language": True}, 422, "Only Whisper can return language"),
    ],
)
def test_parameters_that_make_no_sense_are_the_clients_mistake(
    sender_of: Any, name: str, parameters: dict[str, Any], status: int, reason: str
) -> None:
    answer = sender_of(name)({"instances": [LONG_SOUND], "parameters": parameters})
    assert answer.statuses == [status]
    assert reason in answer.answers[0]["error"]["message"]


def test_a_seed_gives_the_same_text_again(sender_of: Any) -> None:
    parameters = {"do_sample": True, "temperature": 3.0, "num_beams": 1, "max_new_tokens": 12}
    bodies = [
        {"inputs": samples(WHISPER)[0], "parameters": {**parameters, "seed": seed}} for seed in (1, 2, 1)
    ]
    one, other, again = sender_of(WHISPER)(*bodies).answers
    assert one == again != other


def test_every_spelling_of_a_sound_is_one_and_the_same(sender_of: Any) -> None:
    file = sound(5, 0.4)
    raw = base64.b64decode(file["b64"])
    values = opened(file)["raw"].astype(numpy.float64)
    aside = 0.1 * numpy.sin(numpy.arange(len(values)) * 0.9)  # what an average has none of
    stereo = numpy.stack([values + aside, values - aside], axis=1)
    send = sender_of("audio-classification")
    bodies = [
        {"instances": [one]} for one in (file, {"audio": file}, {"inputs": {"data": file}}, file["b64"])
    ]
    answers = [one["predictions"][0] for one in send(*bodies).answers]
    raws = [raw, wav(values), wav(values, width=3), wav(values, width=4), wav(stereo)]
    answers += send(*raws, content_type="audio/wav").answers
    assert len(answers) == 9
    assert all(one == answers[0] for one in answers[:5])
    for one in answers[5:]:  # rounded in another way
        for got, expected in zip(one, answers[0], strict=True):
            assert got["label"] == expected["label"]
            assert got["score"] == pytest.approx(expected["score"], abs=0.02)


def test_eight_bits_have_no_sign() -> None:
    from hf_handler.allowance import UNLIMITED
    from hf_handler.media import sounds

    values = sounds.read_sound(wav([-1.0, 0.0, 0.5, 1.0], width=1), RATE, 60, UNLIMITED)
    assert values == pytest.approx([-127 / 128, 0, 64 / 128, 127 / 128])


@pytest.mark.parametrize("width", [2, 3, 4])
def test_channels_are_averaged(width: int) -> None:
    from hf_handler.allowance import UNLIMITED
    from hf_handler.media import sounds

    values = sounds.read_sound(wav([[0.5, 0.0], [0.25, -0.75], [1, 1]], width=width), RATE, 60, UNLIMITED)
    assert values == pytest.approx([0.25, -0.25, 1], abs=1e-4)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_other_rates_are_heard_as_at_the_models(rate: int) -> None:
    """Tones below both Nyquist frequencies stay what they are; those above the new one vanish."""
    from hf_handler.media import sounds

    def tones(at: int) -> Any:
        times = numpy.arange(int(0.5 * at)) / at
        return 0.4 * numpy.sin(2 * numpy.pi * 440 * times) + 0.3 * numpy.sin(2 * numpy.pi * 1500 * times + 1)

    got = sounds.resampled(tones(rate).astype(numpy.float32), rate, RATE)
    expected = tones(RATE)
    assert abs(len(got) - len(expected)) <= 1
    middle = slice(200, len(expected) - 200)
    assert numpy.abs(got[middle] - expected[middle]).max() < 2e-3
    if rate > 2 * RATE:
        high = numpy.sin(2 * numpy.pi * 0.45 * rate * numpy.arange(rate // 2) / rate).astype(numpy.float32)
        assert numpy.abs(sounds.resampled(high, rate, RATE)[200:-200]).max() < 1e-2


def test_resampling_agrees_with_scipys() -> None:
    from scipy.signal import resample_poly

    from hf_handler.media import sounds

    numbers = numpy.random.default_rng(3)
    slow = numpy.cumsum(numbers.normal(size=400))
    values = numpy.interp(numpy.linspace(0, 399, 44_100), numpy.arange(400), slow).astype(numpy.float32)
    values /= numpy.abs(values).max()
    expected = resample_poly(values, 160, 441)
    got = sounds.resampled(values, 44_100, RATE)
    assert len(got) == len(expected)
    assert numpy.abs(got - expected)[300:-300].max() < 2e-3


def test_what_is_no_sound_is_refused_and_the_rest_of_the_batch_answered(sender_of: Any) -> None:
    good = wav(opened(sound(5, 0.3))["raw"])
    lying = good[:24] + (0).to_bytes(4, "little") + good[28:]
    hours = wav(numpy.zeros(3700 * 1000), rate=1000)
    bodies = [
        b"",
        b"hello",
        good[:20],
        wav([]),
        lying,
        wav([0.1] * 999, rate=999),
        hours,
        wav([0.1] * 9000, 22_051),
    ]
    answer = sender_of("audio-classification")(*bodies, good, content_type="audio/wav")
    assert answer.statuses == [415, 415, 415, 422, 422, 422, 413, 422, 200], answer.answers
    assert "longer than 3600 seconds" in answer.answers[6]["error"]["message"]
    assert "send it with 16000, 44100 or 48000" in answer.answers[7]["error"]["message"]


def test_a_file_cut_short_is_heard_as_far_as_it_goes(sender_of: Any) -> None:
    whole = wav(opened(sound(5, 0.6))["raw"])
    send = sender_of("audio-classification")
    cut, half = send(
        whole[: 44 + 9601], wav(opened(sound(5, 0.6))["raw"][:4800]), content_type="audio/wav"
    ).answers
    assert_same(cut, half)


@pytest.mark.parametrize(
    ("kind", "subtype"), [("FLAC", None), ("OGG", None), ("MP3", None), ("WAV", "FLOAT")]
)
def test_compressed_sounds_are_heard(sender_of: Any, kind: str, subtype: str | None) -> None:
    import soundfile

    values = opened(sound(6, 1.0, 48_000))["raw"]
    stream = io.BytesIO()
    soundfile.write(stream, numpy.stack([values, values], axis=1), 48_000, format=kind, subtype=subtype)
    send = sender_of("audio-classification")
    bodies = [wav(values, 48_000), stream.getvalue(), stream.getvalue()[:30]]
    expected, got, broken = send(*bodies, content_type="audio/x").answers
    assert "error" in broken
    assert [one["label"] for one in got] == [one["label"] for one in expected]
    assert [one["score"] for one in got] == pytest.approx([one["score"] for one in expected], abs=0.05)
    hours = io.BytesIO()
    if kind == "FLAC":
        soundfile.write(hours, numpy.zeros((3_700_000, 1), numpy.float32), 1000, format=kind)
        assert len(hours.getvalue()) < 100_000
        assert send(hours.getvalue(), content_type="audio/flac").statuses == [413]
