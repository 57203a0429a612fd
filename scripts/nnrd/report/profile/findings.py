"""What a study's measurements say, one paragraph a question, with the intervals of the numbers.

A factor between two means is given with the ends of their 95 % intervals against each other, which
is wider than an interval of the factor would be; where it spans 1, the two are not told apart.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import pandas

from nnrd.report.profile import series
from nnrd.report.profile.accuracy import of_largest
from nnrd.report.profile.table import ALL

PAGE = """<!doctype html>
<meta charset=utf-8>
<title>{title}</title>
<style>body {{ font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 46em }}</style>
<h1>{title}: what was found</h1>
{body}
"""
COMPARED = (ALL, "encoder", "decoder", "ctc")
TOTAL = "total_mean{}_s"


class Finding(NamedTuple):
    """A question, and what the numbers say: sentences."""

    question: str
    answers: list[str]


class Factor(NamedTuple):
    """How many times one mean is another, and the ends that both intervals allow."""

    value: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        """Whether the two means are told apart."""
        return not self.low <= 1 <= self.high

    def __str__(self) -> str:
        """Say it: ``3.1 times (3.0 to 3.2)``."""
        return f"{self.value:.3g} times ({self.low:.3g} to {self.high:.3g})"


def of(
    profile: pandas.DataFrame,
    parameters: pandas.DataFrame,
    published: Sequence[Mapping[str, Any]] = (),
) -> list[Finding]:
    """Return the findings: each question has an answer, if only why there is none.

    ``published``: rows as `nnrd.datasets.published.read_profiles` has them.
    """
    found = series.measured(profile, "total_mean_s")
    questions: dict[str, Callable[[], Iterator[str]]] = {
        "Was the machine free, and was all measured?": lambda: circumstances(profile),
        "Which model is larger?": lambda: larger(parameters),
        "Which model is faster?": lambda: faster(found),
        "How does time grow with the input?": lambda: growth(found),
        "Forward pass or decoding?": lambda: steps(found),
        "What do the options do?": lambda: options(found),
        "What does a batch do?": lambda: batches(found),
        "What does a run take in energy?": lambda: energy(profile, found),
        "Theirs and ours?": lambda: theirs(profile, parameters, published),
    }
    answers = {question: list(answer()) for question, answer in questions.items()}
    return [Finding(question, told) for question, told in answers.items() if told]


def page(findings: list[Finding], title: str) -> str:
    """Return findings as an HTML page."""
    parts = (f"<h2>{escape(f.question)}</h2>\n<p>{escape(' '.join(f.answers))}" for f in findings)
    return PAGE.format(title=escape(title), body="\n".join(parts))


def larger(parameters: pandas.DataFrame) -> Iterator[str]:
    """Say which model has more parameters, as a whole and in parts that recognisers have."""
    for part, rows in parameters[parameters["part"].isin(COMPARED)].groupby("part", sort=False):
        rows = rows.sort_values("parameters", ascending=False)
        of = "" if part == ALL else f" in its part {part}"
        first, *others = rows.itertuples()
        if not others and part == ALL:
            yield f"{first.model} has {first.parameters:,.0f} parameters."
        for other in others:
            times = first.parameters / other.parameters if other.parameters else float("inf")
            yield (
                f"{first.model} has {first.parameters:,.0f} parameters{of}, {times:.4g} times "
                f"the {other.parameters:,.0f} of {other.model}."
            )
    tied = parameters[(parameters["shared"] > 0) & (parameters["part"] != ALL)]
    for row in tied.itertuples():
        yield f"Of {row.model}'s part {row.part}, {row.shared:,.0f} are another part's too."
    if tied.empty:
        yield "No two parts of a model share parameters."


def faster(found: pandas.DataFrame) -> Iterator[str]:
    """Say at the largest size of input which model is the fastest, and by what factor."""
    rows = of_largest(found).sort_values("total_mean_s")
    rows = rows[rows["batch"] == rows["batch"].min()]
    if len(rows) < 2:
        return
    first = rows.iloc[0]
    yield f"{first['name']}, {_at(first)}: {_time(first)}."
    for _, row in rows.iloc[1:].iterrows():
        times = factor(row, first)
        told = f"{times} as long" if times.is_sure else f"not told apart from it ({times})"
        yield f"{row['name']}, {_at(row)}: {_time(row)}, {told}."


def growth(found: pandas.DataFrame) -> Iterator[str]:
    """Say of each line what a larger input does to the time."""
    for name, rows, _ in series.lines(found[found["size"].notna()]):
        first, last = rows.iloc[0], rows.iloc[-1]
        if last["size"] == first["size"]:
            continue
        times, more = factor(last, first), last["size"] / first["size"]
        yield (
            f"{name}: from {first['size']:g} to {last['size']:g} {series.unit(rows)}, "
            f"{more:.3g} times as many, the time {_grown(times)}: {_time(first)}, {_time(last)}."
        )


def _grown(times: Factor) -> str:
    if not times.is_sure:
        return f"is not told apart, {times}"
    return f"is {times} as long"


def steps(found: pandas.DataFrame) -> Iterator[str]:
    """Say what share of the time decoding takes, from the smallest to the largest input."""
    for name, rows, _ in series.lines(found):
        shares = rows["decoding_mean_s"] / rows["total_mean_s"]
        first, last = shares.iloc[0], shares.iloc[-1]
        words = f"{first:.1%}"
        if len(rows) > 1:
            words += f" at {rows['size'].iloc[0]:g} and {last:.1%} at {rows['size'].iloc[-1]:g}"
            words += f" {series.unit(rows)}"
        yield f"{name}: decoding takes {words} of the time, the forward pass the rest."


def options(found: pandas.DataFrame) -> Iterator[str]:
    """Say what each option with several values does to time, accuracy and energy."""
    rows = of_largest(found)
    rows = rows.assign(given=[json.loads(text) for text in rows["options"]])
    for name in dict.fromkeys(key for given in rows["given"] for key in given):
        has = rows[[name in given for given in rows["given"]]]
        value = [given[name] for given in has["given"]]
        others = [{k: v for k, v in g.items() if k != name} for g in has["given"]]
        alike = ["model", "runtime", "precision", "device", "threads", "batch"]
        keyed = has.assign(value=value, others=[json.dumps(o, sort_keys=True) for o in others])
        for _, group in keyed.groupby([*alike, "others"], sort=False):
            if group["value"].nunique() > 1:
                yield from _option(name.replace("_", " "), group)


def _option(name: str, group: pandas.DataFrame) -> Iterator[str]:
    told = (f"{name} {_plain(row['value'])}: {_all_of(row)}" for _, row in group.iterrows())
    yield f"{group['model'].iloc[0]}, {_at(group.iloc[0])}: {'; '.join(told)}."
    slowest = group.loc[group["total_mean_s"].idxmax()]
    fastest = group.loc[group["total_mean_s"].idxmin()]
    times = factor(slowest, fastest)
    if times.is_sure:
        value = _plain(slowest["value"])
        yield f"The slowest ({name} {value}) takes {times} as long as the fastest."
    else:
        yield f"In time the values are not told apart ({times})."
    if group["accuracy"].notna().any():
        better = bool(group["higher_is_better"].dropna().iloc[0])
        scores = group["accuracy"].dropna()
        best = group.loc[scores.idxmax() if better else scores.idxmin()]
        yield f"The most accurate is {name} {_plain(best['value'])}: {_accuracy(best)}."
    else:
        yield "Accuracy: not measured (the study has no dataset)."
    if group["joules"].isna().all():
        yield "Energy: not measured."


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def batches(found: pandas.DataFrame) -> Iterator[str]:
    """Say what one input takes in the largest batch, against it alone."""
    for _, group in found.groupby(["name", "size"], sort=False, dropna=False):
        rows = group.sort_values("batch")
        first, last = rows.iloc[0], rows.iloc[-1]
        if last["batch"] == first["batch"]:
            continue
        each = factor(last, first)
        per = [part * first["batch"] / last["batch"] for part in each]
        yield (
            f"{_sized(first['name'], first)}: in a batch of {last['batch']:g} an input takes "
            f"{Factor(*per)} what it takes in a batch of {first['batch']:g}."
        )


def energy(profile: pandas.DataFrame, found: pandas.DataFrame) -> Iterator[str]:
    """Say what was measured in joules, or that and why nothing was."""
    rows = of_largest(found[found["joules"].notna()]) if found["joules"].notna().any() else None
    if rows is None:
        yield f"Energy {series.why_not(profile)}."
        return
    for _, row in rows.sort_values("joules").iterrows():
        yield f"{row['name']}, {_at(row)}: {_joules(row)}."


def theirs(
    profile: pandas.DataFrame, parameters: pandas.DataFrame, published: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Say how published numbers and ours agree; times are of other machines."""
    counts = parameters[parameters["published_parameters"].notna()]
    for row in counts.itertuples():
        part = "" if row.part == ALL else f", {row.part}"
        same = row.parameters == row.published_parameters
        told = "ours is equal" if same else f"ours has {row.parameters:,.0f}"
        yield f"{row.model}{part}: {row.published_parameters:,.0f} parameters published, {told}."
    rows = of_largest(profile[profile["published_latency_s"].notna()])
    for _, row in rows.iterrows():
        measured = row["total_mean_s"] == row["total_mean_s"]
        ours = f"{_at(row)} {_time(row)}" if measured else series.NOT_MEASURED
        watts = f", {row['published_joules']:g} J" if row["published_joules"] > 0 else ""
        yield f"{row['shown']}: published {row['published_latency_s']:g} s{watts}; here {ours}."
    for given in published:
        if not given["model"]:
            yield f"Published, of which model is not said: {_numbers(given)}."


