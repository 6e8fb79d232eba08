#!/usr/bin/env bash
# Print the docker client that everything in this checkout uses: the Makefile, scripts, tests and benchmarks ask here.
#
# Ask when a client is needed, not before: scripts/docker_engine.sh may have installed one a moment ago.
# Debian's own client comes first, for it belongs to Debian's engine; another one on the PATH may need the
# buildx plug-in to build images, and not have it.
set -euo pipefail

if [ -n "${VTS_DOCKER:-}" ]; then
    echo "$VTS_DOCKER"
elif [ -x /usr/bin/docker ]; then
    echo /usr/bin/docker
else
    echo docker
fi
