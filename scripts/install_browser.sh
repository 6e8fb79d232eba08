#!/usr/bin/env bash
# Make sure that a Chromium is here, for the tests that look at an HTML report as a reader does, and print its path.
# Installs Debian's package as root or in CI; otherwise says what is missing and fails.
set -euo pipefail

browser() {
    command -v chromium || command -v google-chrome || command -v chromium-browser
}

browser && exit 0
if [ "$(id -u)" = 0 ]; then
    sudo=
elif [ -n "${CI:-}" ]; then
    sudo="sudo -n"
else
    echo "the HTML report can't be looked at without Chromium: apt-get install chromium" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update --quiet=2 >&2
$sudo apt-get install --yes --quiet=2 --no-install-recommends chromium > /dev/null
browser
