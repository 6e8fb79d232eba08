"""A handler that says what it was sent, and notes a request that should never arrive."""

# Answers each request with the names of its fields and how many bytes each has; notes the word "smuggled".
MEASURING_HANDLER = """\
import json, os, pathlib


def handle(data, context):
    if data is None:
        return None
    for row in data:
        if "smuggled" in str(row.get("body")):
            pathlib.Path(os.environ["MARKS"], "smuggled").touch()
    return [{name: len(json.dumps(v) if isinstance(v, (dict, list)) else v) for name, v in row.items()}
            for row in data]
"""
