#!/usr/bin/env bash
# Installs what `make check` and `make test` use, into one folder under the user's cache. What cannot be installed for
# want of its language is said, and its check is skipped, loudly.
set -euo pipefail

: "${TOOLS:?run me through make}"
DENY_VERSION=0.20.2
BUF_VERSION=1.72.0
GRPCURL_VERSION=v1.9.3

mkdir -p "$TOOLS/bin"

if ! command -v cargo-deny >/dev/null; then
    echo "installing cargo-deny $DENY_VERSION (once)"
    CARGO_TARGET_DIR="$TOOLS/build" cargo install --quiet --locked --root "$TOOLS" "cargo-deny@$DENY_VERSION" --no-default-features
    rm -rf "$TOOLS/build"
fi

if ! command -v buf >/dev/null; then
    if command -v npm >/dev/null; then
        echo "installing buf $BUF_VERSION (once)"
        npm install --silent --no-fund --no-audit --prefix "$TOOLS/buf" "@bufbuild/buf@$BUF_VERSION" >/dev/null
        ln -sf "$TOOLS/buf/node_modules/.bin/buf" "$TOOLS/bin/buf"
    else
        echo "SKIPPED: no npm to install buf with: the contracts are not linted" >&2
    fi
fi

if ! command -v grpcurl >/dev/null; then
    if command -v go >/dev/null; then
        echo "installing grpcurl $GRPCURL_VERSION (once)"
        GOBIN="$TOOLS/bin" GOFLAGS=-modcacherw go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$GRPCURL_VERSION"
    else
        echo "SKIPPED: no Go to install grpcurl with: its part of the README is not tested" >&2
    fi
fi
