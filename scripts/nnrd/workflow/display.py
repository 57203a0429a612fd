"""What a person sees of a run: one live display, or plain lines where there is no terminal."""

import logging
import os
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from nnrd.workflow.progress import Job, Progress, duration

PERIOD = 10.0  # seconds between two plain lines
LINES = 8  # running jobs that a terminal shows
# What Snakemake says once more when a run ends that failed; the jobs' own words are there by then.
ECHOES = ("WorkflowError:\nAt least one job did not complete", "Exiting because a job execution")
NOTHING = "Nothing to be done"
LOG = "Complete log(s): "


class Display:
    """Shows the records of Snakemake's logger on standard error.

    On a terminal: how many points and jobs of all are done, how long it takes yet, and what runs
    now with the last line of its log. Elsewhere a plain line every ten seconds. Each mistake is
    shown once, with the log that has more; the whole of what Snakemake says is in its own log.
    """

    def __init__(self, console: Console | None = None, progress: Progress | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self.progress = progress or Progress()
        self.live = Live(
            get_renderable=self.render, console=self.console, transient=True, refresh_per_second=4
        )
        self.told = self.progress.clock()

    def take(self, record: logging.LogRecord) -> None:
        """Take a record: an event of a job's, or words."""
        event = getattr(record, "event", None)
        handler = getattr(self, f"on_{event}", None) if event else None
        if handler:
            handler(record)
        elif record.levelno >= logging.WARNING or NOTHING in record.getMessage():
            self.say(record.getMessage())
        elif record.getMessage().startswith(LOG):
            self.finish(record.getMessage().removeprefix(LOG))
        self.tell()

    def on_run_info(self, record: Any) -> None:
        """Begin: the jobs of each rule are known."""
        self.progress.plan(record.stats)
        if self.console.is_terminal:
            self.live.start()
        else:
            self.console.print(self.progress.headline())

    def on_job_info(self, record: Any) -> None:
        """Take a job that starts."""
        name = " ".join(f"{value}" for value in dict(record.wildcards).values())
        self.progress.start(record.jobid, record.rule_name, name, record.log)

    def on_job_finished(self, record: Any) -> None:
        """Take a job that is done."""
        self.progress.finish(record.job_id)

    def on_job_error(self, record: Any) -> None:
        """Say once what a job failed of: its own last line, and where its log is."""
        job = self.progress.fail(record.jobid)
        if job is not None:
            self.say(mistake(job))

    def on_group_error(self, record: Any) -> None:
        """Say once what several jobs that a cluster runs as one failed of: what was said last."""
        numbers = [info["jobid"] for info in record.job_error_info]
        jobs = [job for job in map(self.progress.fail, numbers) if job is not None]
        if jobs:
            self.say(mistake(max(jobs, key=Job.spoke_at)))

    def on_error(self, record: Any) -> None:
        """Say what is wrong with the workflow itself; a failed job has had its line."""
        if record.exception != "RuleException":
            self.say(record.getMessage())

    def say(self, words: str) -> None:
        """Print what has to stay on the screen."""
        if not (self.progress.failed and words.startswith(ECHOES)):
            self.console.print(words, markup=False)

    def tell(self) -> None:
        """Print a plain line where there is no terminal, now and then."""
        now = self.progress.clock()
        if self.console.is_terminal or not self.progress.running or now - self.told < PERIOD:
            return
        self.told = now
        rules = dict.fromkeys(job.rule for job in self.progress.running.values())
        self.console.print(f"{self.progress.headline()}; now: {', '.join(rules)}", markup=False)

    def finish(self, log: str) -> None:
        """Say how the run ended, and where all that was said of it is."""
        self.close()
        self.console.print(self.progress.headline(), markup=False)
        for job in self.progress.failed.values():
            self.console.print(f"failed: {job.rule} {job.name}", markup=False)
        self.console.print(f"log of the run: {_relative(log)}", markup=False)

    def close(self) -> None:
        """Take the live display away."""
        self.live.stop()

    def render(self) -> RenderableType:
        """Return the live display: the headline, and a line for each of the jobs that run."""
        jobs = sorted(self.progress.running.values(), key=lambda job: job.start)
        lines = [Text(self.progress.headline(), style="bold"), *map(self._line, jobs[:LINES])]
        if len(jobs) > LINES:
            lines.append(Text(f"  and {len(jobs) - LINES} more"))
        return Group(*lines)

    def _line(self, job: Job) -> Text:
        ran = duration(self.progress.clock() - job.start)
        line = Text(f"  {job.rule} {job.name} ({ran}) ", no_wrap=True, overflow="ellipsis")
        return line.append(job.last_line(), style="dim")


def mistake(job: Job) -> str:
    """Return what a failed job's log says last, with what the job was and where the log is."""
    said = job.last_line() or "error: ended without a word (killed, or out of memory?)"
    return f"{job.rule} {job.name}: {said}\n  its log: {job.log or 'none'}"


def _relative(log: str) -> str:
    """Return a path as seen from here, where that is shorter."""
    return min(log, os.path.relpath(log, Path.cwd()), key=len)
