#!/usr/bin/env bash
# Write the CycloneDX SBOM of an image: sbom.py, run by the image's own Python.
#
#   scripts/cloudbuild/sbom.sh IMAGE FILE.cdx.json
set -euo pipefail
IMAGE=$1 FILE=$2
HERE=$(dirname "$0")

mkdir -p "$(dirname "$FILE")"
docker run --rm --interactive --network none --entrypoint python "$IMAGE" - \
    "${IMAGE%:*}" "$(docker image inspect --format '{{.Id}}' "$IMAGE")" < "$HERE/sbom.py" > "$FILE.partial"
mv "$FILE.partial" "$FILE"
echo "$FILE: $(grep --count '"bom-ref"' "$FILE") components"
