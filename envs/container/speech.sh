#!/bin/sh
# The speech study, in a container: speech.sh [OPTIONS OF DOCKER, such as --gpus all]
exec "$(dirname "$0")/study.sh" speech "$@"
