#!/usr/bin/env bash
# A shop from nothing: a private PostgreSQL, the demo catalogue, a drop of 500 units to 2,000 shoppers, the audit.
set -euo pipefail
cd "$(dirname "$0")/.."

holdfast="${CARGO_TARGET_DIR:-target}/release/holdfast"
folder=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-demo-XXXXXX")
chmod 755 "$folder" # started by root, PostgreSQL runs as somebody else and must get in
pid=

finish() {
    if [ -n "$pid" ]; then
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

"$holdfast" up --json --data-dir "$folder/data" --http 127.0.0.1:0 --grpc 127.0.0.1:0 \
    >"$folder/ready" 2>"$folder/log" &
pid=$!
until grep -q '"ready"' "$folder/ready"; do
    kill -0 "$pid" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
    sleep 0.05
done
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$folder/ready"; }
grpc=$(field grpc) database=$(field databaseUrl)
echo "everything is up: REST $(field http), gRPC $grpc"

echo
echo "== the demo catalogue, with the traps of real exports (demo/README.md) =="
# Exit code 2 says that some rows were rejected: the demo files have rows that must be.
"$holdfast" import --grpc "$grpc" --rejects-dir "$folder" demo/*.csv || [ $? -eq 2 ]

echo
echo "== a drop: 500 units, 2,000 shoppers, 256 at a time, some decline, some walk away =="
"$holdfast" drop --grpc "$grpc" --database-url "$database" --report drop-report.html \
    --sku HOODIE-DROP-M --units 500 --shoppers 2000 --concurrency 256
