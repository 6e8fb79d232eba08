"""TorchServe handler for Hugging Face models: sentence embeddings and text classification.

One file on purpose: it travels inside the model archive, imports nothing but torch, transformers and
the standard library, and defines exactly one class, which is what TorchServe's model loader accepts
(`ts/model_loader.py`). What it takes and returns is in the README beside it.

A task is a loader that returns two functions: `read` checks one instance and raises `ValueError` when
it can't be used, `predict` answers a list of what `read` returned, in order and in one batch.
"""

import json
import logging
import os
import pickle
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import torch

# The archive holds all that is needed, and a log is no place for progress bars. Both are read once, when
# huggingface_hub is first imported.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"

try:
    import transformers
except ImportError as error:
    # TorchServe takes an ImportError for "no such handler file" and then blames a built-in handler.
    raise RuntimeError(
        f"transformers can't be imported ({error}); fix: install transformers>=5,<6 in the image "
        "or name it in the archive's requirements file"
    ) from error

logger = logging.getLogger(__name__)

Parameters = dict[str, Any]
Read = Callable[[object, Parameters], Any]
Predict = Callable[[list[Any]], list[Any]]
Task = tuple[Read, Predict]


# ---- What the archive holds -------------------------------------------------------------------------


def read_json(file: Path) -> Any:
    """Return the JSON value in `file`, or an empty object when there is no such file."""
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def sentence_modules(model_dir: Path) -> dict[str, Path]:
    """Return the sentence-transformers modules of a model, as kind (`Pooling`) -> folder; may be empty."""
    modules = read_json(model_dir / "modules.json")
    if modules:
        return {entry["type"].rpartition(".")[2]: model_dir / entry["path"] for entry in modules}
    pooling = model_dir / "1_Pooling"
    return {"Transformer": model_dir, "Pooling": pooling} if pooling.is_dir() else {}


def choose_task(settings: object, model_dir: Path) -> str:
    """Return the task that `settings` name, else the one the model's own files tell.

    Raises:
        ValueError: The settings hold an unknown key or task, or the files tell no task we know.
    """
    accepted = ", ".join(TASKS)
    if not isinstance(settings, dict):
        raise ValueError(
            f"handler must be a mapping in model-config.yaml, got {type(settings).__name__}; "
            "fix: write it as `handler: {task: ...}`"
        )
    unknown = sorted(map(str, set(settings) - {"task"}))
    if unknown:
        raise ValueError(
            f"unknown keys under handler: {', '.join(unknown)}; accepted: task; "
            "fix: correct or remove them in model-config.yaml"
        )
    if "task" in settings:
        if settings["task"] not in list(TASKS):  # a list: YAML may hold what can't be hashed
            raise ValueError(
                f"unknown task {settings['task']!r}; accepted: {accepted}; "
                "fix: set handler.task in model-config.yaml to one of them"
            )
        return str(settings["task"])
    if "Pooling" in sentence_modules(model_dir):
        return "sentence-embeddings"
    architectures = read_json(model_dir / "config.json").get("architectures") or []
    if any(name.endswith("ForSequenceClassification") for name in architectures):
        return "text-classification"
    raise ValueError(
        f"the model tells no task: no Pooling module, architectures {architectures}; accepted tasks: "
        f"{accepted}; fix: set handler.task in model-config.yaml to one of them"
    )


def load_model(auto_class: Any, folder: Path, weights: Path | None, may_miss: str = "-") -> Any:
    """Load a model with all of its weights, in float32, on the CPU.

    Args:
        auto_class: The `AutoModel*` class to load with.
        folder: Holds `config.json`.
        weights: The serialized file the manifest names, under whatever name; None when it names none.
        may_miss: Weights whose name starts so are not needed for the task.

    Raises:
        ValueError: The weights hold more than tensors, or some that the task needs are missing.
    """
    with tempfile.TemporaryDirectory() as view:
        source = folder
        if weights is not None and weights.is_file() and not any(folder.glob("*.index.json")):
            # transformers finds weights by name only: show it the file under the name it looks for.
            source = Path(view)
            safe = weights.suffix == ".safetensors"
            (source / ("model.safetensors" if safe else "pytorch_model.bin")).symlink_to(weights)
        try:
            model, report = auto_class.from_pretrained(
                source,
                config=transformers.AutoConfig.from_pretrained(
                    folder, local_files_only=True, trust_remote_code=False
                ),
                dtype=torch.float32,
                local_files_only=True,
                output_loading_info=True,
                trust_remote_code=False,
                weights_only=True,
            )
        except pickle.UnpicklingError as error:
            raise ValueError(
                f"{weights or folder} is no file of weights only: nothing in it was run; accepted: "
                "safetensors, or a state dict that torch.save wrote; fix: save it with save_pretrained"
            ) from error
    missing = sorted(key for key in report["missing_keys"] if not key.startswith(may_miss))
    if missing:
        raise ValueError(
            f"{len(missing)} weights are missing ({', '.join(missing[:3])}, ...): they would be random; "
            f"fix: package the weights of a {type(model).__name__}, or set another handler.task"
        )
    return model