def _numbers(given: Mapping[str, Any]) -> str:
    """Return the numbers of a published row with their units, and what it says besides."""
    units = {"latency_s": "s", "watts": "W", "joules": "J", "wer": "% word error rate"}
    words = [f"{given[name]:g} {unit}" for name, unit in units.items() if given[name] is not None]
    return ", ".join(words) + (f" ({given['of']})" if given.get("of") else "")


def circumstances(profile: pandas.DataFrame) -> Iterator[str]:
    """Say how many points were measured on a busy machine, and which were not measured at all."""
    busy = profile[profile["busy"].astype(bool)]
    if len(busy):
        lost = busy["total_lost_share"].max()
        yield (
            f"In {len(busy)} of {len(profile)} points the machine was busy: up to {lost:.0%} of "
            "the time was lost to others, so their times are upper bounds, and what tells two of "
            "them apart may be the machine."
        )
    missing = profile[profile["status"] == series.NOT_MEASURED]
    for _, row in missing.iterrows():
        yield f"{row['shown']}, {_at(row)}: not measured: {row['reason']}."
    if busy.empty and missing.empty:
        yield f"All {len(profile)} points were measured, at most 5 % of the time lost to others."


def factor(one: pandas.Series, other: pandas.Series) -> Factor:
    """Return how many times the mean time of one row is that of another."""
    value, low, high = (one[TOTAL.format(end)] for end in ("", "_low", "_high"))
    base, base_low, base_high = (other[TOTAL.format(end)] for end in ("", "_low", "_high"))
    return Factor(value / base, low / base_high, high / base_low)


