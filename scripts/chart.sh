#!/usr/bin/env bash
# Checks the chart: lint, golden renders, the schemas of Kubernetes and of the custom resources, kube-score, values that
# must be refused, its values table in the docs, dashboards, and alerts (promtool). `scripts/chart.sh golden` writes the golden renders anew.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${TOOLS:?run me through make}"
chart=helm/holdfast
tests=helm/tests
# The oldest Kubernetes the chart says it runs on, and the newest with published schemas.
KUBERNETES_VERSIONS=(1.27 1.37)

if ! command -v helm >/dev/null; then
    echo "SKIPPED: helm is not installed, the chart is not checked" >&2
    exit 0
fi
renders=$(mktemp -d)
trap 'rm -rf "$renders"' EXIT

# Takes the name of a file in helm/tests/values, and further arguments of helm.
render() {
    local name=$1 ha=()
    shift
    [ "$name" = ha ] && ha=(--values "$chart/values-ha.yaml")
    helm template holdfast "$chart" --namespace shop "${ha[@]}" --values "$tests/values/$name.yaml" "$@"
}

check_golden() {
    if [ "${1:-}" = golden ]; then
        cp "$renders/$name.yaml" "$tests/golden/$name.yaml"
    elif ! diff -u "$tests/golden/$name.yaml" "$renders/$name.yaml"; then
        echo "the render of $name is not the golden one: where it should change, make chart-golden, and read the diff" >&2
        exit 1
    fi
}

validate() {
    if [ -x "$TOOLS/python/bin/kubernetes-validate" ]; then
        for version in "${KUBERNETES_VERSIONS[@]}"; do
            # Warnings say that a custom resource is not Kubernetes' own.
            "$TOOLS/python/bin/kubernetes-validate" --strict --quiet --no-warn -k "$version" "$1"
        done
    else
        echo "SKIPPED: kubernetes-validate is not installed" >&2
    fi
}

validate_custom_resources() {
    if [ -d "$TOOLS/chart/node_modules" ]; then
        node "$tests/render.mjs" "$TOOLS/chart" "$chart" <"$1"
    else
        echo "SKIPPED: the custom resources' schemas are not installed" >&2
    fi
}

score() {
    if command -v kube-score >/dev/null; then
        local ignored=()
        while IFS=: read -r test _; do ignored+=(--ignore-test "$test"); done < <(grep -v '^#' "$tests/kube-score.ignored")
        kube-score score --exit-one-on-warning --ignore-container-cpu-limit "${ignored[@]}" --output-format ci "$1" \
            >"$renders/score" || { grep -vE '^\[(OK|SKIPPED)' "$renders/score" >&2; exit 1; }
    else
        echo "SKIPPED: kube-score is not installed" >&2
    fi
}

# Every file in helm/tests/bad is refused, with the words of its first line.
check_refusals() {
    for bad in "$tests"/bad/*.yaml; do
        local wanted
        wanted=$(sed -n '1s/^# refused: //p' "$bad")
        if helm template holdfast "$chart" --values "$bad" >"$renders/refusal" 2>&1; then
            echo "$bad is not refused" >&2
            exit 1
        fi
        grep -qF "$wanted" "$renders/refusal" || { echo "$bad: not refused for \"$wanted\":" >&2; cat "$renders/refusal" >&2; exit 1; }
    done
}

for values in "$chart/values.yaml" "$chart/values-ha.yaml"; do
    helm lint --strict --quiet "$chart" --values "$values"
done
for values in "$tests"/values/*.yaml; do
    name=$(basename "$values" .yaml)
    render "$name" >"$renders/$name.yaml"
    check_golden "${1:-}"
    validate "$renders/$name.yaml"
    score "$renders/$name.yaml"
    # Rules and dashboards are too large to be golden: they are compared with their files.
    render "$name" --set monitoring.rules.enabled=true,monitoring.dashboards.enabled=true >"$renders/all"
    validate "$renders/all"
    validate_custom_resources "$renders/all"
done
check_refusals
if command -v python3 >/dev/null; then
    python3 scripts/values-table.py --check
    python3 -B scripts/dashboards --check
else
    echo "SKIPPED: no Python: the dashboards, and the table of values in the docs, are not checked" >&2
fi
if command -v promtool >/dev/null; then
    promtool check rules "$chart"/rules/*.yaml >"$renders/rules" || { cat "$renders/rules" >&2; exit 1; }
    promtool test rules "$tests"/rules/*.yaml >"$renders/rules" || { cat "$renders/rules" >&2; exit 1; }
else
    echo "SKIPPED: promtool is not installed, the alerts are not tested" >&2
fi
helm template holdfast "$chart" --values "$chart/examples/cloudnative-pg-values.yaml" >/dev/null
echo "chart: ok"
