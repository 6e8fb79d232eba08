"""The report as JUnit XML, which CI systems show: each check is a test case."""

from xml.etree import ElementTree

from vertex_torchserve.smoke_test.rendering.printable import printable
from vertex_torchserve.smoke_test.report import SmokeTestReport


def junit_xml(report: SmokeTestReport) -> bytes:
    """One suite; versions and digest are its properties, the server's warnings and errors its `system-err`.

    Args:
        report: What was seen.

    Returns:
        The XML file's content, in UTF-8.
    """
    counts = {
        "tests": str(len(report.checks)),
        "failures": str(sum(not check.ok for check in report.checks)),
        "errors": "0",
        "time": f"{report.seconds:.3f}",
    }
    suites = ElementTree.Element("testsuites", {"name": "vertex-torchserve smoke-test", **counts})
    about = {"name": printable(report.model_name), "skipped": "0", "timestamp": report.started_at}
    suite = ElementTree.SubElement(suites, "testsuite", {**about, **counts})
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _properties(report).items():
        ElementTree.SubElement(properties, "property", name=printable(name), value=printable(value))
    for check in report.checks:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=f"smoke-test.{printable(report.model_name)}",
            name=check.name,
            time=f"{check.seconds:.3f}",
        )
        detail = printable(check.detail)
        if check.ok:
            ElementTree.SubElement(case, "system-out").text = detail
        else:
            message = detail.partition("\n")[0]
            ElementTree.SubElement(case, "failure", message=message, type="failed").text = detail
    problems = "\n".join(entry.as_text() for entry in report.log_problems)
    if problems:
        ElementTree.SubElement(suite, "system-err").text = printable(problems)
    ElementTree.indent(suites)
    content: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    return content


def _properties(report: SmokeTestReport) -> dict[str, str]:
    return {
        "archive": str(report.mar_path),
        "sha256": report.sha256,
        "image": report.image or "",
        "lock": report.lock or "",
        **{f"not_covered.{number}": each for number, each in enumerate(report.not_covered, start=1)},
        **{f"version.{name}": version for name, version in report.versions.items()},
        **{f"seconds.{phase.name}": f"{phase.seconds:.3f}" for phase in report.phases},
    }
