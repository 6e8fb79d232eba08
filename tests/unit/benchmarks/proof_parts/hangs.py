"""A part of the GPU proof that never begins; a child of it would live on."""

import subprocess
import sys
import time

CHILD = subprocess.Popen(["sleep", "1000"])
sys.stderr.write(f"child {CHILD.pid}\n")
time.sleep(1000)
