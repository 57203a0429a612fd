#!/usr/bin/env python3
"""Print success, failed or running for a SLURM job: what Snakemake's cluster-generic asks.

The controller answers from its memory, so that no accounting is needed; it forgets a job
MinJobAge seconds after its end.
"""

import re
import subprocess
import sys

FAILED = {"BOOT_FAIL", "CANCELLED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"}

shown = subprocess.run(
    ["scontrol", "--oneliner", "show", "job", sys.argv[1]], capture_output=True, text=True
)
state = re.search(r"JobState=(\w+)", shown.stdout)
if state is None:
    # Without its controller for a moment, or a job that it has forgotten.
    print("running" if "Unable to contact" in shown.stderr else "failed")
elif state[1] == "COMPLETED":
    print("success")
else:
    print("failed" if state[1] in FAILED else "running")