def load_tokenizer(folder: Path, model: Any, max_length: int | None = None) -> Any:
    """Load a tokenizer that pads, and truncates to `max_length` tokens or to what the model takes."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    if tokenizer.pad_token is None:  # decoders, as a rule
        tokenizer.pad_token = tokenizer.eos_token
    model.config.pad_token_id = tokenizer.pad_token_id
    limits = [max_length or tokenizer.model_max_length]
    limits.append(getattr(model.config, "max_position_embeddings", None) or limits[0])
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            # RoBERTa and its kin count positions from the padding index on.
            first = 0 if module.padding_idx is None else module.padding_idx + 1
            limits.append(module.num_embeddings - first)
    tokenizer.model_max_length = min(limits)
    return tokenizer


# ---- Running a batch --------------------------------------------------------------------------------


def tokenize(tokenizer: Any, texts: Sequence[tuple[str, ...]]) -> list[dict[str, list[int]]]:
    """Tokenize single texts and pairs of texts, unpadded, in order."""
    encodings: list[dict[str, list[int]]] = [{} for _ in texts]
    for size in (1, 2):  # one call takes only singles or only pairs
        rows = [row for row, text in enumerate(texts) if len(text) == size]
        if rows:
            columns = zip(*(texts[row] for row in rows), strict=True)
            encoded = tokenizer(*map(list, columns), truncation=True)
            for position, row in enumerate(rows):
                encodings[row] = {key: values[position] for key, values in encoded.items()}
    return encodings


def run_batch(
    model: Any,
    tokenizer: Any,
    texts: Sequence[tuple[str, ...]],
    head: Callable[[Any, torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """Run `texts` through the model as one batch, padded to the longest.

    Args:
        model: Called with the batch.
        tokenizer: Pads on the side the model was trained with.
        texts: One text or a pair of texts a row.
        head: Turns the model's output and the attention mask (rows x tokens) into rows x values.

    Returns:
        Rows x values, float32, on the CPU, in the order of `texts`.
    """
    batch = tokenizer.pad(tokenize(tokenizer, texts), return_tensors="pt").to(model.device)
    with torch.inference_mode():
        return head(model(**batch), batch["attention_mask"]).float().cpu()


# ---- Reading an instance ----------------------------------------------------------------------------


def read_text(value: object) -> str:
    """Return `value` as text.

    Raises:
        ValueError: It is no string, or no valid Unicode. The message never holds the text.
    """
    if not isinstance(value, str | bytes | bytearray):
        raise ValueError(f"expected text, got {type(value).__name__}")
    try:
        text = value if isinstance(value, str) else value.decode("utf-8")
        text.encode("utf-8")  # JSON can carry lone surrogates, which tokenizers refuse
    except UnicodeError:
        raise ValueError("the text is not valid Unicode (UTF-8)") from None
    return text


def read_instance(
    instance: object, fields: Sequence[str], defaults: Parameters, accepted: Sequence[str]
) -> tuple[tuple[str, ...], Parameters]:
    """Take one instance apart: `"text"`, `{"text": ...}` or `{"inputs": ...}`, with or without parameters.

    Args:
        instance: What the client sent.
        fields: The text fields of the task, the first one required.
        defaults: Parameters of the whole call; the instance's own win.
        accepted: The parameters of the task.

    Returns:
        The texts in the order of `fields`, and the parameters.

    Raises:
        ValueError: It has another shape; the message says which shapes are accepted.
    """
    content = dict(instance) if isinstance(instance, dict) else {fields[0]: instance}
    own = content.pop("parameters", {})
    if not isinstance(own, dict):
        raise ValueError(f"parameters must be an object, got {type(own).__name__}")
    if set(content) == {"inputs"}:
        inputs = content["inputs"]
        content = inputs if isinstance(inputs, dict) else {fields[0]: inputs}
    if fields[0] not in content or not set(content) <= set(fields):
        raise ValueError(
            f"an object must have inputs, or {' and '.join(fields)} ({fields[0]} is required); "
            "beside them only parameters is accepted"
        )
    parameters = {**defaults, **own}
    unknown = sorted(set(parameters) - set(accepted))
    if unknown:
        raise ValueError(
            f"unknown parameters: {', '.join(unknown)}; accepted: {', '.join(accepted) or 'none'}"
        )
    return tuple(read_text(content[field]) for field in fields if field in content), parameters


def read_top_k(value: object) -> int | None:
    """Return how many labels to answer with, None for all; JSON clients may send 3 as 3.0.

    Raises:
        ValueError: It is no whole number of at least 1.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"top_k must be a whole number of at least 1, or null, got {type(value).__name__}")
    if value % 1 != 0 or value < 1:
        raise ValueError(f"top_k must be a whole number of at least 1, or null, got {value}")
    return int(value)


