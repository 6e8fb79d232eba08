#!/usr/bin/env bash
# Audit the Python packages of an SBOM with pip-audit, in a throw-away container.
#
#   scripts/cloudbuild/audit.sh COMPONENT_IMAGE FILE.cdx.json REPORT.json
#
# Exit code 1: a known hole, or an audit that could not be finished; 69: the vulnerability service can't be
# reached, nothing was audited.
set -euo pipefail
IMAGE=$1 SBOM=$2 REPORT=$3
HERE=$(dirname "$0")

CONTAINER=$(docker create --user 0 --workdir /srv "$IMAGE" bash -ceu '
    python -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
        --target /srv/tools --constraint constraints.txt pip-audit
    PYTHONPATH=/srv/tools exec python audit.py sbom.json audit_ignored.txt report.json')
trap 'docker rm --force --volumes "$CONTAINER" > /dev/null' EXIT
docker cp "$HERE/audit.py" "$CONTAINER:/srv/audit.py"
docker cp "$HERE/audit_ignored.txt" "$CONTAINER:/srv/audit_ignored.txt"
docker cp constraints.txt "$CONTAINER:/srv/constraints.txt"
docker cp "$SBOM" "$CONTAINER:/srv/sbom.json"
CODE=0
docker start --attach "$CONTAINER" || CODE=$?
docker cp "$CONTAINER:/srv/report.json" "$REPORT" 2> /dev/null || true  # there is none when it ended early
exit "$CODE"
