#!/usr/bin/env bash
# Make sure that the Dockerfiles' base image is there: from its registry, or, where none can be reached, from
# Debian's packages. Prints its name, to be given as --build-arg BASE_IMAGE.
set -euo pipefail

DOCKER=/usr/bin/docker
BASE=debian:bookworm-slim

if ! "$DOCKER" image inspect "$BASE" > /dev/null 2>&1 \
    && ! timeout 60 "$DOCKER" pull --quiet "$BASE" > /dev/null 2>&1; then
    ROOT=$(mktemp -d -t base-XXXXXX)
    trap 'rm -rf "$ROOT"' EXIT
    debootstrap --variant=minbase --include=ca-certificates bookworm "$ROOT" > /dev/null
    tar -C "$ROOT" -c . | "$DOCKER" import - "$BASE" > /dev/null
fi
echo "$BASE"
