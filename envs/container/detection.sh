#!/bin/sh
# The detection study, in a container: detection.sh [OPTIONS OF DOCKER, such as --gpus all]
exec "$(dirname "$0")/study.sh" demo "$@"
