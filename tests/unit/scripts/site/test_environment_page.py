"""Every environment variable that the code names is on the page."""

import re

from scripts.site.environment_page import page
from tests.documents import ROOT

_OURS = re.compile(r"\b(?:VTS|AIP|REQUIRE)_[A-Z0-9_]*[A-Z0-9]\b")
_READ = re.compile(r"""(?:environ|environment)(?:\.get\(|\[)"([A-Z0-9]+_[A-Z0-9_]+)"|envvar="([A-Z_]+)\"""")
_CODE = ("src", "handlers", "component", "images", "scripts", "testbed", "tests", "benchmarks")
# Parts of names in patterns and texts, and what the handler sets for transformers and nobody else reads.
_NO_VARIABLES = {"HF_HUB_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS"}


def _named_in_code() -> set[str]:
    files = [ROOT / "Makefile", ROOT / ".ci/run", ROOT / "cloudbuild.yaml"]
    for folder in _CODE:
        files += [
            path
            for path in (ROOT / folder).rglob("*")
            if path.suffix in {".py", ".sh", ".java"} or path.name == "Dockerfile"
        ]
    named = set()
    for file in files:
        text = file.read_text(encoding="utf-8")
        named.update(_OURS.findall(text))
        if file.relative_to(ROOT).parts[0] in {"src", "handlers", "component"}:
            named.update(name for pair in _READ.findall(text) for name in pair if name)
    return named - _NO_VARIABLES


def test_no_variable_of_the_code_is_missing() -> None:
    text = page()
    told = set(re.findall(r"`([A-Z0-9]+_[A-Z0-9_]*|PIP_\*)`", text))
    missing = {name for name in _named_in_code() if name not in told}
    assert {name for name in missing if not name.startswith("PIP_")} == set()
    assert "PIP_*" in text


def test_a_setting_is_told_in_the_words_of_its_docstring() -> None:
    assert "| `VTS_MODEL_STORE` | `VTS_MODEL_STORE`: the local folder to look in when" in page()


def test_no_variable_that_nobody_knows_is_on_the_page() -> None:
    told = set(re.findall(r"^\| `((?:VTS|AIP)_[A-Z_]+)`", page(), re.MULTILINE))
    assert told <= _named_in_code()
    assert len(told) > 25
