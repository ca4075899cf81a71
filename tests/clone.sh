#!/bin/bash
# What the README promises, from a fresh clone: quickstart in its ways, then the README's own commands.
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d /tmp/sluice-clone.XXXXXX)
trap 'rm -rf "$dir"' EXIT
git clone -q . "$dir/sluice"
cd "$dir/sluice"
export CCACHE_BASEDIR=$dir/sluice
./packaging/quickstart --once --rows 50000
bash tests/quickstart.sh
bash tests/readme.sh
