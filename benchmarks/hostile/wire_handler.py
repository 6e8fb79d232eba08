"""The handler of the archive that is attacked on the wire: sets, answers and prints what an instance says."""

HANDLER = """\
# Made at load: what it costs to answer them is the server's, what it costs to make them isn't.
NUMBERS = list(range(5_000_000))


def handle(data, context):
    if data is None:
        return None
    requests = getattr(context, "instance_requests", None) or range(len(data))
    return [answer(one, context, index) for one, index in zip(data, requests)]


def answer(one, context, index):
    if not isinstance(one, dict):
        return len(one) if isinstance(one, (str, list)) else 0
    if "header" in one:
        context.set_response_header(index, *one["header"])
    if "status" in one:
        context.set_response_status(one["status"], idx=index)
    if "print" in one:
        print("x" * one["print"])
    count = one.get("numbers", 1)
    return NUMBERS if count == len(NUMBERS) else NUMBERS[:count]
"""
