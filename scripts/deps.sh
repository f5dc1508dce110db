#!/usr/bin/env bash
# Installs PostgreSQL's server programs where they are missing. They are all Holdfast needs beside Rust.
set -euo pipefail

has_server() { [ -x "$1/initdb" ] && [ -x "$1/postgres" ]; }

if [ -n "${HOLDFAST_PG_BIN:-}" ]; then
    has_server "$HOLDFAST_PG_BIN" && exit 0
    echo "HOLDFAST_PG_BIN is $HOLDFAST_PG_BIN, but initdb and postgres are not there" >&2
    exit 1
fi
for bin in /usr/lib/postgresql/*/bin; do
    has_server "$bin" && exit 0
done
if found=$(command -v postgres); then
    has_server "$(dirname "$found")" && exit 0
fi

if ! command -v apt-get >/dev/null; then
    cat >&2 <<'MESSAGE'
Holdfast needs PostgreSQL's server programs (version 15 or newer) and knows how to install them only with apt.
Install them with this system's own package manager, e.g.
    dnf install postgresql-server · pacman -S postgresql · brew install postgresql@17
and, where initdb and postgres are not on PATH, set HOLDFAST_PG_BIN to their folder.
MESSAGE
    exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "PostgreSQL's server programs are missing and this user may not install them. As root:" >&2
        echo "    apt-get install postgresql" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "installing PostgreSQL's server programs (apt-get install postgresql)"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
# Holdfast runs a server of its own: the package need not start one beside it.
"${as_root[@]}" apt-get install -y -qq postgresql-common >/dev/null
conf=/etc/postgresql-common/createcluster.conf
if [ -f "$conf" ]; then
    "${as_root[@]}" sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' "$conf"
fi
"${as_root[@]}" apt-get install -y -qq postgresql >/dev/null
