"""Write docs/conformance.md: every check of `vertex-torchserve conformance`, from the checks' own docstrings.

python -m scripts.conformance_page
"""

import sys
from pathlib import Path

from scripts.docstring_page import page_of
from vertex_torchserve.conformance.check import Check
from vertex_torchserve.conformance.check_table import CHECKS, title_of

PAGE = Path(__file__).resolve().parent.parent / "docs" / "conformance.md"
_HEAD = """\
# Does an image keep Vertex AI's contract?

Made from the checks by `python -m scripts.conformance_page`, not by hand.

```sh
vertex-torchserve conformance torchserve-cpu:dev
vertex-torchserve conformance my-server:1 --artifact model/ --instances request.json --env THRESHOLD=0.5
vertex-torchserve conformance my-server:1 --port 7080 --health-route /ping --predict-route /predict
vertex-torchserve conformance my-server:1 --report report.html
```

`conformance IMAGE` starts containers of any serving image, this project's or another's, with the variables
that Vertex AI sets, tries them, and says of each check what was seen. It needs Docker and no cloud, and
takes about a minute. Exit code 0: the contract is kept; 1: a check failed of what an image **must** do; 2:
there is no engine, no such image, or another input is wrong. A check of what an image **should** do that
fails is told and leaves the code alone: the image can be deployed, and will surprise somebody. A check that
can't be made is **not run**, and says why.

`--instances` is a request that the model can answer, in any form that `smoke-test` takes; of several, the
first. Without it the golden request of the artifact is sent, or else two short texts, which a model of
numbers refuses. `--artifact` is a .mar or a folder that the container finds where `AIP_STORAGE_URI` says.
This project's own images, which hold no model, get an archive whose model answers each instance with itself.
An image whose routes or port can't be changed is told with `--health-route`, `--predict-route` and `--port`,
as its model must name them; whether it could do otherwise is a check of its own.

What our image, stock TorchServe, a plain FastAPI server and huggingface-inference-toolkit do:
[benchmarks/results/conformance.md](../benchmarks/results/conformance.md).

Each check is held by a small server with a fault that fails it and no other (`testbed/conformance/`).
"""


def page() -> str:
    """The page's text."""
    return page_of(_HEAD, CHECKS, title_of, _severity_and_source)


def _severity_and_source(check: Check) -> tuple[str, str]:
    linked = check.source.startswith("https://")
    source = f"[Source]({check.source})." if linked else f"{check.source}."
    return f" ({check.severity})", source[0].upper() + source[1:]


def main() -> int:
    """Write the page; returns the exit code."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
