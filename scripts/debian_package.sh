#!/usr/bin/env bash
# Make sure that a program is here which some tests need, and print its path.
#
#   scripts/debian_package.sh PACKAGE PROGRAM...
#
# Any of the programs will do. Without one Debian's package is installed, as root or in CI; otherwise this says what
# is missing and fails.
set -euo pipefail
package=$1
shift

found() {
    for program in "$@"; do
        command -v "$program" && return
    done
    return 1
}

found "$@" && exit 0
if [ "$(id -u)" = 0 ]; then
    sudo=
elif [ -n "${CI:-}" ]; then
    sudo="sudo -n"
else
    echo "some tests need $1: apt-get install $package" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update --quiet=2 >&2
$sudo apt-get install --yes --quiet=2 --no-install-recommends "$package" > /dev/null
found "$@"
