"""Secrets are found where they are, and ordinary text that speaks of them stays."""

from __future__ import annotations

import base64
import json
import random
import string
import time
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlm_plugins.detectors.searching import secret_values
from mlm_plugins.detectors.secrets import KINDS, find

CHANCE = random.Random(0)
LETTERS, ALNUM, HEX = string.ascii_letters, string.ascii_letters + string.digits, "0123456789abcdef"


def drawn(count: int, characters: str = ALNUM) -> str:
    """Draw characters: a secret that is nobody's, and that is not written in this file."""
    return "".join(CHANCE.choices(characters, k=count))


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def pem(label: str) -> str:
    lines = "\n".join(drawn(64) for _ in range(6))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----"


PLANTED = [
    ("aws", "AKIA" + drawn(16, string.ascii_uppercase + "234567")),
    ("github", "ghp_" + drawn(36)),
    ("github", "github_pat_" + drawn(22) + "_" + drawn(59)),
    ("gitlab", "glpat-" + drawn(20)),
    ("slack", "xoxb-" + drawn(12, string.digits) + "-" + drawn(12, string.digits) + "-" + drawn(24)),
    ("slack", "https://hooks.slack.com/services/T" + drawn(8) + "/B" + drawn(8) + "/" + drawn(24)),
    ("google", "AIza" + drawn(35)),
    ("private_key", pem("RSA PRIVATE KEY")),
    ("private_key", pem("OPENSSH PRIVATE KEY")),
    ("private_key", pem("PGP PRIVATE KEY BLOCK")),
    ("jwt", ".".join([part({"alg": "HS256", "typ": "JWT"}), part({"sub": "1"}), drawn(43)])),
    ("openai", "sk-proj-" + drawn(24) + "T3BlbkFJ" + drawn(24)),
    ("anthropic", "sk-ant-api03-" + drawn(95)),
    ("huggingface", "hf_" + drawn(34, LETTERS)),
    ("stripe", "sk_live_" + drawn(24)),
    ("npm", "npm_" + drawn(36)),
    ("pypi", "pypi-AgE" + drawn(60)),
    ("sendgrid", "SG." + drawn(22) + "." + drawn(43)),
]
NAMED = [
    'password = "{}"',
    "The password: {}.",
    "API_KEY={}",
    '"client_secret": "{}"',
    "export DB_PASSWORD='{}'",
    "secret-key: {}",
    "token => {}",
    "Authorization: Bearer {}",
    "authorization: {}",
    "curl -H 'Authorization: Token {}' https://api.example.org",
    '{{"Authorization": "Bearer {}"}}',
    "headers['Authorization'] = 'Bearer {}'",
    "It sends Bearer {} with each request.",
    "auth: bearer {}",
]
INNOCENT = (
    "The secret: nobody knows how it works.",
    "Enter your password: it must have eight characters.",
    'password = "your-password-here1"',
    "api_key = os.environ['API_KEY_2024']",
    "token: ${{ secrets.GITHUB_TOKEN_V2 }}",
    "key = value12345678",
    "secret = internationalization",
    "A key: 1234567890123456",
    "postgres://user:password@localhost/db",
    "sk-learn, skip-connections, eyJustAWord.eyJustAnother.word",
    "AKIA is how access keys start, as in AKIAIOSFODNN7EXAMPLE.",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "commit 3f2a9c0e1b7d4f5a6c8e9d0b1a2f3c4d5e6f7a8b",
    "Authorization: Bearer <token>, or Authorization: Bearer YOUR_ACCESS_TOKEN_2024",
    'headers = {"Authorization": f"Bearer {token}"}',
    'curl -H "Authorization: Bearer $OAUTH2_TOKEN_FROM_LOGIN"',
    "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...",
    "Authorization: Basic <base64 of name and password>",
    "Authorization: internationalization",
    "The bearer of-this-letter-is-number-4-of-12-messengers may pass.",
    "Bearer RFC6750-compliant-authentication-tokens are random.",
    "Bearer authentication is simple, Basic authentication simpler.",
    "A basic understanding, basic introduction1 and basic requirements2024.",
    "Basic dXNlcjpwYXNzd29yZA== is user:password, Basic c29tZXRoaW5nZWxzZQ== has no colon.",
)
FRAMES = ("{}", "use {} here", "<{}>", '"{}",', "k={}\n", "({})")


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(("kind", "secret"), PLANTED)
def test_a_providers_secret_is_found_exactly(kind: str, secret: str, frame: str) -> None:
    text = frame.format(secret)

    assert [(span.kind, text[span.start : span.end]) for span in find(text)] == [(kind, secret)]


