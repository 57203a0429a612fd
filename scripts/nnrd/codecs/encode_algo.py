"""The numbers of encoding algorithms that scripts of 3GPP TR 26.847 take.

What they mean was inferred from the codecs of its detection study (raw, float16, and NNC at QPs
from -38 to 0), not read in its Annex B.3.
"""

import re
from typing import Any

from nnrd.core.errors import UserError

HELP = (
    "a codec by its number in TR 26.847, as inferred from its codecs: 0 raw, 1 float16, 8xx nnc at"
    " QP -xx (838: -38); may be repeated, also beside --codec"
)
PLAIN = {"0": "raw", "1": "float16"}
NNC = re.compile("8([0-9]{2})")


def of_number(number: str) -> tuple[str, dict[str, Any]]:
    """Return the codec of a number, and its parameters; UserError for another number."""
    if number in PLAIN:
        return PLAIN[number], {}
    found = NNC.fullmatch(number)
    if not found:
        raise UserError(
            f"--encode-algo: {number!r:.60} is no number of the TR's: 0 is raw, 1 float16,"
            " 8xx nnc at QP -xx, such as 838"
        )
    return "nnc", {"qp": -int(found[1])}
