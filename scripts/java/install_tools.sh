#!/usr/bin/env bash
# Make sure that what builds, checks and tests the Java sources is here: javac 17, Eclipse's compiler and JUnit 5.
# Installs Debian's packages as root or in CI; otherwise says which are missing and fails.
set -euo pipefail

missing=()
javac -version 2>&1 | grep -q '^javac 17\.' || missing+=(openjdk-17-jdk-headless)
command -v ecj > /dev/null || missing+=(ecj)
[ -e /usr/share/java/junit-platform-console-standalone.jar ] || missing+=(junit5)
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ]; then
    sudo=
elif [ -n "${CI:-}" ]; then
    sudo="sudo -n"
else
    echo "the Java sources can't be checked without javac 17, ecj and JUnit 5: apt-get install ${missing[*]}" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update --quiet=2
$sudo apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}" > /dev/null
javac -version 2>&1 | grep -q '^javac 17\.' || {
    echo "javac 17 is installed, but the first javac on the PATH is another: $(javac -version 2>&1)" >&2
    exit 1
}
