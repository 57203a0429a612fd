#!/bin/sh
# A study in a container: study.sh STUDY [OPTIONS OF DOCKER]. Results are in the volume nnrd-work,
# what was fetched in nnrd-cache; both stay. DOCKER=podman takes that instead.
set -eu
study=$1
shift
# By its name a run in the next container knows that an earlier one was killed.
exec "${DOCKER:-docker}" run --rm --init --hostname nnrd \
    --volume nnrd-work:/work --volume nnrd-cache:/cache "$@" "${IMAGE:-nnrd}" --config run="[$study]"
