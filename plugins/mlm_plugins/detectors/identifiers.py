"""Numbers that states give people, and addresses of wallets: only those with a check that tells them from others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import date

_LETTERS_OF_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def cpf(found: str) -> bool:
    """Brazil, cadastro de pessoas físicas: two check digits modulo 11."""
    digits = [int(character) for character in found if character.isdigit()]
    sums = [sum((size + 1 - i) * digits[i] for i in range(size)) * 10 % 11 % 10 for size in (9, 10)]
    return sums == digits[9:] and len(set(digits)) > 1


def dni(found: str) -> bool:
    """Spain, documento nacional de identidad and NIE: a letter by the remainder modulo 23 (Real Decreto 1553/2005)."""
    number = found[:-1].rstrip("-").translate({ord("X"): "0", ord("Y"): "1", ord("Z"): "2"})
    return _LETTERS_OF_DNI[int(number) % 23] == found[-1]


def codice_fiscale(found: str) -> bool:
    """Italy, codice fiscale: a check letter modulo 26 (Decreto ministeriale 23 December 1976)."""
    values = [int(character, 36) - (0 if character.isdigit() else 10) for character in found]
    total = sum(value if place % 2 else _ODD[value] for place, value in enumerate(values[:15]))
    return total % 26 == values[15]


def resident_id(found: str) -> bool:
    """China, resident identity number: a day of birth and ISO 7064 MOD 11-2 (GB 11643-1999)."""
    try:
        born = date(int(found[6:10]), int(found[10:12]), int(found[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(found[:17]))
    return 1880 <= born.year <= 2100 and "10X98765432"[total % 11] == found[17].upper()


def nir(found: str) -> bool:
    """France, numéro d'inscription au répertoire: the key is 97 less the remainder modulo 97. Without Corsica's."""
    digits = found.replace(" ", "")
    return 97 - int(digits[:13]) % 97 == int(digits[13:])


def base58(found: str) -> bool:
    """Bitcoin, an address in Base58Check: the first bytes of a double SHA-256."""
    number = 0
    for character in found:
        number = number * 58 + _BASE58.index(character)
    if number >= 1 << 200:
        return False
    payload, check = divmod(number, 1 << 32)
    digest = hashlib.sha256(hashlib.sha256(payload.to_bytes(21, "big")).digest()).digest()
    return int.from_bytes(digest[:4], "big") == check


def bech32(found: str) -> bool:
    """Bitcoin, a segregated witness address (BIP 173, and BIP 350 from version 1 on)."""
    values = [_BECH32.index(character) for character in found.lower()[3:]]
    check = 1
    for value in [3, 3, 0, 2, 3, *values]:  # The prefix `bc`, expanded.
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    return check == (0x2BC830A3 if values[0] else 1)


_NATIONAL_ID = re.compile(
    r"(?:(?P<cpf>[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2})"
    r"|(?P<dni>(?:[0-9]{8}|[XYZ][0-9]{7})-?[A-Z])"
    r"|(?P<codice_fiscale>[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z])"
    r"|(?P<resident_id>[1-8][0-9]{16}[0-9Xx])"
    r"|(?P<nir>[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]) ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2})"
    r")(?![0-9A-Za-z_])"
)
_WALLET = re.compile(
    rf"(?:(?P<base58>[13][{_BASE58}]{{24,33}})|(?P<bech32>bc1[{_BECH32}]{{11,59}}|BC1[{_BECH32.upper()}]{{11,59}}))"
    r"(?![0-9A-Za-z_])"
)
_CHECKS: dict[str, Callable[[str], bool]] = {
    check.__name__: check for check in (cpf, dni, codice_fiscale, resident_id, nir, base58, bech32)
}


def national_id(text: str, start: int) -> int:
    """Return where a number of a person ends; 0 where there is none."""
    return _end(_NATIONAL_ID, text, start)


def wallet(text: str, start: int) -> int:
    """Return where a Bitcoin address ends; 0 where there is none."""
    return _end(_WALLET, text, start)


def _end(forms: re.Pattern[str], text: str, start: int) -> int:
    match = forms.match(text, start)
    return match.end() if match and _CHECKS[str(match.lastgroup)](match[0]) else 0
