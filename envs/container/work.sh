#!/bin/sh
# In the container: the workflow in the volume /work. Its config/ is the checkout's at the first run,
# and yours to edit from then on. Arguments are Snakemake's.
set -eu
cd /work
[ -d config ] || cp -r /nnrd/config config
exec snakemake --snakefile /nnrd/Snakefile \
    --workflow-profile /nnrd/workflow/profiles/default "$@"
