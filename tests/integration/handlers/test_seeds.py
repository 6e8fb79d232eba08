"""A seed gives one text, whatever else is answered in the same call: every task that writes."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.deadlines import MOMENT_SECONDS
from testbed.loaded_handler import load, write_manifest
from testbed.tiny_models import CATALOGUE, make, samples
from testbed.tiny_models.audio import LONG_SOUND
from tests.integration.handlers.handler_models import predict

SAMPLING = {"do_sample": True, "temperature": 5.0, "max_new_tokens": 8, "num_beams": 1}
WHISPER = "automatic-speech-recognition"
# A model of the catalogue, which of its samples is asked, and what is sent beside the sampling.
CASES: dict[str, tuple[str, int, dict[str, Any]]] = {
    "text": ("text-generation", 0, {}),
    "conversation": ("text-generation", 3, {}),
    "several sequences": ("text-generation-gpt2", 0, {"num_return_sequences": 2}),
    "text2text": ("text2text-generation", 0, {}),
    "summary": ("summarization", 0, {"min_length": 2}),
    "translation": ("translation", 0, {}),
    "translation by NLLB": ("translation-nllb", 0, {"src_lang": "eng_Latn", "tgt_lang": "fra_Latn"}),
    "caption": ("image-to-text", 0, {}),
    "caption by BLIP": ("image-to-text-blip", 0, {}),
    "answer by BLIP": ("visual-question-answering-blip", 0, {}),
    "text about a picture": ("image-text-to-text", 0, {}),
    "conversation about a picture": ("image-text-to-text", 1, {}),
    "speech": (WHISPER, 0, {}),
    "speech in its language": (WHISPER, 0, {"return_language": True, "return_timestamps": True}),
}  # fmt: skip


@pytest.fixture(scope="module")
def sender_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Loads a model of the catalogue once."""
    senders: dict[str, Any] = {}

    def sender(name: str) -> Any:
        if name not in senders:
            folder: Path = make(name, tmp_path_factory.mktemp(name))
            write_manifest(folder, config=f"handler: {{task: {CATALOGUE[name].task}}}")
            senders[name] = load(folder)
        return senders[name]

    return sender


def asked(instance: Any, **parameters: Any) -> dict[str, Any]:
    """The instance with these parameters, whatever form it has."""
    return {"inputs": instance, "parameters": {**SAMPLING, **parameters}}


def assert_one_text_per_seed(send: Any, instance: Any, more: dict[str, Any]) -> None:
    seeded, other = asked(instance, **more, seed=7), asked(instance, **more, seed=8)
    free = asked(instance, **more)
    (text,) = predict(send, seeded)
    for copies in (2, 3, 4):
        assert predict(send, *[seeded] * copies) == [text] * copies
    mixed = predict(send, free, seeded, other, free, seeded, free, seeded, other)
    assert [mixed[index] for index in (1, 4, 6)] == [text] * 3
    assert mixed[2] == mixed[7] != text
    assert len({json.dumps(mixed[index]) for index in (0, 3, 5)}) > 1, "without a seed texts differ"


@pytest.mark.parametrize("case", CASES)
def test_a_seed_gives_one_text_alone_and_among_others(sender_of: Any, case: str) -> None:
    name, number, more = CASES[case]
    assert_one_text_per_seed(sender_of(name), samples(name)[number], more)


@pytest.mark.parametrize("more", [{"chunk_length_s": 4}, {"return_timestamps": True}], ids=["parts", "steps"])
def test_a_seed_gives_one_text_of_a_long_sound(sender_of: Any, more: dict[str, Any]) -> None:
    assert_one_text_per_seed(sender_of(WHISPER), LONG_SOUND, more)


@pytest.mark.parametrize("name", ["text-generation", "visual-question-answering-blip"])
def test_a_seed_gives_one_text_while_memory_is_short(sender_of: Any, name: str) -> None:
    import torch

    send, instance = sender_of(name), samples(name)[0]
    seeded, free = asked(instance, seed=7), asked(instance)
    (text,) = predict(send, seeded)
    model = send.service.context.huggingface.task.model
    generate, sizes = model.generate, []

    def small_memory(**batch: Any) -> Any:
        sizes.append(len(batch["input_ids"]))
        if sizes[-1] > 1:
            raise torch.OutOfMemoryError("out of memory")
        return generate(**batch)

    model.generate = small_memory
    try:
        answers = predict(send, seeded, free, free, seeded, free, seeded)
    finally:
        del model.generate
    assert max(sizes) == 3, "those without a seed began together"
    assert [answers[index] for index in (0, 3, 5)] == [text] * 3


def test_a_seed_gives_one_text_while_it_is_sent_in_parts(tmp_path: Path) -> None:
    send = load(make("text-generation", tmp_path), envelope=None)
    instance = samples("text-generation")[0]
    whole = asked(instance, seed=7, return_full_text=False)
    in_parts = asked(instance, seed=7, return_full_text=False, stream=True)
    (expected,) = send(whole).answers
    context = send.service.context
    ours, servers = socket.socketpair()
    with ours, servers:
        context.cl_socket, context.request_ids = servers, {number: str(number) for number in range(4)}
        answers = send(asked(instance), in_parts, whole, in_parts).answers
        ours.settimeout(MOMENT_SECONDS)
        assert b'{"text": ' in ours.recv(1 << 20)
    assert answers[1:] == [expected] * 3
