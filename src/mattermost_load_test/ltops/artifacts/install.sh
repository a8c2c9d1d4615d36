#!/bin/sh
# install.sh [FOLDER]: installs loadtest, ltparse and ltops into a virtual environment (default: ./venv), offline.
# Needs a CPython that bundle.json names; takes the first of python3 and python3.x that is one. PYTHON names another.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${1:-$here/venv}
pythons=$(tr -d ' \n"' < "$here/bundle.json" | sed 's/.*pythons:\[\([^]]*\)\].*/\1/' | tr ',' ' ')

fits() {
    command -v "$1" > /dev/null 2>&1 || return 1
    has=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || return 1
    for python in $pythons; do [ "$has" = "$python" ] && return 0; done
    return 1
}

found=
for candidate in ${PYTHON:-python3 $(for python in $pythons; do echo "python$python"; done)}; do
    if fits "$candidate"; then found=$candidate; break; fi
done
if [ -z "$found" ]; then
    echo "install.sh: this bundle is for Python $pythons; this host has $( ("${PYTHON:-python3}" --version || echo "no ${PYTHON:-python3}") 2>&1). Make one for it: make package PYTHONS=3.x" >&2
    exit 2
fi
rm -rf "$venv"
"$found" -m venv --without-pip "$venv"
pip=$(echo "$here"/wheels/pip-*.whl)
"$venv/bin/python" "$pip/pip" install --quiet --no-index --find-links "$here/wheels" mattermost-load-test
"$venv/bin/loadtest" --version
