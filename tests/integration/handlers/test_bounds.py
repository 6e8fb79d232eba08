"""A request that asks for too much is refused before the work, and no other is; and its time has an end."""

import base64
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.loaded_handler import load, write_manifest
from testbed.tiny_models import CATALOGUE, make, samples
from tests.integration.handlers.handler_models import assert_same
from vertex_torchserve.serving.envelope.model_service_worker import register_envelope

GREEDY = {"do_sample": False, "max_new_tokens": 4}
# Generous for a busy machine; the work that is refused took minutes, or gigabytes.
SOON = 10.0
Send = Callable[..., Any]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Send]:
    """Loads a tiny model of a task behind our envelope, once; its settings beside the task may be given."""
    known: dict[str, Send] = {}
    register_envelope()

    def get(name: str, **settings: Any) -> Send:
        key = json.dumps([name, settings])
        if key not in known:
            folder = make(name, tmp_path_factory.mktemp("model"))
            own = {"task": CATALOGUE[name].task, "max_batch_tokens": 512, **settings}
            write_manifest(folder, config=json.dumps({"handler": own}))
            known[key] = load(folder, envelope="instances")
        return known[key]

    return get


def bodies(*requests: Any) -> list[bytes]:
    return [json.dumps(request).encode() for request in requests]


def parameters_of(name: str) -> dict[str, Any]:
    return {**CATALOGUE[name].parameters, **(GREEDY if name in {"text-generation", "summarization"} else {})}


def refused(send: Send, name: str, instances: list[Any], **parameters: Any) -> tuple[int, str]:
    """Status and message of a request that is refused soon, between two that are answered right."""
    neighbour = {"instances": samples(name)[:1], "parameters": parameters_of(name)}
    alone = send(*bodies(neighbour)).answers[0]
    own = {"instances": instances, "parameters": parameters}
    started = time.process_time()  # of this process alone, whatever else the machine does
    result = send(*bodies(neighbour, own, neighbour))
    took = time.process_time() - started
    assert result.statuses == [200, result.statuses[1], 200]
    assert_same(result.answers[0], alone)
    assert_same(result.answers[2], alone)
    assert took < SOON
    return result.statuses[1], result.answers[1]["error"]


def too_many(setting: str) -> str:
    return f"send fewer, or have the operator raise handler.{setting}"


def together(setting: str) -> str:
    return f"an operator can raise handler.{setting}"


LONG = "word " * 2_000_000
ROW = {"name": "Anna"}
MESSAGE = {"role": "user", "content": "Tell me a story."}


