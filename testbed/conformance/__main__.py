"""Run a small server: `python -m testbed.conformance [FAULT]`, with a fault's name the one that has it."""

import sys

from testbed.conformance.small_faults import CONTAINER_FAULTS, FAULTS
from testbed.conformance.small_server import SmallServer, serve

if __name__ == "__main__":
    if len(sys.argv) == 1:
        serve(SmallServer())
    else:
        _, faulty = (FAULTS | CONTAINER_FAULTS)[sys.argv[1]]
        serve(faulty())
