"""Run a small server: `python -m testbed.conformance [FAULT ...]`, with names of faults one that has them."""

import sys

from testbed.conformance.small_faults import CONTAINER_FAULTS, FAULTS
from testbed.conformance.small_server import SmallServer, serve

if __name__ == "__main__":
    faulty = [(FAULTS | CONTAINER_FAULTS)[name][1] for name in sys.argv[1:]]
    serve(type("Faulty", (*faulty, SmallServer), {})())
