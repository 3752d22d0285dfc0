"""Checks that tell a real card or account number from any other digits."""

from __future__ import annotations

_IBAN_LENGTHS = """
15 NO  16 BE  18 DK FI FO GL NL SD  19 MK SI  20 AT BA EE KZ LT LU XK  21 CH CR HR LI LV
22 BG BH DE GB GE IE ME RS VA  23 AE GI IL IQ OM TL  24 AD CZ ES MD PK RO SA SE SK TN VG  25 LY PT ST
26 IS TR  27 BI DJ FR GR IT MC MR SM  28 AL AZ BY CY DO GT HU LB NI PL SV  29 BR EG PS QA UA
30 JO KW MU YE  31 MT SC  32 LC  33 RU
"""


def _lengths(table: str) -> dict[str, int]:
    lengths, length = {}, 0
    for word in table.split():
        if word.isdigit():
            length = int(word)
        else:
            lengths[word] = length
    return lengths


IBAN_LENGTHS = _lengths(_IBAN_LENGTHS)
"""Length of an account number by country (SWIFT, IBAN registry)."""


def luhn(digits: str) -> bool:
    """Return whether digits pass the Luhn check (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def iban(characters: str) -> bool:
    """Return whether an account number without spaces passes the mod 97 check (ISO 13616-1)."""
    moved = characters[4:] + characters[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1
