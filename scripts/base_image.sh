#!/usr/bin/env bash
# Prepare a base image of the Dockerfiles and print its name.
#
#   scripts/base_image.sh            for --build-arg BUILD_IMAGE of the serving images
#   scripts/base_image.sh runtime    for --build-arg BASE_IMAGE of the serving images: the same without wheels
#
# It is debian:bookworm-slim, from its registry or, where none can be reached, from Debian's packages. Where
# pip is set up to trust a certificate bundle (PIP_CERT) or to take wheels from a folder (PIP_FIND_LINKS),
# local images built on it carry them, so that the Dockerfiles need to know nothing of the machine.
set -euo pipefail

case ${1-build} in
    build | runtime) KIND=${1-build} ;;
    *) echo "usage: $0 [build|runtime]" >&2; exit 2 ;;
esac
DOCKER=$("$(dirname "$0")/docker_client.sh")
BASE=debian:bookworm-slim
RUNTIME=vertex-torchserve-local-runtime:bookworm
LOCAL=vertex-torchserve-local-base:bookworm
WORK=$(mktemp -d -t base-XXXXXX)
trap 'rm -rf "$WORK"' EXIT

if ! "$DOCKER" image inspect "$BASE" > /dev/null 2>&1 \
    && ! timeout 60 "$DOCKER" pull --quiet "$BASE" > /dev/null 2>&1; then
    debootstrap --variant=minbase --include=ca-certificates bookworm "$WORK/root" > /dev/null
    # What the registry's "slim" leaves out as well.
    (cd "$WORK/root" && rm -rf var/cache/apt/* var/lib/apt/lists/* var/log/* usr/share/{man,locale,info}/*
        find usr/share/doc -type f ! -name copyright -delete)
    tar -C "$WORK/root" -c . | "$DOCKER" import - "$BASE" > /dev/null
fi
if [ -z "${PIP_CERT:-}${PIP_FIND_LINKS:-}" ]; then
    echo "$BASE"
    exit 0
fi
mkdir -p "$WORK/runtime" "$WORK/build/wheels"
cp "${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}" "$WORK/runtime/ca-certificates.crt"
cat > "$WORK/runtime/Dockerfile" << END_RUNTIME
FROM $BASE
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt
END_RUNTIME
DOCKER_BUILDKIT=1 "$DOCKER" build --quiet --tag "$RUNTIME" "$WORK/runtime" > /dev/null
if [ "$KIND" = runtime ]; then
    echo "$RUNTIME"
    exit 0
fi
if [ -d "${PIP_FIND_LINKS:-}" ]; then
    cp "$PIP_FIND_LINKS"/*.whl "$WORK/build/wheels/"
fi
cat > "$WORK/build/Dockerfile" << END_BUILD
FROM $RUNTIME
COPY wheels /opt/wheels
ENV PIP_FIND_LINKS=/opt/wheels
END_BUILD
DOCKER_BUILDKIT=1 "$DOCKER" build --quiet --tag "$LOCAL" "$WORK/build" > /dev/null
echo "$LOCAL"
