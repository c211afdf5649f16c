"""VAT codes by date: which code of the tenant's bexio a rule means on a sale day. Pure.

A rule names a code of bexio ("UN81"), or what it wants of one, so that it outlives every change of rates:

    @sales                 the sales tax of the line's own rate, on the sale day
    @sales-standard        the sales tax of a class: standard, reduced, lodging, zero
    @material-standard     the input tax on goods and services of a class (bexio: 1170)
    @operating-standard    the input tax on investments and other expenses of a class (bexio: 1171)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.capabilities.documents.swiss_vat import rates_on
from app.connectors.bexio.taxes import SALES_TAX, Tax
from app.core.money import plain

STANDARD, REDUCED, LODGING, ZERO_RATE = "standard", "reduced", "lodging", "zero"
RATE_CLASSES = (STANDARD, REDUCED, LODGING, ZERO_RATE)

MATERIAL, OPERATING = "pre_tax_material", "pre_tax_investment"
INPUT_TAXES = frozenset({MATERIAL, OPERATING})
BY_LINE = "@sales"
_KINDS = {"sales": SALES_TAX, "material": MATERIAL, "operating": OPERATING}
SYMBOLS = frozenset({BY_LINE, *(f"@{kind}-{name}" for kind in _KINDS for name in RATE_CLASSES)})

# bexio's own codes: UN81 (standard), UR26 (reduced), US38 (lodging), U00 (none); companies add others.
_OWN_CODE = {
    SALES_TAX: re.compile(r"U(?:([NRS])\d+|00)"),
    MATERIAL: re.compile(r"VM\d+"),
    OPERATING: re.compile(r"VB\d+|V00"),
}
_LETTERS = {"N": STANDARD, "R": REDUCED, "S": LODGING}
# Swiss law since 2011; bexio's codes add what comes later.
_LEGAL: Mapping[str, str] = {
    "8.1": STANDARD, "7.7": STANDARD, "8": STANDARD,
    "2.6": REDUCED, "2.5": REDUCED,
    "3.8": LODGING, "3.7": LODGING,
    "0": ZERO_RATE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Missing:
    """Why no code was found: a code of the catalogue and its parameters."""

    code: str
    params: Mapping[str, str]


class VatCodes:
    """The VAT codes of one company, asked by day."""

    def __init__(self, taxes: Sequence[Tax]) -> None:
        self.taxes = tuple(taxes)
        self._classes = {plain(tax.value): found for tax in self.taxes if (found := _class_by_code(tax))}
        self._classes.update(_LEGAL)

    def rate_class(self, rate: str) -> str | None:
        """The class of a rate in percent, as bexio's codes and the law know it."""
        return self._classes.get(rate)

    def resolve(self, wanted: str, rate: Decimal | None, day: date) -> Tax | Missing:
        """The code that a rule's `tax_code` means for a line of `rate` percent on `day`."""
        if not wanted.startswith("@"):
            return self._literal(wanted, rate, day)
        if wanted == BY_LINE:
            return self._chosen(SALES_TAX, {plain(rate)} if rate is not None else set(), day, plain(rate or Decimal(0)))
        kind, name = wanted.removeprefix("@").split("-")
        if rate is None:
            rates = {known for known, its in self._classes.items() if its == name}
            return self._chosen(_KINDS[kind], rates, day, name)
        if self._classes.get(plain(rate)) != name:
            found = {"rate": plain(rate), "code_rate": self._lawful(name, day)}
            return Missing("vat-code-of-other-rate", {"tax_code": wanted, "day": day.isoformat(), **found})
        return self._chosen(_KINDS[kind], {plain(rate)}, day, plain(rate))

    def means(self, wanted: str | None, rate: Decimal | None, tax_id: int | None) -> bool:
        """True when a code is what a rule's `tax_code` asks for, whether or not it still holds."""
        tax = next((one for one in self.taxes if one.id == tax_id), None)
        if wanted is None or tax is None:
            return wanted is None and tax_id is None
        if rate is not None and tax.value != rate:
            return False
        if not wanted.startswith("@"):
            return tax.code == wanted
        if wanted == BY_LINE:
            return tax.type == SALES_TAX and rate is not None
        kind, name = wanted.removeprefix("@").split("-")
        return tax.type == _KINDS[kind] and self._classes.get(plain(tax.value)) == name

    def successor(self, tax: Tax, day: date) -> Tax | None:
        """The code of the same kind and class that holds on a later day, when `tax` has ended."""
        name = self._classes.get(plain(tax.value))
        others = {rate for rate, its in self._classes.items() if its == name}
        found = self._chosen(tax.type, others, day, "")
        return found if isinstance(found, Tax) else None

    def _lawful(self, name: str, day: date) -> str:
        """The rates of a class on a day, as people read them; all that are known when the law names none."""
        of_class = {rate for rate, its in self._classes.items() if its == name}
        lawful = {plain(rate) for rate in rates_on(day)}
        return ", ".join(sorted(of_class & lawful or of_class))

    def _literal(self, wanted: str, rate: Decimal | None, day: date) -> Tax | Missing:
        params = {"tax_code": wanted, "day": day.isoformat()}
        named = [tax for tax in self.taxes if tax.code == wanted]
        if not named:
            return Missing("vat-code-unknown", params)
        holding = [tax for tax in named if tax.is_active and tax.holds_on(day)]
        if not holding:
            return Missing(
                "vat-code-inactive" if not any(tax.is_active for tax in named) else "vat-code-expired", params
            )
        if rate is not None and holding[0].value != rate:
            found = {"rate": plain(rate), "code_rate": plain(holding[0].value)}
            return Missing("vat-code-of-other-rate", {**params, **found})
        return holding[0]

    def _chosen(self, kind: str, rates: set[str], day: date, said: str) -> Tax | Missing:
        params = {"rate": said, "day": day.isoformat()}
        fitting = [tax for tax in self.taxes if tax.type == kind and plain(tax.value) in rates]
        holding = [tax for tax in fitting if tax.is_active and tax.holds_on(day)]
        chosen = holding if len(holding) == 1 else [tax for tax in holding if _OWN_CODE[kind].fullmatch(tax.code)]
        if len(chosen) > 1:
            # While one rate replaces another bexio lets both hold for some months: the law says which it is.
            chosen = [tax for tax in chosen if tax.value in rates_on(day)] or chosen
        if len(chosen) == 1:
            return chosen[0]
        if not holding:
            sleeping = ", ".join(sorted(tax.code for tax in fitting if tax.holds_on(day)))
            return Missing("vat-code-sleeps" if sleeping else "vat-code-missing", {**params, "candidates": sleeping})
        names = ", ".join(sorted(f"{tax.code} ({tax.id})" for tax in holding))
        return Missing("vat-code-ambiguous", {**params, "candidates": names})


def _class_by_code(tax: Tax) -> str | None:
    own = _OWN_CODE[SALES_TAX].fullmatch(tax.code) if tax.type == SALES_TAX else None
    return _LETTERS.get(own[1]) if own and own[1] else None
