"""automatic-speech-recognition: what is said in a sound, and when."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
import transformers

from hf_handler.bounds import AUDIO_SAMPLES, REQUEST_ROWS
from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.audio import A_SOUND, AudioTask
from hf_handler.plans import Plan
from hf_handler.schema import FLAG, INPUT_LABEL, NUMBER, TEXT, Parameters, Refused, Schema, list_of, record
from hf_handler.tensors import shapes_of, tensors_of, together
from hf_handler.text.generation_parameters import GENERATION
from hf_handler.text.stopping import stopping_early
from hf_handler.text.writer import seeded
from hf_handler.without_effect import BATCHES

SECONDS: Schema = {"type": "number", "minimum": 0, "maximum": 3600}


CHUNK: Schema = record({"text": TEXT, "timestamp": list_of({"anyOf": [NUMBER, {"type": "null"}]})},
                       {"language": {"anyOf": [TEXT, {"type": "null"}]}})  # fmt: skip


# Parameters of `generate` that make sense for what is said.
WRITING = (
    "max_new_tokens", "do_sample", "temperature", "top_k", "top_p", "repetition_penalty",
    "no_repeat_ngram_size", "num_beams", "length_penalty", "early_stopping", "seed",
)  # fmt: skip


# Those that the pipeline isn't told.
OWN = {"seed", "ignore_warning", *BATCHES}


class Heard(NamedTuple):
    """What is to be done with what the model makes of one part of a sound; the source of an item.

    Attributes:
        stride: Samples of the part, and how many at its start and its end its neighbours have too; None: the
            sound is one part.
        joining: Options of the pipeline's last step, which joins all parts.
    """

    stride: tuple[int, int, int] | None
    joining: Parameters


class SpeechRecognition(AudioTask):
    """What is said in a sound, and when: by Whisper, by models with a CTC head, or another that writes."""

    name = "automatic-speech-recognition"
    interface = Interface(
        **A_SOUND,
        parameters={
            "return_timestamps": {"anyOf": [FLAG, {"type": "string", "enum": ["word", "char"]}]},
            "chunk_length_s": SECONDS,
            "stride_length_s": {"anyOf": [SECONDS, {**list_of(SECONDS), "minItems": 2, "maxItems": 2}]},
            "return_language": FLAG,
            "language": INPUT_LABEL,
            "task": {"type": "string", "enum": ["transcribe", "translate"]},
            **{name: GENERATION[name] for name in WRITING},
            "ignore_warning": FLAG,  # without effect: that a sound is cut into parts is never warned about
            **BATCHES,
        },
        aliases={"max_tokens": "max_new_tokens"},
        prediction=record({"text": TEXT}, {"chunks": list_of(CHUNK)}),
    )

    def load(self) -> None:
        """Load the model by the kind of its head."""
        from transformers.pipelines import automatic_speech_recognition

        steps: Any = automatic_speech_recognition  # the module has no types
        super().load()
        kind = type(self.archive.config())
        ctc = kind in transformers.AutoModelForCTC._model_mapping
        self.model = self.archive.model(
            transformers.AutoModelForCTC if ctc else transformers.AutoModelForSpeechSeq2Seq
        )
        # It knows how to cut a sound in chunks, to join them and to tell the time; packs are made here.
        self.pipeline = steps.AutomaticSpeechRecognitionPipeline(
            model=self.model, feature_extractor=self.extractor, device=self.model.device,
            tokenizer=self.archive.processor(transformers.AutoTokenizer),
        )  # fmt: skip
        self.rescale_stride = steps.rescale_stride
        self.is_whisper = self.pipeline.type == "seq2seq_whisper"

    def options(self, query: Query, samples: int) -> tuple[Parameters, Parameters, Parameters]:
        """Return the options of the pipeline's three steps.

        Raises:
            Refused: They don't go together, or not with this model.
        """
        sent = {key: value for key, value in query.parameters.items() if key not in OWN}
        written = set(sent) - {"return_timestamps", "chunk_length_s", "stride_length_s", "return_language"}
        if self.pipeline.type == "ctc" and written:
            raise Refused(f"a CTC model generates nothing, so it takes no {', '.join(sorted(written))}", 422)
        if not self.is_whisper and written & {"language", "task"}:
            raise Refused("only Whisper takes language and task", 422)
        if not sent.get("return_timestamps", True):
            del sent["return_timestamps"]
        if not sent.get("return_language", True):
            del sent["return_language"]
        try:
            options: tuple[Parameters, Parameters, Parameters]
            options = self.pipeline._sanitize_parameters(**sent, ignore_warning=True)
        except ValueError as error:
            raise Refused(str(error)[:300], 422) from None
        whole = not sent.get("chunk_length_s")
        long = self.is_whisper and whole and samples > self.extractor.n_samples
        if long and not options[1].get("return_timestamps"):
            raise Refused(
                f"the audio is longer than the {self.extractor.chunk_length} seconds the model takes "
                "at once: send return_timestamps: true, or chunk_length_s", 422,
            )  # fmt: skip
        return options

    def items(self, query: Query) -> list[Item]:
        """One item a chunk; only equal parameters share a pack."""
        samples = self.sound(query)
        options = self.options(query, len(samples))
        chunk, stride = options[0].get("chunk_length_s"), options[0].get("stride_length_s")
        if chunk:
            strides = stride if isinstance(stride, list) else [chunk / 6 if stride is None else stride] * 2
            # Each step of less than half a second would cost as much as a whole chunk.
            if chunk - sum(strides) < 0.5 or chunk < 1:
                raise Refused(
                    "chunk_length_s must be 1 at least, and 0.5 more than both strides together", 422
                )
            if self.is_whisper and chunk > self.extractor.chunk_length:
                raise Refused(f"chunk_length_s must be {self.extractor.chunk_length} at most", 422)
        self._count(query, len(samples), chunk, chunk and chunk - sum(strides))
        seed = query.parameters.get("seed")
        return [
            self._item(part, options[1], seed, Heard(part.get("stride"), options[2]))
            for part in self.pipeline.preprocess(samples, **options[0])
        ]

    def _count(self, query: Query, samples: int, chunk: float | None, step: float | None) -> None:
        """Count the parts that are made of a sound, before they are made: Whisper pads each to its window.

        Raises:
            TooMuch: The request has too many.
        """
        rate = self.extractor.sampling_rate
        parts = -(-samples // int(step * rate)) if step else 1
        window = self.extractor.n_samples if self.is_whisper else int((chunk or 0) * rate)
        query.allowance.take(REQUEST_ROWS, parts * (query.parameters.get("num_beams") or 1) - 1)
        query.allowance.take(AUDIO_SAMPLES, max(0, parts * window - samples))

    def _item(self, part: Mapping[str, Any], options: Parameters, seed: int | None, source: Heard) -> Item:
        inputs = tensors_of(part, self.model.dtype)
        # A long sound is taken in steps of its own, a language is told for one sound only.
        long = self.is_whisper and inputs["input_features"].shape[-1] > self.extractor.nb_max_frames
        frames = next(iter(inputs.values())).shape[-1]
        length = max(
            1, frames if "input_features" in inputs else 100 * frames // self.extractor.sampling_rate
        )
        plan = Plan.of(
            options,
            seed=seed,
            alone=long or bool(options.get("return_language")),
            shapes=shapes_of(inputs, padded=False),
        )
        return Item(inputs, length * (options.get("num_beams") or 1), plan, source)

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """What the pipeline makes text of, a row an item."""
        plan: Plan = pack[0].group
        batch = together([item.inputs for item in pack], self.device)
        stopping = {} if self.pipeline.type == "ctc" else stopping_early([item.waiting for item in pack])
        try:
            with seeded(plan.seed, self.device):
                output = self.pipeline._forward({**batch, "is_last": True}, **dict(plan.options), **stopping)
        except ValueError as error:  # generate's word for parameters that don't fit the model
            raise Refused(f"the model refuses the parameters: {str(error)[:200]}", 422) from None
        return [
            {
                name: value[row : row + 1].cpu() if isinstance(value, torch.Tensor) else value[row : row + 1]
                for name, value in output.items()
                if name in {"tokens", "token_timestamps", "lang_id"}
            }
            for row in range(len(pack))
        ]

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The text of all chunks, and its parts with their times when asked for."""
        outputs = []
        for item, row in zip(items, rows, strict=True):
            heard: Heard = item.source
            strides = [heard.stride] if heard.stride is not None else []
            if self.pipeline.type == "ctc":  # counted in rows of logits
                strides = self.rescale_stride(strides, 1 / self.pipeline._align_to)
            outputs.append({**row, **({"stride": strides[0]} if strides else {})})
        answer = dict(self.pipeline.postprocess(outputs, **items[0].source.joining))
        for chunk in answer.get("chunks", ()):
            chunk["timestamp"] = [None if time is None else float(time) for time in chunk["timestamp"]]
        return answer
