"""Two versions of the reference handler side by side: equal answers, and what each takes.

    python -m benchmarks.handler_versions                    answers and timings, published
    python -m benchmarks.handler_versions --only fill-mask   answers of this tiny model, not published

The older version is taken from the repository's history (`--old REVISION`), the newer one is the working
tree. Every tiny model of testbed/tiny_models answers each of its samples alone, all of them in one call, and
again with the parameters of `VARIATIONS`, on one thread; the answers are compared byte for byte as JSON.
Then MiniLM's embeddings, a classifier and a text generator are loaded and asked by both in turn, each time in
a process of its own. Writes benchmarks/results/handler_versions.KIND.json and .md; ends with 1 when an answer
differs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from benchmarks.contenders import MINILM, ROOT
from benchmarks.model_alone import text
from benchmarks.published import installed_versions, publish, table
from testbed.tiny_models import CATALOGUE, make, samples

FILE_OF_ONE = "aaa815d"  # the last revision with the handler in one file
ROUNDS = 5
# Fixed, so that both run the same packs on the same layers.
SETTINGS: dict[str, Any] = {"max_batch_tokens": 512, "linear_layers": "torch"}
BRIEF = {"max_new_tokens": 8}
# What each task is asked with, besides the parameters that its samples need.
VARIATIONS: Mapping[str, list[dict[str, Any]]] = {
    "text-classification": [{"top_k": None}, {"top_k": 2, "function_to_apply": "sigmoid"}],
    "token-classification": [
        {"aggregation_strategy": name} for name in ("simple", "first", "average", "max")
    ],
    "question-answering": [{"top_k": 3, "handle_impossible_answer": True}, {"align_to_words": False}],
    "zero-shot-classification": [{"multi_label": True}],
    "fill-mask": [{"top_k": 2}],
    "sentence-embeddings": [{"normalize": True, "dimensions": 4}],
    "text-ranking": [{"return_documents": True}, {"function_to_apply": "none"}],
    "image-classification": [{"top_k": 1, "function_to_apply": "none"}],
    "audio-classification": [{"top_k": 1}],
    "object-detection": [{"threshold": 0.0}],
    "document-question-answering": [{"top_k": 2}],
    "automatic-speech-recognition": [{"return_timestamps": True}],
    "summarization": [BRIEF, {**BRIEF, "num_beams": 1, "do_sample": True}],
    "text2text-generation": [BRIEF, {**BRIEF, "num_return_sequences": 2}],
    "translation": [BRIEF],
    "text-generation": [
        BRIEF,
        {**BRIEF, "do_sample": False, "return_full_text": False},
        {**BRIEF, "num_beams": 2, "stop": "a"},
    ],
    "image-to-text": [BRIEF],
    "image-text-to-text": [BRIEF, {**BRIEF, "do_sample": False, "return_full_text": False}],
    "visual-question-answering": [BRIEF],
}
TIMED = ("sentence-embeddings", "text-classification", "text-generation")


def requests(name: str) -> list[dict[str, Any]]:
    """The bodies that a tiny model is asked with."""
    model = CATALOGUE[name]
    bodies = []
    for variation in [{}, *VARIATIONS.get(model.task.split("_")[0], [])]:
        parameters = {**model.parameters, **variation}
        beside = {"parameters": parameters} if parameters else {}
        bodies += [{"instances": several, **beside} for several in ([one] for one in samples(name))]
        bodies.append({"instances": samples(name), **beside})
    return bodies


def write_manifest(folder: Path, settings: Mapping[str, Any]) -> None:
    """Make a model folder one that TorchServe's loader takes."""
    (folder / "MAR-INF").mkdir()
    (folder / "model-config.yaml").write_text(json.dumps({"handler": dict(settings)}))
    model = {"modelName": "model", "handler": "huggingface_handler.py", "configFile": "model-config.yaml"}
    (folder / "MAR-INF" / "MANIFEST.json").write_text(json.dumps({"model": model}))


def checked_out(revision: str, folder: Path) -> Path:
    """Write `handlers/` of a revision below a folder; returns it."""
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", revision, "handlers"]
    archive = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as members:
        members.extractall(folder, filter="data")
    return folder / "handlers"


def run(handlers: Path, kind: str, folder: Path) -> Any:
    """Run handler_side.py; returns what it found."""
    program = [
        sys.executable,
        str(Path(__file__).with_name("handler_side.py")),
        str(handlers),
        kind,
        str(folder),
    ]
    return json.loads(subprocess.run(program, check=True, stdout=subprocess.PIPE, timeout=3600).stdout)


