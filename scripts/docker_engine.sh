#!/usr/bin/env bash
# Make sure that a Docker engine runs, and print the client to use with it.
#
# Debian's engine is installed when the machine has none, and started when it does not run.
set -euo pipefail
HERE=$(dirname "$0")

answers() {
    "$("$HERE/docker_client.sh")" version > /dev/null 2>&1
}

if ! answers; then
    if [ ! -x "$(command -v dockerd)" ]; then
        export DEBIAN_FRONTEND=noninteractive
        apt-get update --quiet=2 >&2
        apt-get install --yes --quiet=2 --no-install-recommends docker.io debootstrap iptables iproute2 > /dev/null
    fi
    LOG=$(mktemp -t dockerd-XXXXXX.log)
    setsid dockerd > "$LOG" 2>&1 < /dev/null &
    for _ in $(seq 150); do
        if answers; then break; fi
        sleep 0.2
    done
    if ! answers; then
        echo "the Docker engine did not start within 30 s; its log ends:" >&2
        tail -n 30 "$LOG" >&2
        exit 1
    fi
    # The bridge takes the lowest address of its containers, unless it has one of its own. When another container
    # comes or goes it changes then, and the rest send their answers to the old one: a request waits for a minute.
    if [ "$(cat /sys/class/net/docker0/addr_assign_type)" != 3 ]; then
        ip link set dev docker0 address 02:42:00:00:00:01
    fi
fi
"$HERE/docker_client.sh"
