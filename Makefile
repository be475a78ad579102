# Each of these is one command for a newcomer: it brings up what it needs, and says what it does.
# Debian 12 or newer, root, and a Rust toolchain; the rest is fetched by tests/engine.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PLATFORMS := linux/386,linux/amd64,linux/arm/v5,linux/arm/v7,linux/arm64/v8,linux/mips64le,linux/ppc64le,linux/s390x
# Expands to the engine's environment, or ends the recipe.
ENGINE = environment=$$(tests/engine up $(1)); export $$environment

# The image of `make frontend-image`, and how it is compiled: dist, which is the smallest; release and dev take less time.
FRONTEND := localhost:5000/solvekit/frontend:latest
PROFILE := dist
HOST_TARGET = $(shell rustc -vV | sed -n 's/^host: //p')
SMALL = $(shell packaging/flags $(HOST_TARGET))
STATIC = $(shell packaging/flags $(HOST_TARGET) static)

.PHONY: help demo dist package test bench frontend-image clean

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

demo: ## build examples/hello for eight platforms on a real BuildKit and push it to a real registry
	cargo build --release --locked
	@$(call ENGINE); set -x; target/release/solvekit build --platform $(PLATFORMS) \
	  -t localhost:5000/demo/hello:latest -t localhost:5000/demo/hello:1.0 --push examples/hello
	@echo; echo "What the registry has now:"; \
	  curl -fsS -H 'Accept: application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json' http://localhost:5000/v2/demo/hello/manifests/latest

dist: ## compile the command with the profile of a release: target/dist/solvekit
	RUSTFLAGS="$(SMALL)" cargo build --locked --profile dist --bin solvekit

package: ## pack the command, compiled statically, as a release has it: target/packages
	RUSTFLAGS="$(STATIC)" cargo build --locked --bin solvekit --target $(HOST_TARGET) --profile $(PROFILE)
	packaging/archive $(HOST_TARGET) target/$(HOST_TARGET)/$(patsubst dev,debug,$(PROFILE))/solvekit

test: ## run all tests, against the same parts
	@$(call ENGINE,golang second compose); set -x; cargo test --locked --workspace

bench: dist ## the pure core's benchmarks, then solvekit against docker-buildx side by side
	cargo bench --locked
	@$(call ENGINE); benches/against_buildx

frontend-image: ## compile solvekit statically, and build and push it as a frontend image for `# syntax=`
	RUSTFLAGS="$(STATIC)" cargo build --locked --bin solvekit --target $(HOST_TARGET) --profile $(PROFILE)
	rm -rf target/frontend; mkdir -p target/frontend
	strip -o target/frontend/solvekit target/$(HOST_TARGET)/$(patsubst dev,debug,$(PROFILE))/solvekit
	@$(call ENGINE); set -x; target/frontend/solvekit build -f frontend/Dockerfile -t $(FRONTEND) --push target/frontend

clean: ## end the engine and the registries and delete their folder
	tests/engine clean
