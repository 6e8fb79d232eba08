"""Vectors that stay arrays until they are written."""

import json

import numpy
import pytest

pytestmark = pytest.mark.usefixtures("handler_path")


def test_arrays_anywhere_in_a_value_are_written_as_short_as_they_can_be() -> None:
    from hf_handler.arrays import json_text

    value = {
        "data": [{"embedding": numpy.array([0.1, -2.5], "f4")}, {"embedding": "0.1"}],
        "n": None,
        "x": "é",
    }
    assert json_text(value) == (
        '{"data": [{"embedding": [0.1,-2.5]}, {"embedding": "0.1"}], "n": null, "x": "\\u00e9"}'
    )


@pytest.mark.parametrize("number", [numpy.nan, numpy.inf])
def test_what_json_has_no_number_for_is_refused(number: float) -> None:
    from hf_handler.arrays import json_text

    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text([numpy.array([1.0, number], "f4")])


def test_other_envelopes_get_lists() -> None:
    from hf_handler.arrays import listed

    found = listed({"embeddings": [numpy.array([0.5], "f4"), "text"], "n": 1})
    assert json.dumps(found) == '{"embeddings": [[0.5], "text"], "n": 1}'


def test_base64_is_of_32_bit_floats_little_endian() -> None:
    from hf_handler.arrays import in_base64

    assert in_base64([1.0, -2.0]) == "AACAPwAAAMA="  # 00 00 80 3f, 00 00 00 c0
