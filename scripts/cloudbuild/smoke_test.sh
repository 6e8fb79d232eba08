#!/usr/bin/env bash
# Serve FOLDER/model.mar in an image, ask it from another container, and stop it.
#
#   scripts/cloudbuild/smoke_test.sh IMAGE FOLDER
set -euo pipefail
IMAGE=$1 FOLDER=$2
HERE=$(dirname "$0")
NAME=smoke-test-$$-$RANDOM
SERVER='' CLIENT=''
echo "$NAME"

remove() {
    docker rm --force --volumes $SERVER $CLIENT > /dev/null
    docker network rm "$NAME" > /dev/null
}
docker network create --internal "$NAME" > /dev/null
trap remove EXIT

# The way a strict platform runs it; read-only it can't be, for `docker cp` must bring the archive in.
SERVER=$(docker create --name "$NAME" --network "$NAME" --user 54321:0 \
    --cap-drop ALL --security-opt no-new-privileges "$IMAGE")
docker cp "$FOLDER" "$SERVER:/mnt/models"
docker start "$SERVER" > /dev/null
CLIENT=$(docker create --network "$NAME" --entrypoint python "$IMAGE" /tmp/smoke_client.py "http://$NAME:8080")
docker cp "$HERE/smoke_client.py" "$CLIENT:/tmp/smoke_client.py"
if ! docker start --attach "$CLIENT"; then
    echo "the server's log:" >&2
    docker logs "$SERVER" >&2
    exit 1
fi
docker stop --time 30 "$SERVER" > /dev/null
CODE=$(docker wait "$SERVER")
echo "stopped with exit code $CODE"
[ "$CODE" = 0 ] || [ "$CODE" = 143 ]
