#!/usr/bin/env bash
# Lints the contracts with buf (proto/buf.yaml says which rules bend and why).
set -euo pipefail
if ! command -v buf >/dev/null; then
    echo "SKIPPED: buf is not installed, the contracts are not linted" >&2
    exit 0
fi
cd "$(dirname "$0")/../proto"
buf lint
