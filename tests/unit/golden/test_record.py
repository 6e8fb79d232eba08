"""The tolerance that is written."""

import pytest

from vertex_torchserve.golden.record import rounded_up


@pytest.mark.parametrize(
    ("measured", "written"),
    [
        (1e-5, 1e-5),
        (1.01e-5, 1.1e-5),
        (0.000234, 0.00024),
        (0.0999, 0.1),
        (0.1, 0.1),
        (9.91, 10.0),
        (3.0, 3.0),
    ],
)
def test_two_digits_and_never_below(measured: float, written: float) -> None:
    assert rounded_up(measured) == written
