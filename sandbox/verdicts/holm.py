"""Holm's step-down over the claims of a file (Holm 1979), once for each of their two tests."""

from collections.abc import Mapping


def shares(p: Mapping[int, float], alphas: Mapping[int, float], family: int) -> dict[int, int]:
    """By how many claims each shares its alpha with, itself included.

    ``p``: of the claims that take part, in the order in which ties are broken; ``family``: how many
    claims there are or were in all. The claim with the smallest p is tested at its alpha / family;
    after each that is rejected the next is tested with one less. Those after the first that is not
    rejected share what is left.
    """
    left, found = max(family, 1), {}
    for i in sorted(p, key=lambda i: p[i] / alphas[i]):
        found[i] = left
        if p[i] <= alphas[i] / left:
            left = max(left - 1, 1)
    return found
