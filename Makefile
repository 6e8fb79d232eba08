# What a person does with this checkout; `make help` lists it.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
COMPONENT_IMAGE ?= vertex-torchserve-component:dev
PYTEST_ARGS ?=

.PHONY: help setup demo docs docs-version test test-heavy test-lock fuzz check release-check component pipeline-components images test-gpu-image cloudbuild-local java java-classes java-tools browser registry format-java clean \
	gpu-proof gpu-proof-cpu benchmark-peers benchmark-speed-table benchmark-encoder-engines benchmark-answer-writing benchmark-short-beside-long benchmark-device benchmark-handler benchmark-handler-fuzz benchmark-linear-layers \
	benchmark-false-ready benchmark-isolation benchmark-hostile benchmark-soak benchmark-drain benchmark-gcs-staging benchmark-emulator-kills benchmark-emulator-bytes benchmark-component-kills benchmark-throughput benchmark-echo benchmark-image-versions benchmark-start benchmark-image-size benchmark-archive-check benchmark-archive-bytes benchmark-large-start benchmark-conformance benchmark-broken-plans benchmark-smoke-test benchmark-stock-fixtures benchmark-chat-cost benchmark-generation-batches

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## Make .venv with everything the project's own work needs

# The pip that a Python brings is as old as the Python, and pip 23 takes 25 CPU seconds more to choose versions than
# the pip of constraints.txt, which every environment gets first.
PIP_INSTALL := pip install --quiet --disable-pip-version-check

# pip by itself compiles what it installs on one core. A file that isn't for this Python is passed over.
COMPILE := python -W ignore -m compileall -qq -j 0

# On Linux PyPI's torch brings CUDA; PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS can name smaller CPU wheels.
$(VENV)/.installed: pyproject.toml constraints.txt src/vertex_torchserve/serving/java_libraries/lock.toml src/vertex_torchserve/serving/java_libraries/classes.list
	$(PYTHON) -m venv $(VENV)
	$(BIN)/$(PIP_INSTALL) --constraint constraints.txt --upgrade pip
	$(BIN)/$(PIP_INSTALL) --no-compile --constraint constraints.txt --editable '.[dev]'
	$(BIN)/$(COMPILE) $(VENV)/lib || true
	$(BIN)/python -m vertex_torchserve.serving.java_libraries
	@touch $@

demo: setup ## Go the whole way once on this machine, without a cloud: build/demo/summary.json
	$(BIN)/vertex-torchserve demo

# Not --quiet, which silences the warnings before they can fail the build.
docs: setup ## Build the site of the documents, every link checked: build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

# Empty for a patch of an earlier line: `latest` stays where it is.
DOCS_ALIAS ?= latest

# mike runs mkdocs as a program of the PATH, and its hook imports from this folder.
docs-version: export NO_MKDOCS_2_WARNING = 1
docs-version: export PYTHONPATH = .:src
docs-version: export PATH := $(CURDIR)/$(BIN):$(PATH)
docs-version: setup ## Put the site of this version on the branch gh-pages, beside those of others
	mike deploy --update-aliases $$(python -c "import vertex_torchserve as v; print(v.__version__)") $(DOCS_ALIAS)
	mike set-default latest

