#!/usr/bin/env bash
# Gets Prometheus and promtool where they are missing: unpacked from Debian's package into the tools' folder, so that
# nothing is installed for the whole machine and no service is started. What cannot be had is said, and skipped, loudly.
set -euo pipefail

: "${TOOLS:?run me through make}"

command -v prometheus >/dev/null && command -v promtool >/dev/null && exit 0
skip() {
    echo "SKIPPED: $*: the alerts are not tested, the dashboards not tried" >&2
    exit 0
}

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || skip "no apt to get Prometheus with"
arriving=$(mktemp -d)
trap 'rm -rf "$arriving"' EXIT
cd "$arriving"
echo "unpacking Prometheus (once)"
if ! apt-get download -qq prometheus 2>/dev/null; then
    # The lists of packages may be missing or old; renewing them needs root.
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || skip "no package of Prometheus and no root to look for it"
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -qq || skip "no lists of packages"
    apt-get download -qq prometheus || skip "no package of Prometheus"
fi
dpkg-deb --extract prometheus_*.deb unpacked
mkdir -p "$TOOLS/bin"
mv unpacked/usr/bin/prometheus unpacked/usr/bin/promtool "$TOOLS/bin/"
