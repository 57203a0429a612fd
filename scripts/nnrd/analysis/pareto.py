"""Which of some alternatives no other beats in both of two respects."""

from collections.abc import Sequence


def front(
    costs: Sequence[float], values: Sequence[float], higher_is_better: bool = True
) -> list[bool]:
    """Return of each alternative whether it is on the Pareto front.

    Another beats it that costs no more and is no worse, and differs in one of the two. What has
    no cost or no value (nan) is on no front.
    """
    sign = 1 if higher_is_better else -1
    points = [(cost, sign * value) for cost, value in zip(costs, values, strict=True)]
    known = [point for point in points if point == point and all(part == part for part in point)]
    return [
        all(part == part for part in point)
        and not any(
            cost <= point[0] and value >= point[1] and (cost, value) != point
            for cost, value in known
        )
        for point in points
    ]
