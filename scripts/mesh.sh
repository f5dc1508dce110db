#!/usr/bin/env bash
# The services apart: one process each, two replicas of the stock, mutual TLS between them, events over Apache Kafka,
# one PostgreSQL.
#
#   scripts/mesh.sh up     on http://127.0.0.1:8080 until Ctrl-C, data in data/; its Kafka is not that of `make kafka`
#   scripts/mesh.sh drop   a product drop through it, from nothing, and everything gone again
set -euo pipefail
cd "$(dirname "$0")/.."

holdfast="${CARGO_TARGET_DIR:-target}/release/holdfast"
case "${1:-up}" in
up)
    folder=data http=127.0.0.1:8080 ports=(--ports 9192,9193)
    ;;
drop)
    folder=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-mesh-XXXXXX")
    chmod 755 "$folder" # started by root, PostgreSQL runs as somebody else and must get in
    free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
    http=127.0.0.1:$(free) ports=(--ports "$(free),$(free)")
    ;;
*)
    sed -n '2,6s/^# \?//p' "$0"
    exit 2
    ;;
esac

pid=
finish() {
    if [ -n "$pid" ]; then
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    fi
    scripts/kafka.sh stop --data-dir "$folder/mesh-kafka" >/dev/null || true
    [ "$folder" = data ] || rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

mkdir -p "$folder"
bus=$(scripts/kafka.sh start --data-dir "$folder/mesh-kafka" "${ports[@]}" | tail -n 1)
"$holdfast" dev-certs --out "$folder/certs" >/dev/null
if [ "$folder" = data ]; then
    "$holdfast" mesh --data-dir "$folder" --http "$http" --bus "$bus" --certs "$folder/certs" &
    pid=$!
    wait "$pid"
    exit
fi
"$holdfast" mesh --json --data-dir "$folder" --http "$http" --bus "$bus" --certs "$folder/certs" \
    >"$folder/ready" 2>"$folder/log" &
pid=$!
until grep -q '"ready"' "$folder/ready"; do
    kill -0 "$pid" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
    sleep 0.05
done
database=$(sed -n 's/.*"databaseUrl":"\([^"]*\)".*/\1/p' "$folder/ready")
echo "the mesh is up: REST http://$http, events over $bus"
"$holdfast" drop --via rest --http "http://$http" --database-url "$database" --report "$folder/report.html" \
    --sku HOODIE-DROP-M --units 500 --shoppers 2000 --concurrency 256
echo "the last of the orders' events, as Kafka has them:"
"$holdfast" events tail --topic orders --bus "$bus" --database-url "$database" --from beginning --once | tail -n 2
