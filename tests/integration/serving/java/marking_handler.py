"""A handler that marks in a folder which requests it has begun, and waits for what a request says."""

from pathlib import Path

from testbed.deadlines import MOMENT_SECONDS
from testbed.processes import wait_until

# Answers {"id": n} with n, after "sleep" seconds; "until" names a mark to wait for, "exit" ends the worker.
MARKING_HANDLER = """\
import os, pathlib, time


def handle(data, context):
    if data is None:
        return None
    request = data[0]["body"]
    marks = pathlib.Path(os.environ["MARKS"])
    (marks / f"begun-{request['id']}").touch()
    if request.get("exit"):
        os._exit(1)
    while "until" in request and not (marks / request["until"]).exists():
        time.sleep(0.01)
    time.sleep(request.get("sleep", 0))
    return [str(request["id"])]
"""


def wait_begun(marks: Path, request: int) -> None:
    """Until the handler has this request.

    Args:
        marks: The folder that `MARKS` names in the worker's environment.
        request: The request's "id".
    """
    wait_until((marks / f"begun-{request}").exists, MOMENT_SECONDS, f"the handler has request {request}")
