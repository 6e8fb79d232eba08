"""Whatever bytes an archive has, a check ends with findings."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.archive_faults import FAULTS
from vertex_torchserve.archive_check.check import check_path

# Small ones, and none whose pickle torch would be asked about.
_CONTENTS = [
    content
    for fault in FAULTS
    if fault.rule != "pickle-holds-tensors-only" and len(content := fault.content()) < 4096
]
_EDITS = st.lists(
    st.tuples(st.integers(0, 4095), st.binary(max_size=4), st.integers(0, 4)), min_size=1, max_size=8
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(_CONTENTS), _EDITS)
def test_a_damaged_archive_is_checked(content: bytes, edits: list[tuple[int, bytes, int]]) -> None:
    for position, inserted, removed in edits:
        place = position % (len(content) + 1)
        content = content[:place] + inserted + content[place + removed :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.mar")
        path.write_bytes(content)
        for finding in check_path(str(path)).findings:
            assert finding.message.replace("\n", "").isprintable()
            assert finding.fix
