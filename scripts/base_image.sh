#!/usr/bin/env bash
# Prepare the base image of the Dockerfiles and print its name, to be given as --build-arg BASE_IMAGE.
#
# It is debian:bookworm-slim, from its registry or, where none can be reached, from Debian's packages. Where
# pip is set up to trust a certificate bundle (PIP_CERT) or to take wheels from a folder (PIP_FIND_LINKS), a
# local image built on it carries both, so that the Dockerfiles need to know nothing of the machine.
set -euo pipefail

DOCKER=/usr/bin/docker # a newer client first on the PATH wants the buildx plug-in
BASE=debian:bookworm-slim
LOCAL=vertex-torchserve-local-base:bookworm
WORK=$(mktemp -d -t base-XXXXXX)
trap 'rm -rf "$WORK"' EXIT

if ! "$DOCKER" image inspect "$BASE" > /dev/null 2>&1 \
    && ! timeout 60 "$DOCKER" pull --quiet "$BASE" > /dev/null 2>&1; then
    debootstrap --variant=minbase --include=ca-certificates bookworm "$WORK/root" > /dev/null
    tar -C "$WORK/root" -c . | "$DOCKER" import - "$BASE" > /dev/null
fi
if [ -z "${PIP_CERT:-}${PIP_FIND_LINKS:-}" ]; then
    echo "$BASE"
    exit 0
fi
mkdir -p "$WORK/context/wheels"
cp "${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}" "$WORK/context/ca-certificates.crt"
if [ -d "${PIP_FIND_LINKS:-}" ]; then
    cp "$PIP_FIND_LINKS"/*.whl "$WORK/context/wheels/"
fi
cat > "$WORK/context/Dockerfile" << END
FROM $BASE
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY wheels /opt/wheels
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt PIP_FIND_LINKS=/opt/wheels
END
DOCKER_BUILDKIT=1 "$DOCKER" build --quiet --tag "$LOCAL" "$WORK/context" > /dev/null
echo "$LOCAL"
