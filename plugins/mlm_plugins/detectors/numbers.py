"""Numbers of cards, accounts, US social security and phones."""

from __future__ import annotations

import re

from mlm_plugins.detectors.checksums import IBAN_LENGTHS, iban, luhn

_CARD = re.compile(
    r"(?:[2-6][0-9]{3}(?:[0-9]{8,15}|(?P<by>[ -])"
    r"(?:[0-9]{4}(?P=by)[0-9]{4}(?P=by)[0-9]{1,7}|[0-9]{6}(?P=by)[0-9]{4,5}))"
    r"|1800[0-9]{11})(?![0-9A-Za-z_]|\.[0-9])"
)
_ISSUERS = re.compile(
    r"4(?:.{12}|.{15}|.{18})"  # Visa
    r"|(?:5[1-5]..|222[1-9]|22[3-9].|2[3-6]..|27[01].|2720).{12}"  # Mastercard
    r"|3[47].{13}"  # American Express
    r"|(?:6011|64[4-9]|65).*(?<=^.{16})(?:...)?"  # Discover
    r"|(?:30[0-5]|309|36|3[89]).*(?<=^.{14})"  # Diners Club
    r"|35.{14}(?:...)?|(?:2131|1800).{11}"  # JCB has 3528 to 3589; generators of test numbers take all of 35
    r"|220[0-4].{12,15}"  # Mir
    r"|(?:62|81).{14,17}"  # UnionPay
    r"|(?:50|5[6-9]|6[0-9]).{10,17}"  # Maestro, RuPay
)
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,40}(?![A-Za-z0-9])")
_SSN = re.compile(r"(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![0-9A-Za-z_]|-[0-9])")
_BARE_SSN = re.compile(r"(?!000|666|9)[0-9]{3}[ -]?(?!00)[0-9]{2}[ -]?(?!0000)[0-9]{4}(?![0-9A-Za-z_]|-[0-9])")
_PHONE = re.compile(
    r"(?:\+|00)[1-9][0-9 ().-]{6,18}[0-9](?![0-9])"
    r"|\(?[0-9]{3}\)?[ .-]{1,2}[0-9]{3}[ .-][0-9]{4}(?![0-9])"
    r"|0[1-9][0-9]{0,3}(?P<by>[ ./-])[0-9]{2,8}(?:(?P=by)[0-9]{2,5}){0,3}(?![0-9])"
)
_BARE_PHONE = re.compile(r"[+(]?[0-9](?:[ ().-]{0,2}[0-9]){6,14}(?![0-9A-Za-z_])")

_BEFORE = 32
"""How many characters before a number may say what it is."""
_ENDS = r"\.?(?:[ ]?(?:number|no\.?|num|nr\.?))?(?:[ ]is)?[ ]?[:=#：]?\s{0,2}\Z"
_PHONE_LABEL = re.compile(
    r"(?:(?<![^\W\d_])(?:(?:tele|cell|i)?phone|tel|cell|mobile|fax|whatsapp|t[eé]l[eé]phone|t[eé]l[eé]fono|telefone?|móvil"
    r"|celular|cellulare|handy|mobil|тел|телефон)|电话|電話|手机|手機|전화|휴대폰)" + _ENDS,
    re.IGNORECASE,
)
_SSN_LABEL = re.compile(r"(?<![^\W\d_])(?:ssn|social security)" + _ENDS, re.IGNORECASE)


def card(text: str, start: int) -> int:
    """Return where a card number of a known issuer ends, if it passes the Luhn check; 0 where there is none."""
    match = _CARD.match(text, start)
    if not match:
        return 0
    digits = match[0].replace(" ", "").replace("-", "")
    return match.end() if _ISSUERS.fullmatch(digits) and luhn(digits) and len(set(digits)) > 1 else 0


def account(text: str, start: int) -> int:
    """Return where the country's number of characters of an IBAN is reached, if they pass the check."""
    wanted = IBAN_LENGTHS.get(text[start : start + 2], 0)
    match = _IBAN.match(text, start) if wanted else None
    if not match:
        return 0
    characters = match[0].replace(" ", "")
    if len(characters) < wanted or not iban(characters[:wanted]):
        return 0
    # Words after the number may have been read along; they must not go on from it.
    end, left = start, wanted
    while left:
        left -= text[end] != " "
        end += 1
    return end if not text[end : match.end()][:1].strip() else 0


def ssn(text: str, start: int) -> int:
    """Return where a US social security number ends: one in groups, or one that a label announces."""
    match = _SSN.match(text, start)
    if not match and (bare := _BARE_SSN.match(text, start)) and _labelled(_SSN_LABEL, text, start):
        match = bare
    return match.end() if match else 0


def phone(text: str, start: int) -> int:
    """Return where a phone number ends: one in a usual form, or any that a label announces."""
    match = _PHONE.match(text, start)
    # A day, as in 01.02.2024, has eight digits.
    if match and 9 <= sum(character.isdigit() for character in match[0]) <= 15:
        return match.end()
    match = _BARE_PHONE.match(text, start)
    return match.end() if match and _labelled(_PHONE_LABEL, text, start) else 0


def _labelled(label: re.Pattern[str], text: str, start: int) -> bool:
    # Hardly any number follows a word, and a label is one.
    word = text[max(0, start - _BEFORE) : start].rstrip(" \n\t.:=#：")
    return word[-1:].isalpha() and label.search(text, max(0, start - _BEFORE), start) is not None
