"""Kubernetes quantities: how the API writes an amount of storage.

The grammar is that of k8s.io/apimachinery/pkg/api/resource: a decimal number, then a binary suffix (Ki to Ei),
a decimal suffix (n, u, m, k to E) or a power of ten (e3, E-2).
"""

import re
from fractions import Fraction

GIB = 2**30
TIB = 2**40

_BINARY = {suffix: Fraction(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
_DECIMAL = {
    suffix: Fraction(10) ** (3 * power)
    for power, suffix in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)
}
_SUFFIXES = _BINARY | _DECIMAL

_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
# An exponent of more than two digits is past every disk, and raising ten to it would take for ever.
_QUANTITY = re.compile(rf"({_NUMBER})(?:(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?)|[eE]([+-]?[0-9]{{1,2}}))", re.ASCII)
_LONGEST = 64


def parse_quantity(text: str) -> Fraction:
    """The value of a Kubernetes quantity, in its base unit (bytes for storage).

    Raises ValueError if the text is not one.
    """
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise ValueError("not a Kubernetes quantity")
    number, suffix, exponent = match.groups()
    scale = _SUFFIXES[suffix] if exponent is None else Fraction(10) ** int(exponent)
    return Fraction(number) * scale


def check_storage(text: str) -> str:
    """Returns `text` if it is an amount that an EBS gp3 volume can have: 1Gi to 16Ti.

    Raises ValueError saying what it is not.
    """
    accepted = "accepted is a Kubernetes quantity from 1Gi to 16Ti, such as 1Gi, 1500Mi or 2G"
    try:
        amount = parse_quantity(text)
    except ValueError as error:
        raise ValueError(f"is {error}; {accepted}") from None
    if amount < GIB:
        raise ValueError(f"is less than the smallest EBS volume; {accepted}")
    if amount > 16 * TIB:
        raise ValueError(f"is more than the largest EBS volume; {accepted}")
    return text
