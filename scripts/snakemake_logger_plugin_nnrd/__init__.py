"""``snakemake --logger nnrd``: the live display of `nnrd.workflow.display`."""

import sys
from logging import LogRecord
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase

# Snakemake imports its plug-ins before a Snakefile: in a checkout, nnrd is the checkout's own,
# whichever is installed, or an edit of it would not be seen.
if Path("scripts/nnrd").is_dir():
    sys.path.insert(0, str(Path("scripts").resolve()))

from nnrd.workflow.display import Display


class LogHandler(LogHandlerBase):
    """Shows a run; found by the name of this package."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = False
    has_formatter = False  # Snakemake's own is for dry runs
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Begin."""
        self.display = None if self.common_settings.dryrun else Display()

    def emit(self, record: LogRecord) -> None:
        """Take a record of Snakemake's."""
        try:
            self.take(record)
        except Exception:  # a fault here must not end the run
            self.handleError(record)

    def take(self, record: LogRecord) -> None:
        """Show a record."""
        if self.display is None:
            print(
                self.format(record), file=sys.stdout if self.common_settings.stdout else sys.stderr
            )
            return
        self.display.take(record)

    def close(self) -> None:
        """End the display."""
        if self.display:
            self.display.close()
        super().close()
