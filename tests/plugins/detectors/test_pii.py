"""Personal data is found where it is, and nowhere else."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlm_plugins.detectors.checksums import IBAN_LENGTHS, iban, luhn
from mlm_plugins.detectors.pii import BOUNDED, KINDS, REACH, find, redact

# Published test numbers: card networks, the IBAN registry's examples, RFC 5737 and RFC 3849 addresses.
ENTITIES = {
    "joe@example.org": "email",
    "Joe.O-Neill+news@mail.example.co.uk": "email",
    "jörg@example.com": "email",
    "4111 1111 1111 1111": "card",
    "5500-0000-0000-0004": "card",
    "378282246310005": "card",
    "3782 822463 10005": "card",
    "6011111111111117": "card",
    "DE89 3704 0044 0532 0130 00": "iban",
    "GB29NWBK60161331926819": "iban",
    "FR1420041010050500013M02606": "iban",
    "NO93 8601 1117 947": "iban",
    "MT84 MALT 0110 0001 2345 MTLC AST0 01S": "iban",
    "192.0.2.146": "ip",
    "2001:db8:85a3:0:0:8a2e:370:7334": "ip",
    "2001:db8::1": "ip",
    "+49 30 901820": "phone",
    "+1 (555) 010-9999": "phone",
    "(555) 010-9999": "phone",
    "555-010-9999": "phone",
    "030 901820": "phone",
}
INNOCENT = (
    "4111 1111 1111 1112",  # fails the Luhn check
    "DE89370400440532013001",  # fails mod 97
    "0000 0000 0000 0000",
    "version 1.2.3.4.5 of 10.20.2024",
    "999.999.999.999",
    "std::vector at 10:30:00",
    "in 1997, 2001 and 2010",
    "9876543210987654321098",
    "user@localhost",
    "a @ b",
    "the score was 3-2, 12-10",
)
BOUNDS = ("{}", "<{}>", "Call {}.", "({})", "{}, please", "Mine is {} and yours?", "\n{}\n")


@pytest.mark.parametrize("frame", BOUNDS)
@pytest.mark.parametrize(("entity", "kind"), ENTITIES.items())
def test_an_entity_is_found_exactly(entity: str, kind: str, frame: str) -> None:
    text = frame.format(entity)

    (span,) = find(text)

    # A bracket before a number is taken for part of the phone number; nothing of the entity may stay.
    assert (span.kind, span.end) == (kind, text.index(entity) + len(entity))
    assert span.start <= text.index(entity)


@pytest.mark.parametrize("text", INNOCENT)
def test_what_only_looks_like_an_entity_stays(text: str) -> None:
    assert redact(text) == text


def test_only_the_wanted_kinds_are_masked() -> None:
    text = "joe@example.org from 192.0.2.146"

    assert redact(text) == "<EMAIL> from <IP>"
    assert redact(text, ["email"]) == "<EMAIL> from 192.0.2.146"


def test_a_masked_text_has_nothing_left_to_mask() -> None:
    masked = redact(" and ".join(ENTITIES))

    assert redact(masked) == masked
    assert masked == " and ".join(f"<{kind.upper()}>" for kind in ENTITIES.values())


@given(st.integers(0, 10**18 - 1))
def test_luhn_finds_every_single_wrong_digit(number: int) -> None:
    digits = next(f"{number}{check}" for check in range(10) if luhn(f"{number}{check}"))

    wrong = [digits[:i] + str((int(digits[i]) + 1) % 10) + digits[i + 1 :] for i in range(len(digits))]

    assert not any(map(luhn, wrong))


def test_iban_agrees_with_published_examples_of_every_length() -> None:
    examples = [entity.replace(" ", "") for entity, kind in ENTITIES.items() if kind == "iban"]

    assert all(iban(example) and len(example) == IBAN_LENGTHS[example[:2]] for example in examples)


pieces = st.one_of(st.sampled_from([*ENTITIES, *INNOCENT]), st.text("ab1 .@+-:()<\n", max_size=12))
texts = st.lists(pieces, max_size=8).map("".join) | st.lists(pieces, max_size=8).map(" ".join)


@given(texts)
def test_no_entity_is_longer_than_the_reach(text: str) -> None:
    assert all(span.end - span.start < REACH and span.kind in BOUNDED for span in find(text))


@given(texts, texts)
def test_an_entity_that_starts_before_the_reach_does_not_depend_on_what_follows(text: str, more: str) -> None:
    settled = len(text) - REACH

    def early(whole: str) -> list[object]:
        return [span for span in find(whole) if span.start <= settled]

    assert early(text) == early(text + more)


@pytest.mark.parametrize("unit", ["a", "4", "4 ", "1-", "@", "a@", "a.", "DE89 ", "f:", "+1 ", "(555) ", "00 "])
def test_hostile_text_takes_linear_time(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        start = time.process_time()
        redact(text)
        return time.process_time() - start

    # Quadratic time would quadruple; the constant covers what is too short to measure.
    assert seconds(200_000) < 3 * seconds(100_000) + 0.2


# Published examples: Receita Federal's and the BOE's rules worked out, GB 11643, INSEE, BIP 173 and 350.
NUMBERS = {
    "529.982.247-25": "national_id",
    "12345678Z": "national_id",
    "X1234567L": "national_id",
    "RSSMRA85T10A562S": "national_id",
    "11010519491231002X": "national_id",
    "2 55 08 14 168 025 38": "national_id",
    "460-89-9847": "ssn",
    "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2": "wallet",
    "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy": "wallet",
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq": "wallet",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0": "wallet",
    "1:2:3:4:5:6:192.0.2.33": "ip",
}


@pytest.mark.parametrize("frame", BOUNDS)
@pytest.mark.parametrize(("entity", "kind"), NUMBERS.items())
def test_a_number_with_a_check_is_found_exactly(entity: str, kind: str, frame: str) -> None:
    text = frame.format(entity)

    assert [(span.kind, text[span.start : span.end]) for span in find(text)] == [(kind, entity)]


@pytest.mark.parametrize(
    "entity", [entity for entity, kind in NUMBERS.items() if kind in ("national_id", "wallet") and "." not in entity]
)
def test_a_wrong_check_is_no_entity(entity: str) -> None:
    wrong = entity[:-1] + {"8": "9", "Z": "A", "L": "M", "S": "T", "X": "1"}.get(entity[-1], "p")

    assert NUMBERS[entity] not in {span.kind for span in find(wrong)}


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Tel. 782 2652", ["phone"]),
        ("phone number is: 60-56-85-91", ["phone"]),
        ("电话：13800138000", ["phone"]),
        ("电话 13800138000", ["phone"]),
        ("hotel 782 2652", []),
        ("7822652 people", []),
        ("SSN: 460899847", ["ssn"]),
        ("class 460899847", []),
        ("000-12-3456 and 900-12-3456 and 123-00-4567", []),
        ("9111111111111111", []),  # No issuer's, though Luhn would let it pass.
        ("请写信给joe@example.org吧", ["email"]),
        ("jörg.müller@universität.example.de", ["email"]),
        ("a" * 40 + "@" + "department." * 4 + "example.org", ["email"]),
    ],
)
def test_what_stands_round_a_number_may_decide(text: str, kinds: list[str]) -> None:
    assert [span.kind for span in find(text)] == kinds


URLS = (
    "https://example.org/a(b)?c=d#e",
    "http://joe@example.org:80/",
    "www.example.org",
    "ftp://192.0.2.1/x",
    "http://[2001:db8::1]/",
)


@pytest.mark.parametrize("frame", [*BOUNDS, "[page]({})", '<a href="{}">'])
@pytest.mark.parametrize("entity", URLS)
def test_a_url_is_found_without_the_punctuation_round_it(entity: str, frame: str) -> None:
    text = frame.format(entity)

    assert [text[span.start : span.end] for span in find(text, KINDS) if span.kind == "url"] == [entity]


def test_addresses_in_a_url_are_looked_for_only_where_urls_stay() -> None:
    text = "https://example.org/?to=joe@example.org"

    assert redact(text, KINDS) == "<URL>"
    assert redact(text) == "https://example.org/?to=<EMAIL>"
