"""Feed the parsers of what an archive brings with mutated bytes, `--seconds` each; needs atheris.

Each parser runs in a process of its own, for libFuzzer ends it. What it has learnt stays in build/fuzz/PARSER
and is where the next run begins. Bytes that anything but `InputError` came out for, or that took 30 s, lie
beside it as PARSER-crash-... or PARSER-timeout-..., and the program ends with 1.
"""

import argparse
import subprocess
import sys
from pathlib import Path

PARSERS = ("manifest", "model_config", "golden_request", "archive", "check")
_FOLDER = Path("build/fuzz")
_SECONDS_FOR_ONE_INPUT = 30
_MOST_BYTES = 64 << 10
_MOST_MIB = 2048


def main() -> int:
    """Run each parser in turn; returns how many of them failed, at most 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "parsers", nargs="*", metavar="PARSER", help=f"{', '.join(PARSERS)}; all when left out"
    )
    parser.add_argument("--seconds", type=int, default=60, help="how long each parser is fed (default: 60)")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    unknown = set(arguments.parsers) - set(PARSERS)
    if unknown:
        parser.error(f"no parser {', '.join(sorted(unknown))}; there are {', '.join(PARSERS)}")
    if arguments.inside:
        fuzz(arguments.parsers[0], arguments.seconds)
    command = [
        sys.executable,
        "-m",
        "scripts.fuzz_archive_parsers",
        "--inside",
        f"--seconds={arguments.seconds}",
    ]
    names = arguments.parsers or PARSERS
    failed = [name for name in names if subprocess.run([*command, name], check=False).returncode]
    sys.stdout.write(
        f"{len(names)} parsers, {arguments.seconds} s each; failed: {', '.join(failed) or 'none'}\n"
    )
    return int(bool(failed))


def fuzz(name: str, seconds: int) -> None:
    """Feed one parser, and end the process.

    Args:
        name: Of `testbed.archive_parsers.PARSERS`.
        seconds: For how long.
    """
    import atheris

    with atheris.instrument_imports(include=["vertex_torchserve", "testbed", "yaml", "json", "zipfile"]):
        from testbed.archive_parsers import PARSERS as FUNCTIONS
        from testbed.archive_parsers import SAMPLES
        from vertex_torchserve.serving.archive import bounded_yaml  # noqa: F401 (imported late otherwise)

    learnt = _FOLDER / name
    learnt.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(SAMPLES[name]):
        (learnt / f"sample-{number}").write_bytes(sample)
    limits = {
        "max_total_time": seconds,
        "timeout": _SECONDS_FOR_ONE_INPUT,
        "max_len": _MOST_BYTES,
        "rss_limit_mb": _MOST_MIB,
        "artifact_prefix": f"{learnt}-",
    }
    atheris.Setup([name, *(f"-{key}={value}" for key, value in limits.items()), str(learnt)], FUNCTIONS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
