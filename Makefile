# Everything a person needs is a target here; each installs what it needs first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help install demo screenshot browser web java android arm64 test test-android test-metadata test-arm64 test-slow bench-sizes bench-peers bench-proof bench-web schema check format wheel clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

install: $(VENV)/installed  ## make .venv with the package (editable) and its developer tools

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: install  ## the main job on the embedded synthetic lesions: train, compile, prove, report
	$(BIN)/melanoma-edge build --target tflite --data synthetic --arch meshnet --output artifacts/demo

screenshot: demo browser  ## draw docs/report.png from the demo's report, and docs/demo.png from a web bundle's page
	$(BIN)/python benchmarks/screenshot.py artifacts/demo docs/report.png
	$(BIN)/melanoma-edge compile --onnx tests/networks/meshnet_synthetic.onnx --target web --heat-map --output artifacts/demo_page
	$(BIN)/python benchmarks/demo_screenshot.py artifacts/demo_page docs/demo.png

browser:  ## install Debian's chromium and the Node packages that the browser tests need
	sh scripts/browser.sh

web: browser  ## compile the TypeScript of web/ into the package that `--target web` fills in
	cd web && npm run --silent check && npm run --silent build

java:  ## install Debian's JDK 17, JUnit and JNA, which the Java tests need
	sh scripts/android.sh

android: install java  ## compile the Java of android/ into the library that `--target android` fills in
	$(BIN)/python scripts/compile_java.py melanoma_edge/targets/aar

arm64: install  ## fetch qemu and what runs in it: Debian's Python for arm64, aarch64 wheels, a cross compiler
	PYTHON=$(abspath $(BIN)/python) sh scripts/arm64.sh

test: install browser java arm64  ## the fast tests, in a browser, on a JVM, on emulated ARM64; JOBS=2: in two processes
	$(if $(JOBS),OMP_NUM_THREADS=1) $(BIN)/pytest $(if $(JOBS),-n $(JOBS) --dist loadgroup)

test-android: install java  ## the Android library: its Java on a JVM with the real network, and its bytes
	$(BIN)/pytest tests/android

test-arm64: install arm64  ## the files on emulated ARM64 cores, from Python and from C
	$(BIN)/pytest -m 'slow or not slow' tests/arm64 tests/verify/test_arm64.py tests/runtime/test_other_interpreters.py

test-slow: install  ## what takes minutes or needs an optional package
	$(BIN)/pytest -m slow

READERS := .venv-readers

$(READERS)/installed:
	$(PYTHON) -m venv $(READERS)
	$(READERS)/bin/python -m pip install --quiet --disable-pip-version-check tflite-support==0.4.4 mediapipe==1.2.3 'numpy<2'
	touch $@

test-metadata: install $(READERS)/installed  ## TFLite Metadata as the Task Library and MediaPipe read it (700 MB)
	$(BIN)/pytest tests/export/tflite/test_metadata.py

bench-sizes: install  ## bytes of every backbone's INT8 file, beside litert-torch's
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[peers]'
	$(BIN)/python benchmarks/sizes.py

MEAN ?= 127.5
PACKAGES ?= $(wildcard artifacts/*/web/*.tgz)
NETWORKS ?= $(wildcard ../shared/networks/*.onnx)
DATA ?= ham10000:../shared/data/ham10000

ONNX2TF := .venv-onnx2tf

$(ONNX2TF)/installed:
	$(PYTHON) -m venv $(ONNX2TF)
	$(ONNX2TF)/bin/python -m pip install --quiet --disable-pip-version-check onnx2tf==1.29.24
	touch $@

bench-peers: install $(ONNX2TF)/installed  ## our recipes beside other converters on NETWORKS, with the images of DATA
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[peers,nncf]'
	$(BIN)/python benchmarks/against_peers.py $(NETWORKS) --data $(DATA) --mean $(MEAN) --std $(MEAN)
	$(BIN)/python benchmarks/peers_table.py

bench-web: install browser  ## latency, cold start and bytes of PACKAGES (npm tarballs) in Chromium
	$(BIN)/python benchmarks/web_tables.py $(PACKAGES)
	$(BIN)/python benchmarks/web_tables.py --published --runs 5

bench-proof: install  ## memory of verifying 10,000 images, seconds of 1,000,000 predictions
	$(BIN)/python benchmarks/many_images.py
	$(BIN)/python benchmarks/million.py

schema: install  ## write the JSON Schemas of report.json and policy.json anew
	$(BIN)/python -m melanoma_edge.report.schemas

check: install  ## lint, format, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install  ## rewrite the sources in the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: install  ## build dist/*.whl
	$(BIN)/python -m build --wheel

clean:  ## remove what can be made again
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
