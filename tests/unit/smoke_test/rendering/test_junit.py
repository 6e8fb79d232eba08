"""JUnit XML of a report, read back by an XML parser."""

from xml.etree import ElementTree

from tests.unit.smoke_test.rendering.reports import AS_SHOWN, FAILED, PASSED
from vertex_torchserve.smoke_test.rendering.junit import junit_xml


def test_every_check_is_a_case() -> None:
    suites = ElementTree.fromstring(junit_xml(PASSED))
    counts = {"tests": "3", "failures": "0", "errors": "0", "time": "21.500"}
    assert suites.attrib == {"name": "vertex-torchserve smoke-test", **counts}
    (suite,) = suites
    assert suite.attrib["name"] == "model"
    assert suite.attrib["timestamp"] == "2026-11-25T12:00:00+00:00"
    properties = {each.attrib["name"]: each.attrib["value"] for each in suite.iter("property")}
    assert properties["sha256"] == "ab" * 32
    assert properties["not_covered.1"] == "proved with transformers 5.23.0, the serving image has 5.20.0"
    assert properties["version.torch"] == "2.13.0+cpu"
    assert properties["seconds.load"] == "6.500"
    cases = suite.findall("testcase")
    assert [(case.attrib["name"], case.attrib["time"]) for case in cases] == [
        ("archive", "0.250"), ("ready", "9.250"), ("status", "0.040"),
    ]  # fmt: skip
    assert [case.attrib["classname"] for case in cases] == ["smoke-test.model"] * 3
    assert cases[1].findtext("system-out") == "ready after 9.25 s"
    assert "netty is of 2020" in str(suite.findtext("system-err"))


def test_a_failure_tells_all_that_was_seen_in_characters_that_xml_may_hold() -> None:
    (suite,) = ElementTree.fromstring(junit_xml(FAILED))
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("2", "1")
    (failure,) = suite.iter("failure")
    assert failure.attrib["message"] == "first line"
    assert failure.text == f"first line\n{AS_SHOWN}"
    assert AS_SHOWN in str(suite.findtext("system-err"))