def _at(row: pandas.Series) -> str:
    return ", ".join(filter(None, [_sized("", row).removeprefix(", "), f"batch {row['batch']:g}"]))


def _sized(name: str, row: pandas.Series) -> str:
    """Return a name with the size of a row, where it has one."""
    known = row["size"] == row["size"]
    size = f", {row['size']:g} {series.unit(row.to_frame().T)}" if known else ""
    return f"{name}{size}"


def _time(row: pandas.Series) -> str:
    unit, scale = ("s", 1.0) if row[TOTAL.format("")] >= 1 else ("ms", series.MS)
    mean, low, high = (scale * row[TOTAL.format(end)] for end in ("", "_low", "_high"))
    return f"{mean:.3g} {unit} ({low:.3g} to {high:.3g})"


def _accuracy(row: pandas.Series) -> str:
    if row["accuracy"] != row["accuracy"]:
        return ""
    ends = row["accuracy_low"], row["accuracy_high"]
    interval = f" ({ends[0]:.3g} to {ends[1]:.3g})" if all(end == end for end in ends) else ""
    return f"{row['metric']} {row['accuracy']:.3g}{interval}"


def _joules(row: pandas.Series) -> str:
    if row["joules"] != row["joules"]:
        return ""
    return f"{row['joules']:.3g} J counted, {row['lab_joules']:.3g} J as watts × latency"


def _all_of(row: pandas.Series) -> str:
    return ", ".join(filter(None, [_time(row), _accuracy(row), _joules(row)]))
