# Each of these is one command for a newcomer: it brings up what it needs, and says what it does.
# Debian 12 or newer, root, and a Rust toolchain; the rest is fetched by tests/engine.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PLATFORMS := linux/386,linux/amd64,linux/arm/v5,linux/arm/v7,linux/arm64/v8,linux/mips64le,linux/ppc64le,linux/s390x
# Expands to the engine's environment, or ends the recipe.
ENGINE = environment=$$(tests/engine up $(1)); export $$environment

.PHONY: help demo test bench clean

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## build examples/hello for eight platforms on a real BuildKit and push it to a real registry
	cargo build --release --locked
	@$(call ENGINE); set -x; target/release/solvekit build --platform $(PLATFORMS) \
	  -t localhost:5000/demo/hello:latest -t localhost:5000/demo/hello:1.0 --push examples/hello
	@echo; echo "What the registry has now:"; \
	  curl -fsS -H 'Accept: application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json' http://localhost:5000/v2/demo/hello/manifests/latest

test: ## run all tests, against the same parts
	@$(call ENGINE,golang); set -x; cargo test --locked

bench: ## the pure core's benchmarks, then solvekit against docker-buildx side by side
	cargo build --release --locked
	cargo bench --locked
	@$(call ENGINE); benches/against_buildx

clean: ## end the engine and the registries and delete their folder
	tests/engine clean
