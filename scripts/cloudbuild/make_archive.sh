#!/usr/bin/env bash
# Make a real archive with the component image, and prove it in the image's own TorchServe.
#
#   scripts/cloudbuild/make_archive.sh COMPONENT_IMAGE FOLDER    # writes FOLDER/model.mar
#
# Files go in and out with `docker cp`: a step's /workspace need not be a folder of the engine's machine.
set -euo pipefail
IMAGE=$1 FOLDER=$2
HERE=$(dirname "$0")

CONTAINER=$(docker create --network none --workdir /tmp "$IMAGE" bash -ceu '
    python -W ignore::DeprecationWarning row_sum.py
    vertex-torchserve package model --export-path archive
    vertex-torchserve smoke-test archive/model.mar --instances instances.json')
trap 'docker rm --force --volumes "$CONTAINER" > /dev/null' EXIT
docker cp "$HERE/row_sum.py" "$CONTAINER:/tmp/row_sum.py"
docker start --attach "$CONTAINER"
mkdir -p "$FOLDER"
docker cp "$CONTAINER:/tmp/archive/model.mar" "$FOLDER/model.mar"
