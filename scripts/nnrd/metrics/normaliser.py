"""One form for reference and hypothesis, so that spelling alone is no error."""

import re

NAME = "nnrd-english-1"  # stands in the table; a change of the rules is another name
ONES = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SIGNS = {"&": " and ", "%": " percent ", "’": "'", "‘": "'"}


def normalise(text: str) -> str:
    """Return text in lower case, numbers in words, letters and inner apostrophes only.

    Numbers up to 999 are read as numbers, longer ones digit by digit; other signs are spaces.
    """
    text = text.lower()
    for sign, word in SIGNS.items():
        text = text.replace(sign, word)
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"\d+", lambda match: f" {_in_words(match.group())} ", text)
    text = re.sub(r"[^a-z' ]", " ", text)
    text = re.sub(r"(?<![a-z])'|'(?![a-z])", " ", text)
    return " ".join(text.split())


def _in_words(digits: str) -> str:
    if len(digits) > 3 or (len(digits) > 1 and digits[0] == "0"):
        return " ".join(ONES[int(digit)] for digit in digits)
    number = int(digits)
    if number < 20:
        return ONES[number]
    if number < 100:
        rest = f" {ONES[number % 10]}" if number % 10 else ""
        return TENS[number // 10 - 2] + rest
    rest = f" {_in_words(str(number % 100))}" if number % 100 else ""
    return f"{ONES[number // 100]} hundred{rest}"
