"""Error rates of the verdicts' rule, by simulation: is a true null rejected in at most 1 %?

One table of false SUPPORTED (true mean 0) and false REFUTED (true mean exactly the smallest effect
D), by distribution of the differences, number of seeds and D in standard deviations; then power,
the error over interim analyses, and trials that fail exactly when they do harm. The two 0/1 arms
are independent, ``p`` is the first one's chance of a 1; the second one's is set by the true effect.

``error_rates.py [--repeats 20000]``; minutes on one core.
"""

import argparse

from sandbox.selftest.error_rates import (
    ALPHA,
    DISTRIBUTIONS,
    FAILING,
    RARE_HARM,
    bound,
    error_rates,
    interim_error_rates,
    missing_error_rates,
    power,
)

SEEDS, SMALLEST, LOOKS = (7, 10, 20), (0.05, 0.3, 0.8), (10, 20)
POWER = ((0.56, 20), (0.8, 10))
LEAST_POWER = 0.95


class Table:
    """Prints shares in per cent, marks those above the bound, and keeps the unexpected ones."""

    def __init__(self, repeats: int) -> None:
        self.repeats, self.most = repeats, bound(repeats)
        self.unexpected: list[str] = []

    def cell(self, share: float, what: str, *, may: bool = False) -> str:
        """``0.53 %``, with a star above the bound."""
        above = share > self.most
        if above and not may:
            self.unexpected.append(f"{what}: {100 * share:.2f} %")
        return f"{100 * share:6.2f} %{'*' if above else ' '}"


def unseen(n: int) -> str:
    """What n seeds cannot exclude."""
    return f"{100 * (1 - 0.05 ** (1 / n)):.1f} % at n = {n}"


def false_verdicts(table: Table) -> None:
    """The table by distribution."""
    heads = "".join(f"   n = {n:<2} SUPPORTED  REFUTED" for n in SEEDS)
    print(f"{'differences':26s} D/sd{heads}")
    for name in DISTRIBUTIONS:
        may = name in RARE_HARM
        for smallest in SMALLEST:
            cells = []
            for n in SEEDS:
                found = error_rates(name, n, smallest, table.repeats)
                what = f"{name}, n {n}, D {smallest}"
                first = table.cell(found.supported, f"{what}, SUPPORTED", may=may)
                cells.append(f"{first:>19s}{table.cell(found.refuted, f'{what}, REFUTED'):>9s}")
            print(f"{name:26s} {smallest:4.2f}{''.join(cells)}", flush=True)
        if may:
            print(
                "    n seeds cannot exclude a catastrophe rarer than 1 - .05^(1/n):"
                f" {', '.join(map(unseen, SEEDS))}"
            )


def others(table: Table) -> None:
    """Power, interim analyses, missing trials."""
    print(f"\npower at a true effect of 2 D (at least {100 * LEAST_POWER:.0f} %)")
    for smallest, n in POWER:
        found = power("normal", n, smallest, table.repeats)
        print(f"  D/sd {smallest:.2f}, n {n}: {100 * found:.1f} %")
        if found < LEAST_POWER:
            table.unexpected.append(f"power at D/sd {smallest}, n {n}: {100 * found:.1f} %")
    print("\nfalse verdicts over the interim analysis at 10 and the last at 20 seeds, D/sd 0.3")
    for name in DISTRIBUTIONS:
        rates = interim_error_rates(name, LOOKS, 0.3, table.repeats)
        supported = table.cell(rates.supported, f"{name}, interim", may=name in RARE_HARM)
        refuted = table.cell(rates.refuted, f"{name}, interim, REFUTED")
        print(f"  {name:26s} SUPPORTED {supported}  REFUTED {refuted}", flush=True)
    print("\nfalse SUPPORTED where treated trials fail exactly when they do harm, D .05 of harm")
    for kind in FAILING:
        for n in (10, 20):
            found_ = missing_error_rates(kind, n, 0.05, table.repeats)
            ruled = table.cell(found_.ruled, f"{kind.name}, {kind.share} fail, n {n}")
            print(
                f"  {kind.name:26s} {100 * kind.share:3.0f} % fail, n {n}: the rule {ruled}"
                f" the pairs that are left alone {100 * found_.ignored:5.2f} %",
                flush=True,
            )


def main() -> None:
    """Print all of it, and last the shares that are above their bound and should not be."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--repeats", type=int, default=20_000, help="samples a cell")
    table = Table(asked.parse_args().repeats)
    print(
        f"alpha {100 * ALPHA:g} %, {table.repeats:,} samples a cell;"
        f" *: above 1 % + 2 standard errors = {100 * table.most:.2f} %\n"
    )
    false_verdicts(table)
    others(table)
    held = "every other share holds its bound"
    failed = "above, though it should not be:\n  " + "\n  ".join(table.unexpected)
    print("\n" + (failed if table.unexpected else held))


if __name__ == "__main__":
    main()
