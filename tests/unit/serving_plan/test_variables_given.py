"""Variables of a command line and of files."""

from pathlib import Path

import pytest

from vertex_torchserve.errors import InputError
from vertex_torchserve.serving_plan.variables_given import variables_given


def test_the_last_one_counts_and_the_command_line_comes_last(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text('# comment\n\nA=1\nQUOTED="x"\n  INDENTED= y \n')
    second.write_bytes(b"A=2\r\nB=b=c\r\nEMPTY=")
    assert variables_given(["B=3", "C="], [first, second]) == {
        "A": "2", "QUOTED": '"x"', "INDENTED": " y ", "B": "3", "EMPTY": "", "C": "",
    }  # fmt: skip


def test_everything_wrong_is_named_at_once_and_no_value_is_shown(tmp_path: Path) -> None:
    lines, binary = tmp_path / "lines", tmp_path / "binary"
    lines.write_text("A=1\nTOKEN\n")
    binary.write_bytes(b"\xff")
    with pytest.raises(InputError) as raised:
        variables_given(["=secret", "NAME"], [lines, binary, tmp_path / "none"])
    assert [problem.message for problem in raised.value.problems] == [
        f"--env-file {binary} can't be read: it is not UTF-8",
        f"--env-file {tmp_path / 'none'} can't be read: No such file or directory",
        f"--env-file {lines}, line 2: 'TOKEN' is not NAME=VALUE",
        "--env: '=' is not NAME=VALUE",
        "--env: 'NAME' is not NAME=VALUE",
    ]
