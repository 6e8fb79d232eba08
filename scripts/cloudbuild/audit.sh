#!/usr/bin/env bash
# Audit the Python packages of an SBOM with pip-audit, and its Java libraries beside images/openvex.json, in a
# throw-away container. Beside the report come IMAGE.java-audit.json and the VEX file.
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
    code=0
    PYTHONPATH=/srv/tools python audit.py sbom.json audit_ignored.txt report.json || code=$?
    java=0
    python audit_java.py sbom.json openvex.json java-report.json || java=$?
    case $code in 0 | 69) [ $java = 0 ] || code=$java ;; esac
    exit $code')
trap 'docker rm --force --volumes "$CONTAINER" > /dev/null' EXIT
docker cp "$HERE/audit.py" "$CONTAINER:/srv/audit.py"
docker cp "$HERE/audit_java.py" "$CONTAINER:/srv/audit_java.py"
docker cp images/openvex.json "$CONTAINER:/srv/openvex.json"
docker cp "$HERE/audit_ignored.txt" "$CONTAINER:/srv/audit_ignored.txt"
docker cp constraints.txt "$CONTAINER:/srv/constraints.txt"
docker cp "$SBOM" "$CONTAINER:/srv/sbom.json"
CODE=0
docker start --attach "$CONTAINER" || CODE=$?
# There is none when it ended early.
docker cp "$CONTAINER:/srv/report.json" "$REPORT" 2> /dev/null || true
docker cp "$CONTAINER:/srv/java-report.json" "${REPORT%.audit.json}.java-audit.json" 2> /dev/null || true
cp images/openvex.json "$(dirname "$REPORT")/"
exit "$CODE"
