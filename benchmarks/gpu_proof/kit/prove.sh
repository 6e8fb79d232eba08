#!/bin/sh
# Run the proof on this machine: prove.sh [--out FOLDER] [--minutes N] [--short] [--part NAME].
# PYTHON is the one that has torch with CUDA. Everything else comes from beside this file; nothing from a network.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
if [ ! -e venv/.installed ]; then
    "$python" -c 'import torch' 2> /dev/null || {
        echo "$python has no torch: name one that has, PYTHON=/path/to/python3 prove.sh" >&2
        exit 2
    }
    rm -rf venv
    "$python" -m venv --without-pip venv
    # What that Python has is found behind what is installed here, its torch above all.
    "$python" - << 'END' > "$(venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/of_the_machine.pth"
import sys
for folder in sys.path:
    if folder.endswith(("site-packages", "dist-packages")):
        print(f"import site; site.addsitedir({folder!r})")
END
    "$python" -m pip --python venv/bin/python install --quiet --disable-pip-version-check --no-index --no-deps \
        --ignore-installed --no-compile --find-links wheels --requirement requirements.txt
    mkdir -p venv/share/vertex-torchserve
    cp -R java venv/share/vertex-torchserve/java
    touch venv/.installed
fi
exec venv/bin/python -m benchmarks.gpu_proof --out results "$@"
