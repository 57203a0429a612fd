"""Snakemake with one change: SLURM is asked for its jobs each second.

The plug-in waits ten seconds more each time that no job has ended, so that jobs of two seconds in
five levels take two minutes of waiting.
"""

import asyncio
from typing import Any

import snakemake_executor_plugin_slurm as slurm
from snakemake.cli import main


async def sleep(executor: Any) -> None:
    """Wait one second, whatever the executor would wait."""
    del executor
    await asyncio.sleep(1)


slurm.Executor.sleep = sleep

if __name__ == "__main__":
    main()
