"""Say of all results what is whole, missing, damaged, stale or nobody's; repair it if asked."""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.core.progress import Progress
from nnrd.stages import planning
from nnrd.study.check import STATES, WHOLE, WRONG, Check, Finding
from nnrd.study.config import Settings
from nnrd.study.repair import repair

PROFILE = Path("workflow/profiles/default")
SHOWN = 40  # lines of a state, unless all are asked for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    planning.add_arguments(parser)
    parser.add_argument("--all", action="store_true", help="list all, what is whole too")
    words = "make again what is missing, damaged or stale, and nothing else"
    parser.add_argument("--repair", action="store_true", help=words)


def main(args: argparse.Namespace) -> None:
    """Print a line a file that is not whole, and how many there are of each; UserError if any."""
    settings = planning.settings(args)
    check, findings = _look(settings, args)
    wrong, seen = _wrong(findings), set[Finding]()
    # Only when a file is whole again is it seen what was made from it while it was not.
    while args.repair and wrong - seen:
        made = repair(check, findings, lambda names: _make(args, names))
        print(f"made again: {', '.join(made) or 'nothing'}")
        check, findings = _look(settings, args)
        wrong, seen = _wrong(findings), seen | wrong
    if wrong:
        told = "not mended: see above" if args.repair else "`nnrd check --repair` mends them"
        raise UserError(f"{len(wrong)} files or folders are not as they should be; {told}")


def _wrong(findings: Sequence[Finding]) -> set[Finding]:
    return {finding for finding in findings if finding.state in WRONG}


def _look(settings: Settings, args: argparse.Namespace) -> tuple[Check, list[Finding]]:
    with Progress("checking") as progress:
        check = Check(settings, args.folder, lambda size: progress.to(progress.done + size))
        findings = check.findings()
    for state in STATES:
        _tell([finding for finding in findings if finding.state == state], args.all)
    counts = Counter(finding.state for finding in findings)
    print(", ".join(f"{counts[state]} {state}" for state in STATES))
    return check, findings


def _tell(findings: Sequence[Finding], everything: bool) -> None:
    """Print a line a finding, of one state; what is whole, and of many the rest, only if asked."""
    shown = findings if everything else [f for f in findings[:SHOWN] if f.state != WHOLE]
    for finding in shown:
        print(f"{finding.state:<9}{finding.path}: {finding.reason or 'as it was made'}")
    if shown and len(shown) < len(findings):
        print(f"{findings[0].state:<9}{len(findings) - len(shown)} more, which --all lists")


def _make(args: argparse.Namespace, names: Sequence[str]) -> None:
    """Run the workflow for some files, or for all; by their times alone, whatever the code is."""
    command = [sys.executable, "-m", "snakemake", "--cores", "all", "--rerun-triggers", "mtime"]
    command += ["--workflow-profile", str(PROFILE)] if (args.folder / PROFILE).is_dir() else []
    files = [str(file.resolve()) for file in args.configfile]
    command += ["--configfile", *files] if files else []
    command += ["--config", f"run={json.dumps(args.run)}"] if args.run else []
    # The option that takes several values would take the names too.
    if subprocess.run([*command, "--", *names], cwd=args.folder).returncode:
        raise UserError("the repair failed: see above; what was made is kept")
