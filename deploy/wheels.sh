#!/bin/sh
# Every wheel that the node needs, into deploy/wheels, for the Python of the container (on a machine with a network).
# Takes them to an offline machine: copy the folder deploy/.
#   PYTHON_VERSION=3.12 PLATFORM=manylinux_2_28_x86_64 sh deploy/wheels.sh
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}
PYTHON_VERSION=${PYTHON_VERSION:-3.12}
PLATFORM=${PLATFORM:-manylinux_2_28_x86_64}
rm -rf deploy/wheels
mkdir -p deploy/wheels
"$PYTHON" -m pip wheel --quiet --no-deps --wheel-dir deploy/wheels .
# the older tags too: many wheels are built for an older Linux than the newest that the container has
"$PYTHON" -m pip download --quiet --only-binary=:all: --dest deploy/wheels --python-version "$PYTHON_VERSION" \
  --platform "$PLATFORM" --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
  --platform manylinux_2_5_x86_64 --platform manylinux1_x86_64 --platform any \
  --find-links deploy/wheels 'livermre[node]'
ls deploy/wheels
