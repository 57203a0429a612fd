"""What stands around each real run: one at a time in a folder, after what a killed one left."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from nnrd.core.program import one_line_errors
from nnrd.core.scratch import named
from nnrd.workflow import recovery, runs


def guard(workflow: Any) -> None:
    """Put `under_way` around what executes a workflow of Snakemake's.

    A Snakefile is read before Snakemake knows whether it is to run anything (a dry run, a report, a
    job's own process); what it calls once it does, ``onstart``, comes after its lock. Between them
    is this method alone. A workflow that includes nnrd's rules twice is guarded once.
    """
    execute: Callable[..., Any] = workflow.execute
    if hasattr(execute, "__wrapped__"):
        return

    @wraps(execute)
    def guarded(executor_plugin: Any, **settings: Any) -> Any:
        how = executor_plugin.common_settings
        is_real = workflow.is_main_process and not (how.dryrun_exec or how.touch_exec)
        if not (is_real and workflow.execution_settings.lock):  # --nolock asks for none
            return execute(executor_plugin=executor_plugin, **settings)
        if how.local_exec:
            # Jobs write under final names what is complete: what Snakemake did not see the end of
            # is made again, asked for or not.
            workflow.dag_settings.force_incomplete = True
        with under_way(runs.LOCAL if how.local_exec else executor_plugin.name):
            return execute(executor_plugin=executor_plugin, **settings)

    workflow.execute = guarded


@contextmanager
def under_way(executor: str) -> Iterator[None]:
    """Have this folder alone, put right first; end the process in one line where it cannot."""
    with one_line_errors(), named(Path.cwd()), runs.alone(Path()):
        said = recovery.recover(Path())
        if said:
            print(said, file=sys.stderr, flush=True)
        run = runs.this(executor)
        runs.begin(run)
        try:
            yield
        finally:
            runs.end(run)
