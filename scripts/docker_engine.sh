#!/usr/bin/env bash
# Make sure that a Docker engine runs: install Debian's when there is none, start it when it does not run.
# Prints nothing on success but the engine's version.
set -euo pipefail

# Debian's own client first: a newer one elsewhere on the PATH may lack the buildx plug-in it then needs.
CLIENT=${VTS_DOCKER:-$([ -x /usr/bin/docker ] && echo /usr/bin/docker || echo docker)}

if "$CLIENT" version --format '{{.Server.Version}}' 2>/dev/null; then
    exit 0
fi
if [ ! -x "$(command -v dockerd)" ]; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update --quiet=2
    apt-get install --yes --quiet=2 --no-install-recommends docker.io debootstrap iptables > /dev/null
fi
LOG=$(mktemp -t dockerd-XXXXXX.log)
setsid dockerd > "$LOG" 2>&1 < /dev/null &
for _ in $(seq 150); do
    if "$CLIENT" version --format '{{.Server.Version}}' 2>/dev/null; then
        exit 0
    fi
    sleep 0.2
done
echo "the Docker engine did not start within 30 s; its log ends:" >&2
tail -n 30 "$LOG" >&2
exit 1