@pytest.mark.parametrize("line", NAMED)
@pytest.mark.parametrize("secret", [drawn(32, HEX), drawn(20), drawn(40, ALNUM + "+/")])
def test_a_random_value_that_is_named_a_secret_is_one(line: str, secret: str) -> None:
    text = line.format(secret)

    assert [(span.kind, text[span.start : span.end]) for span in find(text)] == [("assignment", secret)]


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title, lambda word: word.title().swapcase()])
@pytest.mark.parametrize(
    "word",
    [
        "key:", "secret:", "token:", "password:", "passwd:", "passphrase:", "pwd:", "credential:", "credentials:",
        "authorization:", "bearer",
    ],
)  # fmt: skip
def test_what_names_a_secret_may_be_in_any_case(word: str, case: Callable[[str], str]) -> None:
    secret = drawn(32)
    text = f"It is\n{case(word)} {secret}"

    assert [(span.kind, text[span.start : span.end]) for span in find(text)] == [("assignment", secret)]
    assert list(secret_values(pa.chunked_array([[text]]), KINDS))


def test_a_scheme_that_ends_another_word_names_nothing() -> None:
    assert find(f"The forbearer {drawn(32)} said so.") == []


@pytest.mark.parametrize("frame", ["Authorization: Basic {}", "-H 'authorization: basic {}'", '"Basic {}"'])
def test_a_name_and_password_in_basic_credentials_are_found(frame: str) -> None:
    secret = base64.b64encode(b"app:tr0ub4dor&3").decode()
    text = frame.format(secret)

    assert [(span.kind, text[span.start : span.end]) for span in find(text)] == [("assignment", secret)]


def test_a_password_in_a_url_is_found_without_the_url() -> None:
    text = "DATABASE=postgres://app:tr0ub4dor@db.example.org/app"

    assert [text[span.start : span.end] for span in find(text)] == ["tr0ub4dor"]


@pytest.mark.parametrize("text", INNOCENT)
def test_text_that_speaks_of_secrets_stays(text: str) -> None:
    assert find(text) == []


def test_a_key_that_is_cut_off_is_masked_to_its_end() -> None:
    text = pem("EC PRIVATE KEY").partition("-----END")[0]

    assert [(span.start, span.end) for span in find(text)] == [(0, len(text))]


pieces = st.one_of(
    st.sampled_from([secret for _, secret in PLANTED] + list(INNOCENT)),
    st.sampled_from([line.format(drawn(24)) for line in NAMED]),
    st.text(max_size=8).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)),
)


@settings(deadline=None)
@given(st.lists(st.lists(pieces, max_size=4).map(" ".join), max_size=4))
def test_secrets_of_a_column_are_those_of_its_texts(rows: list[str]) -> None:
    expected = [(row, text, spans) for row, text in enumerate(rows) if (spans := find(text))]

    assert list(secret_values(pa.chunked_array([pa.array(rows, pa.string())]), KINDS)) == expected


@pytest.mark.parametrize(
    "unit",
    [
        "key=",
        "://a:",
        "eyJ",
        "-eyJaaaaaaaaa",
        "eyJaaaaaaaaa.",
        "sk-",
        "-----BEGIN PRIVATE KEY-----",
        "xoxb-",
        "token: ",
        "bearer ",
        "Bearer a1",
        "Basic aaaa",
        "authorization: bearer ",
    ],
)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        start = time.process_time()
        find(text)
        return time.process_time() - start

    # Quadratic time would quadruple; the constant covers what is too short to measure.
    assert seconds(200_000) < 3 * seconds(100_000) + 0.2
