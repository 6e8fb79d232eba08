"""Whether the golden request can be sent."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.archive_check.views.view import MemberError
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.golden_request import MOST_GOLDEN_BYTES, GoldenRequest
from vertex_torchserve.serving.archive.member_names import GOLDEN_REQUEST_NAME


@rule
def golden_request_readable(subject: Subject) -> Iterator[Finding]:
    """`golden-request.json` holds `instances`, and nothing that is no part of a golden request.

    The server sends it before it calls itself ready, and refuses to start with one that it can't read.

    Fix: correct the file, or leave it out.
    """
    if not subject.holds(GOLDEN_REQUEST_NAME):
        return
    try:
        GoldenRequest.parse(subject.text(GOLDEN_REQUEST_NAME, MOST_GOLDEN_BYTES))
    except InputError as refused:
        for problem in refused.problems:
            yield error(GOLDEN_REQUEST_NAME, *problem)
    except MemberError as refused:
        yield error(GOLDEN_REQUEST_NAME, str(refused), "correct the file, or leave it out")