# Three at a time on two cores: servers that start and end wait as much as they compute. In the folders' order, not
# modules of few tests last: those are the long ones, and the last of them would run alone. Unit tests come last so.
test: setup ## Run every test but the heavy ones
	$(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder --durations=30 -m "not heavy" $(PYTEST_ARGS)

test-heavy: setup ## Run the tests that take long and are of the same kind as a shorter one
	$(BIN)/pytest --durations=30 -m heavy $(PYTEST_ARGS)

test-lock: setup ## Serve with the versions of the images' own lock, which are installed anew (two GB)
	VTS_TEST_LOCK=1 $(BIN)/pytest tests/integration/smoke_test/test_served_with_lock.py $(PYTEST_ARGS)

FUZZ_SECONDS ?= 60

fuzz: setup ## Feed each parser of what an archive brings with mutated bytes for FUZZ_SECONDS
	$(BIN)/python -m scripts.fuzz_archive_parsers --seconds $(FUZZ_SECONDS) $(FUZZ_ARGS)

check: setup java-tools ## What CI checks besides the tests: ruff, mypy, the Java sources, component/*.yaml up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m scripts.java.check_sources
	@mkdir -p build
	for name in component smoke_test deploy; do \
	    $(BIN)/python component/$$name.py build/$$name.yaml && \
	    { diff -u component/$$name.yaml build/$$name.yaml || { echo "component/$$name.yaml is stale: run make component" >&2; exit 1; }; } || exit 1; \
	done

# google-cloud-pipeline-components needs google-cloud-aiplatform 1.x, so it has an environment of its own, where this
# package is tried with it.
PIPELINE_COMPONENTS := build/pipeline-components

pipeline-components: $(PIPELINE_COMPONENTS)/.installed ## Install Google's pipeline components, beside which tests run

$(PIPELINE_COMPONENTS)/.installed: tests/integration/emulator/pipeline_components.txt pyproject.toml
	$(PYTHON) -m venv $(PIPELINE_COMPONENTS)
	$(PIPELINE_COMPONENTS)/bin/$(PIP_INSTALL) --constraint constraints.txt --upgrade pip
	$(PIPELINE_COMPONENTS)/bin/$(PIP_INSTALL) --no-compile --requirement $< --editable '.[kfp,vertex]'
	$(PIPELINE_COMPONENTS)/bin/$(COMPILE) $(PIPELINE_COMPONENTS)/lib || true
	@touch $@

release-check: setup ## Install wheel and sdist on each Python, newest and lowest versions, and use them (40 minutes)
	$(BIN)/python -m benchmarks.release_check $(BENCHMARK_ARGS)

component: setup ## Compile component/*.yaml; COMPONENT_IMAGE=... names your own image
	VTS_COMPONENT_IMAGE=$(COMPONENT_IMAGE) $(BIN)/python component/component.py component/component.yaml
	VTS_COMPONENT_IMAGE=$(COMPONENT_IMAGE) $(BIN)/python component/smoke_test.py component/smoke_test.yaml
	VTS_COMPONENT_IMAGE=$(COMPONENT_IMAGE) $(BIN)/python component/deploy.py component/deploy.yaml

# Before a command that uses Docker. Engine and client are looked for as the recipe runs, for the script may have
# to install them first; what make itself looks up (wildcard, shell) it looks up once, before that.
WITH_ENGINE := VTS_DOCKER=$$(scripts/docker_engine.sh) && export VTS_DOCKER &&
# --build-arg TORCH_INDEX_URL= takes PyPI's torch, with a newer CUDA, where PyTorch's index can't be reached.
GPU_BUILD_ARGS ?=

images: setup ## Build torchserve-cpu:dev and vertex-torchserve-component:dev with Docker
	$(WITH_ENGINE) $(BIN)/vertex-torchserve images build cpu \
		--build-arg BASE_IMAGE=$$(scripts/base_image.sh runtime) --build-arg BUILD_IMAGE=$$(scripts/base_image.sh)
	$(WITH_ENGINE) $(BIN)/vertex-torchserve images build component

test-gpu-image: setup ## Build torchserve-gpu:dev (several GB) and test it as it serves without a GPU
	$(WITH_ENGINE) $(BIN)/vertex-torchserve images build gpu --build-arg BASE_IMAGE=$$(scripts/base_image.sh runtime) $(GPU_BUILD_ARGS)
	$(WITH_ENGINE) REQUIRE_DOCKER=1 VTS_TEST_IMAGE=torchserve-gpu:dev $(BIN)/pytest tests/integration/images $(PYTEST_ARGS)

# The GPU image is several GB. Exit code 69: pip-audit's service can't be reached; the run says NOT DONE and goes on.
CLOUDBUILD_LOCAL_ARGS ?= --leave-out build-gpu --tolerate 69

cloudbuild-local: setup ## Run cloudbuild.yaml's steps on this machine's Docker, pushing nothing
	$(WITH_ENGINE) $(BIN)/python -m scripts.cloudbuild.local_run --substitution _BASE_IMAGE=$$(scripts/base_image.sh runtime) \
		--substitution _BUILD_IMAGE=$$(scripts/base_image.sh) $(CLOUDBUILD_LOCAL_ARGS)

browser: # Chromium, which looks at HTML reports in tests: installed as root, asked for otherwise
	scripts/debian_package.sh chromium chromium google-chrome chromium-browser

registry: # A registry of images, to which tests push: installed as root, asked for otherwise
	scripts/debian_package.sh docker-registry docker-registry

java-tools: # javac 17, ecj and JUnit 5: installed as root, asked for otherwise
	scripts/java/install_tools.sh

java: setup java-tools ## Build serving/java/vertex-torchserve.jar from its sources
	$(BIN)/python -m scripts.java.build_jar

java-classes: setup ## Write the list of classes that the archive for a quicker start is made of
	$(BIN)/python -m scripts.java.class_list

format-java: setup java-tools ## Format the Java sources and check them
	$(BIN)/python -m scripts.java.check_sources --format

BENCHMARK_ARGS ?=

# Each writes its table and its raw figures to benchmarks/results/. One at a time, on a machine that does nothing else.
benchmark-false-ready: images ## Twenty broken archives, ours and stock (about 20 minutes)
	$(BIN)/python -m benchmarks.false_ready

benchmark-isolation: images ## A poisoned batch and 10,000 malformed bodies, ours and stock
	$(BIN)/python -m benchmarks.isolation

benchmark-hostile: setup ## Sixty hostile requests and what others notice, ours and stock (12 minutes)
	$(BIN)/python -m benchmarks.hostile_requests $(BENCHMARK_ARGS)

benchmark-soak: setup ## Ten minutes of MiniLM: memory, descriptors and files over time, as a plot
	$(BIN)/python -m benchmarks.soak $(BENCHMARK_ARGS)

benchmark-drain: setup ## A hundred SIGTERMs under load, ours and stock (about 15 minutes)
	$(BIN)/python -m benchmarks.drain

benchmark-gcs-staging: setup ## Downloads from the storage emulator, one by one and in parallel (a minute)
	$(BIN)/python -m benchmarks.gcs_staging

benchmark-emulator-kills: setup ## A hundred SIGKILLs of the emulator during writes, and stock (10 minutes)
	$(BIN)/python -m benchmarks.emulator_kills

benchmark-emulator-bytes: setup ## A gigabyte to the emulator's Cloud Storage, two back, beside curl and a plain server (5 minutes)
	$(BIN)/python -m benchmarks.emulator_bytes

benchmark-component-kills: setup ## A hundred SIGKILLs of the component, alone and beside another upload, each tried again
	$(BIN)/python -m benchmarks.component_kills

benchmark-throughput: images ## Requests a second: ours, stock and the model alone (needs wrk)
	$(BIN)/python -m benchmarks.throughput

benchmark-echo: setup ## An echo of 1 kB and 1 MB, ours and stock TorchServe's (needs wrk; two minutes)
	$(BIN)/python -m benchmarks.echo $(BENCHMARK_ARGS)

benchmark-image-versions: images ## BEFORE=TAG, an older CPU image, beside this one: starts and requests a second (8 minutes)
	$(BIN)/python -m benchmarks.image_versions --before $(BEFORE)

benchmark-start: images ## docker run to the first prediction, ours and stock (downloads several GB)
	$(BIN)/python -m benchmarks.start

benchmark-peers: setup ## Sentence embeddings beside three other servers (needs wrk; makes build/peers)
	$(BIN)/python -m benchmarks.embedding_peers $(BENCHMARK_ARGS)

benchmark-speed-table: setup ## The README's table of speed and its plots, from the results that are there
	$(BIN)/python -m benchmarks.speed_table

benchmark-short-beside-long: setup ## p99 of short requests while a client sends long ones (needs wrk; four minutes)
	$(BIN)/python -m benchmarks.short_beside_long $(BENCHMARK_ARGS)

benchmark-encoder-engines: setup ## MiniLM by torch, onnxruntime and int8 in process (five minutes)
	PYTHONPATH=handlers $(BIN)/python -m benchmarks.encoder_engines $(BENCHMARK_ARGS)

benchmark-answer-writing: setup ## Vectors as JSON: lists, arrays, base64 (seconds)
	$(BIN)/python -m benchmarks.answer_writing

benchmark-chat-cost: setup ## A chat in OpenAI's form beside the handler's own form (two minutes)
	PYTHONPATH=handlers $(BIN)/python -m benchmarks.chat_cost $(BENCHMARK_ARGS)

benchmark-generation-batches: setup ## Texts of other lengths written together: the handler and transformers (three minutes)
	PYTHONPATH=handlers $(BIN)/python -m benchmarks.generation_batches $(BENCHMARK_ARGS)

benchmark-handler-fuzz: setup ## 10,000 fuzzed instances to the reference handler (under a minute)
	PYTHONPATH=handlers $(BIN)/python -m benchmarks.handler_fuzz

benchmark-device: setup ## The handler beside transformers, on a GPU where there is one
	$(BIN)/python -m benchmarks.handler_on_device $(BENCHMARK_ARGS)

# For gpu-proof: --python 3.12 packs for that Python alone. For gpu-proof-cpu: --minutes 30, --part NAME.
GPU_PROOF_ARGS ?=

gpu-proof: setup ## Pack what a machine with a GPU and no network needs to prove itself: build/gpu-proof
	$(BIN)/python -m benchmarks.gpu_proof.kit $(GPU_PROOF_ARGS)

gpu-proof-cpu: setup ## The same program here, on the CPU, in its short form: build/gpu-proof-cpu
	$(BIN)/python -m benchmarks.gpu_proof --out build/gpu-proof-cpu --short $(GPU_PROOF_ARGS)

benchmark-handler: setup ## The handler beside the one file that it was: equal answers, and what each takes
	$(BIN)/python -m benchmarks.handler_versions $(BENCHMARK_ARGS)

benchmark-archive-check: setup ## check of archives of a gigabyte: seconds and memory (two minutes)
	$(BIN)/python -m benchmarks.archive_check

benchmark-archive-bytes: setup ## Packaging beside cp and the archiver; what the component reads and keeps (five minutes)
	$(BIN)/python -m benchmarks.archive_bytes $(BENCHMARK_ARGS)

benchmark-large-start: setup ## Ready with 4 GB of weights, beside a Python that loads them (five minutes, 13 GB)
	$(BIN)/python -m benchmarks.large_start $(BENCHMARK_ARGS)

benchmark-stock-fixtures: setup ## Archives of TorchServe's tests, examples and archiver: ours and stock (10 minutes)
	$(BIN)/python -m benchmarks.stock_fixtures $(BENCHMARK_ARGS)

benchmark-linear-layers: setup ## Float32 linear layers on this CPU: torch's and packed (two minutes)
	PYTHONPATH=handlers $(BIN)/python -m benchmarks.linear_layers

benchmark-conformance: images ## Vertex AI's contract, ours and three others (makes build/peers; about 8 minutes)
	$(BIN)/python -m benchmarks.conformance $(BENCHMARK_ARGS)

benchmark-broken-plans: images ## Thirty broken archives and plans, fifteen good: what the gate stops (15 minutes)
	$(BIN)/python -m benchmarks.broken_plans $(BENCHMARK_ARGS)

benchmark-smoke-test: setup ## How long smoke-test of MiniLM takes, with its page (two minutes)
	$(BIN)/python -m benchmarks.smoke_test

benchmark-image-size: images ## Sizes of both images
	$(BIN)/python -m benchmarks.image_size

clean: ## Remove what the other targets made, but not .venv
	rm -rf build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