def differing(old: Mapping[str, list[str]], new: Mapping[str, list[str]]) -> dict[str, list[list[Any]]]:
    """Where answers differ: by model, the request's number and both answers."""
    return {
        name: different
        for name in old
        if (
            different := [
                [number, *both]
                for number, both in enumerate(zip(old[name], new[name], strict=True))
                if both[0] != both[1]
            ]
        )
    }


def compare_answers(sides: Mapping[str, Path], names: list[str], folder: Path) -> dict[str, Any]:
    """Ask both versions everything; returns how many answers were compared, and those that differ."""
    for name in names:
        model = make(name, folder / name)
        write_manifest(model, {**SETTINGS, "task": CATALOGUE[name].task})
        (model / "requests.json").write_text(json.dumps(requests(name)))
    found = {side: run(handlers, "answers", folder) for side, handlers in sides.items()}
    statuses = [json.loads(text)[0] for texts in found["new"].values() for text in texts]
    return {
        "models": len(names),
        "answers": len(statuses),
        "status_200": statuses.count(200),
        "differing": differing(found["old"], found["new"]),
    }


def timed_model(task: str, folder: Path) -> Path:
    """Make the folder of a model that is timed; MiniLM's is linked, file by file."""
    if task == "sentence-embeddings":
        folder.mkdir(parents=True)
        for file in MINILM.iterdir():
            (folder / file.name).symlink_to(file)
    else:
        make(task, folder)
    settings = {**SETTINGS, "task": task}
    if task == "text-generation":
        settings["parameters"] = {**BRIEF, "min_new_tokens": 8, "do_sample": False}
    write_manifest(folder, settings)
    (folder / "texts.json").write_text(json.dumps([text(number) for number in range(64)]))
    return folder


def compare_timings(sides: Mapping[str, Path], rounds: int, folder: Path) -> dict[str, Any]:
    """Time both versions in turn; the one that goes first alternates."""
    results: dict[str, Any] = {}
    for task in TIMED:
        model = timed_model(task, folder / task)
        taken: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
        for round_number in range(rounds):
            for side in list(sides)[:: 1 if round_number % 2 == 0 else -1]:
                taken[side].append(run(sides[side], "timings", model))
        results[task] = {
            what: {side: [one[what] for one in runs] for side, runs in taken.items()}
            for what in taken["old"][0]
        }
    return results


def timing_rows(results: Mapping[str, Any]) -> list[list[str]]:
    """Rows of the table: medians of both versions and their ratio, above 1 where the new one is better."""
    rows = []
    for task, figures in results.items():
        for what, taken in figures.items():
            old, new = (statistics.median(taken[side]) for side in ("old", "new"))
            rate = what.endswith("a request")
            shown = [f"{value:.1f}/s" if rate else f"{1000 * value:.1f} ms" for value in (old, new)]
            rows.append([task, what, *shown, f"{new / old if rate else old / new:.3f}"])
    return rows


def main() -> None:
    """Compare, and publish what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--old", default=FILE_OF_ONE, help="the revision to compare with")
    parser.add_argument(
        "--only", action="append", choices=sorted(CATALOGUE), help="answers of this tiny model"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each timing")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vts-") as name:
        folder = Path(name)
        sides = {"old": checked_out(arguments.old, folder / "old"), "new": ROOT / "handlers"}
        compared = compare_answers(sides, arguments.only or sorted(CATALOGUE), folder / "models")
        for model, different in compared["differing"].items():
            for number, old, new in different:
                sys.stderr.write(f"{model}, request {number}:\n  old {old[:400]}\n  new {new[:400]}\n")
        if arguments.only:
            print(f"{compared['answers']} answers, {sum(map(len, compared['differing'].values()))} differ")
            sys.exit(bool(compared["differing"]))
        timed = compare_timings(sides, arguments.rounds, folder / "timed")
    different_answers = sum(map(len, compared["differing"].values()))
    columns = ["task", "what", f"old ({arguments.old})", "new", "new over old, more is better"]
    report = (
        f"{compared['answers']} answers of {compared['models']} tiny models were compared byte for byte, "
        f"{compared['status_200']} of them with status 200: {different_answers} differ.\n\n"
        f"Median of {arguments.rounds} processes each, in turn. `load` begins before torch is imported; the "
        f"figures of {', '.join(f'{size} a request' for size in (1, 32))} are instances a second.\n\n"
        f"{table(columns, timing_rows(timed))}"
    )
    publish(
        "handler_versions", "The reference handler beside an older version of it",
        {"old": arguments.old, "rounds": arguments.rounds, "cores": len(os.sched_getaffinity(0))},
        {"answers": compared, "timings": timed}, report,
        trial=arguments.rounds < ROUNDS, programs={"both": installed_versions(sys.executable)},
    )  # fmt: skip
    sys.exit(bool(different_answers))


if __name__ == "__main__":
    main()