@pytest.mark.parametrize(
    ("name", "instances", "parameters", "message"),
    [
        ("text-generation", ["A"], {"stop": "a" * 5_000_000},
         f"stop must have at most 1000 characters, got 5000000; {too_many('max_stop_characters')}"),
        ("text-generation", ["A"], {"stop": ["b", "a" * 10_000]},
         f"stop[1] must have at most 1000 characters, got 10000; {too_many('max_stop_characters')}"),
        ("text-generation", ["A"], {"stop": ["b"] * 9},
         f"stop must have at most 8 entries, got 9; {too_many('max_stop_strings')}"),
        ("text-generation", [""] * 100_000, {},
         f"the request has 100000 rows of work (instances, .* at most 16384 are taken: "
         f"send fewer at a time; {together('max_request_rows')}"),
        ("text-generation", ["A"] * 64, {"num_beams": 32, "max_new_tokens": 200},
         "the request has 262400 tokens to write (max_new_tokens, .* at most 262144 are taken: ask for "
         f"fewer, or send fewer instances at a time; {together('max_request_new_tokens')}"),
        ("text-generation", [LONG], {},
         f"text must have at most 1000000 characters, got 10000000; {too_many('max_text_characters')}"),
        ("text-generation", [LONG[:1_000_000]] * 5, {},
         "the request has 5000000 characters to tokenize (.* at most 4000000 are taken: send shorter texts, "
         f"or fewer at a time; {together('max_request_characters')}"),
        ("text-generation", [[MESSAGE] * 1001], {},
         f"text must have at most 1000 entries, got 1001; {too_many('max_messages')}"),
        ("text-generation", [[{**MESSAGE, "content": [{"type": "text", "text": LONG}]}]], {},
         "the request has 10000027 characters to tokenize"),
        ("summarization", ["A"] * 300, {"num_beams": 8, "max_new_tokens": 120},
         "the request has 263040 tokens to write"),
        ("zero-shot-classification", ["A"], {"candidate_labels": ",".join(map(str, range(20_000)))},
         f"candidate_labels must have at most 1000 entries, got 20000; {too_many('max_labels')}"),
        ("zero-shot-classification", ["A"], {"candidate_labels": "b," + "a" * 2001},
         "candidate_labels[1] must have at most 2000 characters, got 2001; "
         f"{too_many('max_label_characters')}"),
        ("zero-shot-classification", [LONG[:10_000]], {"candidate_labels": list(map(str, range(1000)))},
         "the request has 10019890 characters to tokenize"),
        ("zero-shot-classification", ["A"] * 17, {"candidate_labels": list(map(str, range(1000)))},
         "the request has 17000 rows of work"),
        ("zero-shot-image-classification", samples("zero-shot-image-classification")[:1],
         {"candidate_labels": "a," * 1001},
         f"candidate_labels must have at most 1000 entries, got 1001; {too_many('max_labels')}"),
        ("fill-mask", ["a [MASK] b"], {"targets": ["a"] * 1001},
         f"targets must have at most 1000 entries, got 1001; {too_many('max_labels')}"),
        ("fill-mask", [" ".join(["[MASK]"] * 100)], {"top_k": 100_000}, " rows of work"),
        ("token-classification", ["A"], {"ignore_labels": ["a"] * 1001},
         f"ignore_labels must have at most 1000 entries, got 1001; {too_many('max_labels')}"),
        ("token-classification", [LONG[:1_000_000]], {"aggregation_strategy": "simple", "stride": 125},
         " rows of work"),
        ("question-answering", [{"question": "Who?", "context": LONG[:999_999]}],
         {"doc_stride": 7, "max_seq_len": 14}, " rows of work"),
        ("question-answering", samples("question-answering")[:1], {"top_k": 20_000},
         "the request has 20000 rows of work"),
        ("text-ranking", [{"query": "A", "texts": ["B"] * 16_385}], {},
         f"texts must have at most 16384 entries, got 16385; {too_many('max_request_rows')}"),
        ("text-ranking", [{"query": LONG[:1_000_000], "texts": ["B"] * 10}], {},
         "the request has 10000010 characters to tokenize"),
        ("sentence-similarity", [{"source_sentence": "A", "sentences": ["B"] * 100}] * 200, {},
         " rows of work"),
        ("table-question-answering", [{"query": "A", "table": [ROW] * 256}], {},
         f"table must have at most 255 entries, got 256; {too_many('max_table_rows')}"),
        ("table-question-answering", [{"query": "A", "table": {str(n): ["1"] for n in range(256)}}], {},
         f"table must have at most 255 keys, got 256; {too_many('max_table_columns')}"),
        ("document-question-answering",
         [{**samples("document-question-answering")[0], "word_boxes": [["a " * 400_000, [0, 0, 1, 1]]]}],
         {"max_seq_len": 20, "doc_stride": 2}, " rows of work"),
        ("image-text-to-text", [{"text": "A", "images": samples("image-to-text")[:1] * 257}], {},
         f"image must have at most 256 entries, got 257; {too_many('max_request_images')}"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)  # fmt: skip
def test_too_much_is_a_400_of_its_own(
    loaded: Callable[..., Send], name: str, instances: list[Any], parameters: dict[str, Any], message: str
) -> None:
    status, told = refused(loaded(name), name, instances, **{**parameters_of(name), **parameters})
    assert status == 400
    begin, _, end = message.partition(".*")
    assert begin in told
    assert told.endswith(end) or not end, told


def test_forty_pictures_of_49_megapixels(loaded: Callable[..., Send]) -> None:
    from PIL import Image

    stream = io.BytesIO()
    Image.new("1", (7000, 7000)).save(stream, "PNG")
    picture = {"b64": base64.b64encode(stream.getvalue()).decode()}
    status, told = refused(loaded("image-classification"), "image-classification", [picture] * 40)
    assert status == 413
    assert told == (
        "instance 5: the request has 294000000 pixels in its images, at most 250000000 are taken: send "
        f"smaller images, or fewer at a time; {together('max_request_pixels')}"
    )


@pytest.mark.parametrize(
    ("name", "instance"),
    [
        ("image-classification", lambda file: file),
        (
            "image-text-to-text",
            lambda file: [{"role": "user", "content": [{"type": "image", "image": file}]}],
        ),
    ],
)
def test_three_hundred_small_pictures(loaded: Callable[..., Send], name: str, instance: Any) -> None:
    """What a model sees of a picture is large, however small the file is."""
    file = samples("image-classification")[0]
    status, told = refused(loaded(name), name, [instance(file)] * 300)
    assert status == 413
    assert told.startswith(
        "instance 256: the request has 257 images, at most 256 are taken: send fewer at a time"
    )


def flac(rate: int, seconds: float, channels: int = 1, says: int | None = None) -> dict[str, str]:
    """Silence; the header says that there are `says` samples, where it is given."""
    import numpy
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, numpy.zeros((int(rate * seconds), channels), "int16"), rate, format="FLAC")
    content = bytearray(stream.getvalue())
    if (
        says is not None
    ):  # 36 bits of STREAMINFO, after the signature, a block's header and 13 bytes and a half
        content[21] = (content[21] & 0xF0) | (says >> 32)
        content[22:26] = (says & 0xFFFFFFFF).to_bytes(4, "big")
    return {"b64": base64.b64encode(content).decode()}


def test_a_sound_of_many_samples(loaded: Callable[..., Send]) -> None:
    name = "automatic-speech-recognition"
    sound = flac(640_000, 1.0, says=600 * 640_000)
    status, told = refused(loaded(name), name, [sound], return_timestamps=True)
    assert status == 413
    assert told == (
        "instance 0: the request has 384000000 samples of sound (in all channels, and in all parts that the "
        "model reads), at most 172800000 are taken: send shorter sounds, in one channel at the model's rate, "
        f"or fewer at a time; {together('max_audio_samples')}"
    )


@pytest.mark.parametrize(
    ("sound", "samples_of_it"),
    [
        (flac(16_000, 1.0), 16_000),
        (flac(16_000, 0.25, channels=8), 32_000),
        (flac(1_000, 1.0), 16_000),
    ],
    ids=["samples", "channels", "at the model's rate"],
)
def test_samples_are_counted_in_every_way(
    loaded: Callable[..., Send], sound: Any, samples_of_it: int
) -> None:
    send = loaded("audio-classification", max_audio_samples=15_999)
    result = send(*bodies({"instances": [sound]}))
    assert result.statuses == [413]
    assert "samples of sound" in result.answers[0]["error"]


def test_sounds_of_one_request_count_together(loaded: Callable[..., Send]) -> None:
    send = loaded("audio-classification", max_audio_samples=40_000)
    sound = flac(16_000, 1.0)
    assert send(*bodies({"instances": [sound] * 2}, {"instances": [sound] * 2})).statuses == [200, 200]
    assert send(*bodies({"instances": [sound] * 3}, {"instances": [sound]})).statuses == [413, 200]


def test_parts_of_a_sound(loaded: Callable[..., Send]) -> None:
    """Whisper pads each part to its window: an hour in steps of half a second would be 7 GB."""
    name = "automatic-speech-recognition"
    parameters = {"chunk_length_s": 1, "stride_length_s": 0.25}
    send = loaded(name, max_audio_samples=500_000)  # the window of this Whisper is two seconds
    status, told = refused(send, name, [flac(16_000, 10.0)], **parameters)
    assert status == 413
    assert "samples of sound" in told


def test_an_operator_sets_the_bounds(loaded: Callable[..., Send]) -> None:
    send = loaded("text-classification", max_text_characters=20, max_request_rows=2)
    assert send(*bodies({"instances": ["A" * 20] * 2})).statuses == [200]
    assert send(*bodies({"instances": ["A" * 21]})).answers[0]["error"] == (
        f"instance 0: text must have at most 20 characters, got 21; {too_many('max_text_characters')}"
    )
    assert send(*bodies({"instances": ["1"] * 3})).statuses == [400]


def test_the_schemas_have_the_bounds_that_are_set() -> None:
    from hf_handler.published_schemas import schemas
    from hf_handler.settings import read_settings

    usual = schemas("text-classification")["instance"]
    assert usual["anyOf"][0]["anyOf"][0] == {"type": "string", "maxLength": 1_000_000}
    set_by_operator = schemas("text-classification", read_settings({"max_text_characters": 7}))["instance"]
    assert set_by_operator["anyOf"][0]["anyOf"][0] == {"type": "string", "maxLength": 7}


# -- The end of a request's time --


def answer_by(seconds: float) -> dict[str, str]:
    return {"x-vts-answer-by": str(int(1000 * (time.time() + seconds)))}


@pytest.mark.parametrize("beams", [1, 2])
def test_writing_ends_with_its_time_and_the_neighbour_is_answered(
    loaded: Callable[..., Send], beams: int
) -> None:
    """The neighbour writes less, in the same pack."""
    send = loaded("text2text-generation")
    model = send.service.context.huggingface.task.model  # type: ignore[attr-defined]
    steps: list[float] = []
    hook = model.register_forward_hook(lambda *_: steps.append(time.monotonic()))
    options = {"max_new_tokens": 100_000, "min_new_tokens": 100_000, "num_beams": beams}
    request = {"instances": ["The train arrives"], "parameters": options}
    started = time.monotonic()
    late = send(*bodies(request), headers={0: answer_by(0.5)})
    took = time.monotonic() - started
    assert late.statuses == [504]
    assert late.answers[0]["error"].startswith(
        "instance 0: no answer within the time that a request may take;"
    )
    assert 2 < len(steps) < 100_000
    assert took < SOON
    hook.remove()

    # In one pack: the first is over at once, the other writes to its end, as if it were alone.
    options = {"max_new_tokens": 60, "min_new_tokens": 60, "num_beams": beams}
    requests = [{"instances": [text], "parameters": options} for text in ("The train", "Once upon a time")]
    (alone,) = send(*bodies(requests[1])).answers
    slow = model.register_forward_hook(lambda *_: time.sleep(0.01))
    result = send(*bodies(*requests), headers={0: answer_by(0.2)})
    slow.remove()
    assert result.statuses == [504, 200]
    assert_same(result.answers[1], alone)


def test_packs_that_would_come_too_late_are_not_run(loaded: Callable[..., Send]) -> None:
    send = loaded("text-classification", max_batch_tokens=8)
    task = send.service.context.huggingface.task  # type: ignore[attr-defined]
    (alone,) = send(*bodies({"instances": ["good movie"]})).answers
    packs: list[int] = []

    def slow(*_: Any) -> None:
        packs.append(1)
        time.sleep(0.05)

    hook = task.model.register_forward_hook(slow)
    result = send(*bodies({"instances": ["a bad movie"] * 400}, {"instances": ["good movie"]}),
                  headers={0: answer_by(0.5)})  # fmt: skip
    hook.remove()
    assert result.statuses == [504, 200]
    assert_same(result.answers[1], alone)
    assert len(packs) < 100


def test_a_request_whose_time_is_over_is_not_begun(loaded: Callable[..., Send]) -> None:
    send = loaded("text-classification")
    request = {"instances": ["good movie"]}
    assert send(*bodies(request, request), headers={0: answer_by(-1)}).statuses == [504, 200]
    for nonsense in ("", "x", "-5", "9" * 40, "1e3"):
        assert send(*bodies(request), headers={0: {"x-vts-answer-by": nonsense}}).statuses == [200]


def test_without_our_server_the_setting_is_the_end(tmp_path: Path) -> None:
    folder = make("text2text-generation", tmp_path / "model")
    write_manifest(folder, config=json.dumps({"handler": {"max_request_seconds": 1}}))
    send = load(folder, envelope=None)
    options = {"max_new_tokens": 200_000, "min_new_tokens": 200_000, "num_beams": 1}
    brief = {"inputs": "The train", "parameters": {"max_new_tokens": 2, "num_beams": 1}}
    started = time.monotonic()
    result = send({"instances": ["The train"], "parameters": options}, {"instances": [brief]})
    assert result.statuses == [504, 200]
    assert time.monotonic() - started < SOON


def test_an_abandoned_request_ends_and_its_neighbour_is_answered(
    loaded: Callable[..., Send], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As our server says it: by the request's number in a table, here of four places."""
    import numpy

    from hf_handler import waiting

    send = loaded("text2text-generation")
    table = tmp_path / "abandoned"
    table.write_bytes(numpy.array([0, 5, 0, 0], "int64").tobytes())
    monkeypatch.setenv("VTS_ABANDONED_REQUESTS", str(table))
    waiting._abandoned_requests.cache_clear()
    request = {"instances": ["The train"], "parameters": {"max_new_tokens": 4}}
    numbers = {index: {"x-vts-request-number": number} for index, number in enumerate(["5", "9", "1", "2"])}
    result = send(*bodies(*[request] * 4), headers=numbers)
    waiting._abandoned_requests.cache_clear()
    assert result.statuses == [408, 200, 200, 200]
    assert result.answers[1] == send(*bodies(request)).answers[0]
