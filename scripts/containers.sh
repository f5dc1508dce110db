#!/usr/bin/env bash
# Lints what packages and runs Holdfast elsewhere: the Dockerfile, compose.yaml, the devcontainer, the hosted workflows.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${TOOLS:?run me through make}"

if [ -x "$TOOLS/python/bin/hadolint" ]; then
    "$TOOLS/python/bin/hadolint" Dockerfile
else
    echo "SKIPPED: hadolint is not installed, the Dockerfile is not linted" >&2
fi

if command -v actionlint >/dev/null; then
    actionlint .github/workflows/*.yml
else
    echo "SKIPPED: actionlint is not installed, the workflows are not linted" >&2
fi

if command -v compose-go >/dev/null; then
    # The Compose specification's own reader: keys and values.
    compose-go compose.yaml >/dev/null
else
    echo "SKIPPED: compose-go is not installed, compose.yaml is not read" >&2
fi

# The image is built with the compiler that everybody uses.
rust=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)
grep -qx "ARG RUST_VERSION=$rust" Dockerfile || { echo "the Dockerfile's RUST_VERSION is not $rust" >&2; exit 1; }
echo "containers: ok"
