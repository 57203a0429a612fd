"""What a person sees of a run: how far it is, what runs, each mistake once."""

import io
import logging

import pytest
from rich.console import Console

from nnrd.workflow.display import PERIOD, Display
from nnrd.workflow.progress import Progress, duration

ECHO = "WorkflowError:\nAt least one job did not complete successfully."


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def shown(clock, terminal=False):
    """Return a display and the stream that it writes to."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, soft_wrap=True, width=100)
    return Display(console, Progress(clock=clock)), stream


def record(words="", level=logging.INFO, **fields):
    made = logging.LogRecord("snakemake", level, __file__, 1, words, (), None)
    made.__dict__.update(fields)
    return made


def started(number, log="logs/none", rule="encode_tensors", **wildcards):
    fields = {"jobid": number, "rule_name": rule, "wildcards": wildcards, "log": [str(log)]}
    return record(event="job_info", **fields)


def planned(**rules):
    return record(event="run_info", stats=rules | {"all": 1, "total": sum(rules.values()) + 1})


def finished(number):
    return record(event="job_finished", job_id=number)


def failed(number):
    return record(f"Error in job {number}", logging.ERROR, event="job_error", jobid=number)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (12000, "3 h 20 min")],
)
def test_duration(seconds, words):
    assert duration(seconds) == words


def test_points_and_jobs_done_of_all(clock):
    display, stream = shown(clock)
    display.take(planned(encode_tensors=2, score_point=2))
    for number, rule in enumerate(["encode_tensors", "encode_tensors", "score_point"]):
        display.take(started(number, rule=rule))
        display.take(finished(number))
    clock.now = 30
    display.take(record("Complete log(s): /far/away/x.log"))
    assert "1 of 2 points, 3 of 4 jobs, 30 s" in stream.getvalue()
    assert "log of the run: /far/away/x.log" in stream.getvalue()


def test_time_left_is_reckoned_by_rule_and_by_how_many_run_side_by_side(clock):
    progress = Progress(clock=clock)
    progress.plan({"slow": 6, "quick": 20})
    for number in range(10):  # two side by side: five slow ones beside five quick ones
        rule = "slow" if number < 5 else "quick"
        clock.now = 10.0 * (number % 5) if number < 5 else 10.0 * (number - 5)
        progress.start(number, rule, "", [])
        clock.now += 10 if number < 5 else 2
        progress.finish(number)
    clock.now = 50
    # one slow one of 10 s and 15 quick ones of 2 s, where 60 s of work took 50 s
    assert progress.left() == pytest.approx((10 + 15 * 2) * 50 / 60)


def test_time_left_is_not_said_while_too_little_is_known(clock):
    progress = Progress(clock=clock)
    progress.plan({"a": 3})
    assert progress.left() is None
    assert "left" not in progress.headline()


def test_without_a_terminal_a_plain_line_now_and_then(clock):
    display, stream = shown(clock)
    display.take(planned(encode_tensors=100))
    for number in range(100):
        display.take(started(number))
        clock.now += 1
        display.take(finished(number))
    lines = stream.getvalue().splitlines()
    assert 100 / PERIOD - 1 <= len(lines) <= 100 / PERIOD + 2
    assert not any("\x1b" in line for line in lines)


def test_a_mistake_is_shown_once_with_its_log(clock, tmp_path):
    log = tmp_path / "job.log"
    log.write_text("20 items\nerror: disk.bin: No space left on device\n\n")
    display, stream = shown(clock)
    display.take(planned(encode_tensors=1))
    display.take(started(7, log, codec="nnc"))
    display.take(
        record("RuleException:\n…", logging.ERROR, event="error", exception="RuleException")
    )
    display.take(failed(7))
    display.take(failed(7))
    display.take(record("Exiting because a job execution failed.", logging.ERROR))
    display.take(record(ECHO, logging.ERROR, event="error", exception="WorkflowError"))
    said = stream.getvalue()
    assert said.count("error: disk.bin: No space left on device") == 1
    assert f"its log: {log}" in said
    assert "RuleException" not in said and "At least one" not in said and "Exiting" not in said


def test_jobs_that_a_cluster_runs_as_one_fail_with_the_words_of_the_one_that_failed(
    clock, tmp_path
):
    """Snakemake says of each that it failed, those too that were done or did not begin."""
    done, failing = tmp_path / "decode.log", tmp_path / "infer.log"
    done.write_text("")
    failing.write_text("error: no such image\n")
    display, stream = shown(clock)
    display.take(planned(decode_weights=1, infer_weights=1, score_point=1))
    display.take(started(1, done, "decode_weights"))
    display.take(started(2, failing, "infer_weights"))
    display.take(started(3, tmp_path / "none.log", "score_point"))
    infos = [{"jobid": number} for number in (3, 2, 1)]
    display.take(
        record("Error in group x", logging.ERROR, event="group_error", job_error_info=infos)
    )
    for number in (1, 2, 3):
        display.take(failed(number))
    said = stream.getvalue().splitlines()[1:]
    assert said == ["infer_weights : error: no such image", f"  its log: {failing}"]


def test_a_job_that_succeeds_when_it_is_tried_again_has_not_failed(clock):
    display, stream = shown(clock)
    display.take(planned(encode_tensors=1))
    display.take(started(7))
    display.take(failed(7))
    assert "1 failed" in display.progress.headline()
    display.take(started(7))
    display.take(finished(7))
    display.take(record("Complete log(s): x.log"))
    assert display.progress.headline().startswith("1 of 1 jobs, 0 s")
    assert "failed: encode_tensors" not in stream.getvalue()


def test_a_mistake_of_the_workflow_itself_is_shown(clock):
    display, stream = shown(clock)
    words = "MissingInputException in rule x"
    display.take(record(words, logging.ERROR, event="error", exception="MissingInputException"))
    assert words in stream.getvalue()


def test_a_job_that_ends_without_a_word(clock):
    display, stream = shown(clock)
    display.take(planned(encode_tensors=1))
    display.take(started(1, "no/such.log"))
    display.take(failed(1))
    assert "ended without a word" in stream.getvalue()


def test_nothing_to_be_done_is_said_and_chatter_is_not(clock):
    display, stream = shown(clock)
    display.take(record("Building DAG of jobs..."))
    display.take(record("Nothing to be done (all requested files are present and up to date)."))
    assert stream.getvalue().startswith("Nothing to be done")


def test_a_terminal_shows_what_runs_with_the_last_line_of_its_log(clock, tmp_path):
    log = tmp_path / "job.log"
    log.write_text("first\nmodel.bin: 3.0 MB of 9.0 MB\n")
    display, _ = shown(clock, terminal=True)
    display.progress.plan({"fetch_asset": 1})
    display.progress.start(1, "fetch_asset", "demo_images", [str(log)])
    said = [line.plain for line in display.render().renderables]
    assert said == [
        "0 of 1 jobs, 0 s", "  fetch_asset demo_images (0 s) model.bin: 3.0 MB of 9.0 MB"
    ]  # fmt: skip


def test_words_with_brackets_are_shown_as_they_are(clock):
    display, stream = shown(clock)
    display.take(record("config: studies[0]: [bold]no[/bold]", logging.ERROR))
    assert "[bold]no[/bold]" in stream.getvalue()