# ---- Sentence embeddings ----------------------------------------------------------------------------


def weighted_mean(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Average token vectors (rows x tokens x size) with `weights` (rows x tokens)."""
    total = weights.sum(dim=1, keepdim=True).clamp(min=1)
    return torch.einsum("bth,bt->bh", hidden, weights.to(hidden.dtype)) / total


def token_at(hidden: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
    """Pick one token vector a row."""
    return hidden[torch.arange(len(hidden), device=hidden.device), position]


# Each takes token vectors (rows x tokens x size) and the attention mask (rows x tokens); padding may stand on
# either side. Names, order of concatenation and meaning are those of sentence-transformers' Pooling module.
POOLING: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "cls": lambda hidden, mask: token_at(hidden, mask.int().argmax(dim=1)),
    "max": lambda hidden, mask: hidden.masked_fill(mask.unsqueeze(-1) == 0, float("-inf")).amax(dim=1),
    "mean": weighted_mean,
    "mean_sqrt_len_tokens": lambda hidden, mask: (
        weighted_mean(hidden, mask) * mask.sum(dim=1, keepdim=True).sqrt()
    ),
    "weightedmean": lambda hidden, mask: weighted_mean(hidden, mask.cumsum(dim=1) * mask),
    "lasttoken": lambda hidden, mask: token_at(hidden, mask.shape[1] - 1 - mask.int().flip(1).argmax(dim=1)),
}


# The flags older versions wrote instead of one `pooling_mode`, in the order their vectors are concatenated.
POOLING_FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


def pooling_modes(config: Mapping[str, Any]) -> list[str]:
    """Return the modes that the config of a Pooling module names; `mean` when it names none.

    Raises:
        ValueError: It names a mode that is not in `POOLING`.
    """
    named = config.get("pooling_mode") or [mode for flag, mode in POOLING_FLAGS.items() if config.get(flag)]
    modes = [named] if isinstance(named, str) else list(named)
    unknown = [str(mode) for mode in modes if mode not in POOLING]
    if unknown:
        raise ValueError(
            f"unknown pooling modes: {', '.join(unknown)}; accepted: {', '.join(POOLING)}; "
            "fix: correct config.json of the Pooling module"
        )
    return modes or ["mean"]


def load_sentence_embeddings(model_dir: Path, weights: Path | None, device: torch.device) -> Task:
    """Load a sentence-transformers model, or any encoder (mean pooling, not normalised).

    Raises:
        ValueError: The model needs something that this task doesn't do.
    """
    modules = sentence_modules(model_dir)
    unknown = sorted(set(modules) - {"Transformer", "Pooling", "Normalize"})
    pooling = read_json(modules.get("Pooling", model_dir / "1_Pooling") / "config.json")
    prompts = read_json(model_dir / "config_sentence_transformers.json")
    prompt = (prompts.get("prompts") or {}).get(prompts.get("default_prompt_name"), "")
    if prompt and not pooling.get("include_prompt", True):
        unknown.append("Pooling with include_prompt: false")
    if unknown:
        raise ValueError(
            f"unknown modules in modules.json: {', '.join(unknown)}; accepted: Transformer, Pooling, "
            "Normalize; fix: serve this model with a handler of its own"
        )
    folder = modules.get("Transformer", model_dir)
    modes = pooling_modes(pooling)
    settings = read_json(folder / "sentence_bert_config.json")
    # The pooler of BERT and its kin is no part of the token vectors; masked-LM checkpoints lack it.
    model = load_model(transformers.AutoModel, folder, weights, may_miss="pooler.").to(device)
    if model.config.is_encoder_decoder:
        raise ValueError(
            f"{model.config.model_type} is an encoder-decoder; accepted: encoders or decoders; "
            "fix: serve this model with a handler of its own"
        )
    tokenizer = load_tokenizer(folder, model, settings.get("max_seq_length"))

    def pool(output: Any, mask: torch.Tensor) -> torch.Tensor:
        vectors = torch.cat([POOLING[mode](output.last_hidden_state, mask) for mode in modes], dim=1)
        return torch.nn.functional.normalize(vectors, dim=1) if "Normalize" in modules else vectors

    def read(instance: object, defaults: Parameters) -> tuple[str]:
        (text,), _ = read_instance(instance, ("text",), defaults, ())
        text = prompt + text
        return (text.lower() if settings.get("do_lower_case") else text,)

    def predict(texts: list[tuple[str]]) -> list[list[float]]:
        return run_batch(model, tokenizer, texts, pool).tolist()

    return read, predict


# ---- Text classification ----------------------------------------------------------------------------


def load_text_classification(model_dir: Path, weights: Path | None, device: torch.device) -> Task:
    """Load a sequence classifier; labels and scores are those of transformers' pipeline."""
    model = load_model(transformers.AutoModelForSequenceClassification, model_dir, weights).to(device)
    tokenizer = load_tokenizer(model_dir, model)
    labels = model.config.id2label
    many_labels = model.config.problem_type == "multi_label_classification" or len(labels) == 1

    def scores(output: Any, _mask: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = output.logits.float()
        if model.config.problem_type == "regression":
            return logits
        return logits.sigmoid() if many_labels else logits.softmax(dim=1)

    def read(instance: object, defaults: Parameters) -> tuple[tuple[str, ...], Parameters]:
        texts, parameters = read_instance(instance, ("text", "text_pair"), defaults, ("top_k",))
        return texts, {name: read_top_k(value) for name, value in parameters.items()}

    def predict(items: list[tuple[tuple[str, ...], Parameters]]) -> list[Any]:
        rows = run_batch(model, tokenizer, [texts for texts, _ in items], scores).tolist()
        return [rank(row, parameters) for row, (_, parameters) in zip(rows, items, strict=True)]

    def rank(row: list[float], parameters: Parameters) -> Any:
        ranked = sorted(enumerate(row), key=lambda pair: -pair[1])
        answer = [{"label": labels[label], "score": score} for label, score in ranked]
        return answer[: parameters["top_k"]] if "top_k" in parameters else answer[0]

    return read, predict


TASKS: dict[str, Callable[[Path, Path | None, torch.device], Task]] = {
    "sentence-embeddings": load_sentence_embeddings,
    "text-classification": load_text_classification,
}


# ---- Requests ---------------------------------------------------------------------------------------


def refuse(message: str) -> NoReturn:
    """Fail the whole call as the client's mistake: 400 in TorchServe, `ValueError` elsewhere."""
    try:
        from ts.utils.util import PredictionException
    except ImportError:
        raise ValueError(message) from None
    raise PredictionException(message, 400)


def open_request(body: object, content_type: str) -> tuple[list[Any], Parameters, Callable[[list[Any]], Any]]:
    """Take one request apart, as TorchServe hands it over when no service envelope is set.

    Returns:
        Its instances, its parameters, and what makes the response of the predictions.

    Raises:
        ValueError: It is no request we know, or JSON that can't be parsed.
    """
    if isinstance(body, bytes | bytearray) and content_type.startswith("application/json"):
        try:  # TorchServe hands over the bytes of JSON that it could not parse
            body = json.loads(body)
        except ValueError:
            raise ValueError("the body is not valid JSON") from None
    if not isinstance(body, dict) or not {"instances", "inputs"} & set(body):
        return [body], {}, lambda predictions: predictions[0]
    key = "instances" if "instances" in body else "inputs"
    parameters = body.get("parameters", {})
    if not isinstance(parameters, dict) or not set(body) <= {key, "parameters"}:
        raise ValueError(f"beside {key} only parameters, an object, is accepted")
    if key == "inputs" and not isinstance(body[key], list):
        return [body[key]], parameters, lambda predictions: predictions[0]
    if not isinstance(body[key], list) or not body[key]:
        raise ValueError(f"{key} must be a list that is not empty, got {type(body[key]).__name__}")
    return (
        body[key],
        parameters,
        (lambda predictions: {"predictions": predictions}) if key == "instances" else list,
    )


class HuggingFaceHandler:
    """What TorchServe calls: `initialize` once, then `handle` for every batch of requests."""

    def initialize(self, context: Any) -> None:
        """Load the archive's model onto the worker's device and prove that it answers.

        Args:
            context: TorchServe's `ts.context.Context`; its `model_yaml_config` may have a mapping `handler`.

        Raises:
            ValueError: The settings, the model's task or its weights can't be used.
        """
        started = time.monotonic()
        properties = context.system_properties
        gpu = properties.get("gpu_id")
        device = torch.device(f"cuda:{gpu}" if torch.cuda.is_available() and gpu is not None else "cpu")
        model_dir = Path(properties["model_dir"])
        task = choose_task((context.model_yaml_config or {}).get("handler") or {}, model_dir)
        serialized_file = ((context.manifest or {}).get("model") or {}).get("serializedFile")
        weights = (model_dir / serialized_file).resolve() if serialized_file else None
        self._read, self._predict = TASKS[task](model_dir, weights, device)
        self._predict([self._read("warm up", {})])
        logger.info("%s on %s, loaded and warmed up in %.1f s", task, device, time.monotonic() - started)

    def handle(self, data: list[Any], context: Any) -> list[Any]:
        """Answer a batch: instances (an envelope took the requests apart) or whole requests (no envelope).

        Args:
            data: Instances; or a mapping with `body` or `data` for each request.
            context: TorchServe's `ts.context.Context`. An envelope that passes parameters on sets its
                `instance_parameters`: one mapping for each instance.

        Returns:
            As many answers as `data` has items, in order, of JSON types only.

        Raises:
            PredictionException: 400, an instance can't be used. Only with an envelope, where no request
                can fail alone; `ValueError` where TorchServe is not installed.
        """
        for index in range(len(context.request_processor or [])):
            context.set_response_content_type(index, "application/json")
        parameters = getattr(context, "instance_parameters", None)
        if parameters is None and all(
            isinstance(row, dict) and ("body" in row or "data" in row) for row in data
        ):
            return self._answer_requests(data, context)
        try:
            items = self._read_all(data, parameters or [{}] * len(data))
        except ValueError as error:
            refuse(str(error))
        return self._predict(items)

    def _read_all(self, instances: Sequence[Any], parameters: Sequence[Parameters]) -> list[Any]:
        items = []
        for index, instance in enumerate(instances):
            try:
                items.append(self._read(instance, parameters[index]))
            except ValueError as error:
                raise ValueError(f"instance {index}: {error}") from None
        return items

    def _answer_requests(self, rows: Sequence[Mapping[str, Any]], context: Any) -> list[Any]:
        """Answer each request by itself; one that can't be used gets its own 400 and no other is touched."""
        answers: list[Any] = [None] * len(rows)
        batch: list[Any] = []
        accepted: list[tuple[int, int, Callable[[list[Any]], Any]]] = []
        for index, row in enumerate(rows):
            name = "body" if "body" in row else "data"
            headers = context.get_all_request_header(index) if context.request_processor else {}
            content_type = (headers.get(name) or {}).get("content-type") or ""
            try:
                instances, parameters, close = open_request(row[name], content_type)
                items = self._read_all(instances, [parameters] * len(instances))
            except ValueError as error:
                context.set_response_status(400, "Bad Request", index)
                answers[index] = {"error": {"code": 400, "message": str(error)}}
                continue
            batch.extend(items)
            accepted.append((index, len(items), close))
        predictions = iter(self._predict(batch) if batch else [])
        for index, size, close in accepted:
            answers[index] = close(list(islice(predictions, size)))
        return answers
