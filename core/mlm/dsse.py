"""Signed statements: an in-toto statement in a DSSE envelope, in a Sigstore bundle, by an elliptic-curve key.

Formats: DSSE 1.0.2 (github.com/secure-systems-lab/dsse), Sigstore bundle 0.3. It is what the OpenSSF's model-signing
writes with a key, so that either verifies what the other has signed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlm.errors import MlmError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

_BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_STATEMENT = "application/vnd.in-toto+json"
_MAKE_ONE = "expected PEM of an elliptic curve P-256, P-384 or P-521 (openssl ecparam -name prime256v1 -genkey -noout)"


class BadSignature(MlmError):
    """A bundle is malformed, or no key that is trusted has signed it."""


def private_key(file: Path, password: str = "") -> ec.EllipticCurvePrivateKey:
    """Read a key to sign with; MlmError where it is none."""
    _need_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = serialization.load_pem_private_key(_read(file), password.encode() or None)
    except (ValueError, TypeError) as error:
        raise MlmError(f"{file} cannot be read as a private key ({error}); {_MAKE_ONE}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise MlmError(f"{file} is no elliptic-curve key; {_MAKE_ONE}")
    return key


def public_key(file: Path) -> ec.EllipticCurvePublicKey:
    """Read a key to verify with; MlmError where it is none."""
    _need_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = serialization.load_pem_public_key(_read(file))
    except ValueError as error:
        raise MlmError(f"{file} cannot be read as a public key ({error}): openssl ec -pubout writes one") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise MlmError(f"{file} is no elliptic-curve key; {_MAKE_ONE}")
    return key


def hint(key: ec.EllipticCurvePublicKey) -> str:
    """Return by which name a bundle calls a public key: the SHA-256 of its PEM."""
    from cryptography.hazmat.primitives import serialization

    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(pem).hexdigest()


def signed(statement: dict[str, Any], key: ec.EllipticCurvePrivateKey) -> bytes:
    """Sign a statement, and return the bundle as JSON."""
    payload = json.dumps(statement, indent=1).encode()
    signature = key.sign(_encoded(payload), _algorithm(key.public_key()))
    bundle = {
        "mediaType": _BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": hint(key.public_key())}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": _STATEMENT,
            "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
        },
    }
    return json.dumps(bundle, indent=1).encode()


def verified(bundle: bytes, keys: Iterable[ec.EllipticCurvePublicKey]) -> dict[str, Any]:
    """Return the statement of a bundle that one of the keys has signed; BadSignature otherwise."""
    from cryptography.exceptions import InvalidSignature

    try:
        envelope = json.loads(bundle)["dsseEnvelope"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        signatures = [base64.b64decode(one["sig"], validate=True) for one in envelope["signatures"]]
        kind = envelope["payloadType"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadSignature(f"it is no bundle with a DSSE envelope ({type(error).__name__}: {error})") from error
    if kind != _STATEMENT:
        raise BadSignature(f"it signs {kind}, expected {_STATEMENT}")
    for key in keys:
        for signature in signatures:
            try:
                key.verify(signature, _encoded(payload), _algorithm(key))
            except InvalidSignature:
                continue
            return _statement(payload)
    raise BadSignature("no key that is trusted has signed it")


def _statement(payload: bytes) -> dict[str, Any]:
    try:
        statement = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise BadSignature(f"what it signs is no JSON ({error})") from error
    if not isinstance(statement, dict):
        raise BadSignature("what it signs is no statement")
    return statement


def _encoded(payload: bytes) -> bytes:
    """Return the bytes that are signed: DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(_STATEMENT), _STATEMENT.encode(), len(payload), payload)


def _algorithm(key: ec.EllipticCurvePublicKey) -> ec.ECDSA:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    fitting: dict[int, Any] = {256: hashes.SHA256, 384: hashes.SHA384, 521: hashes.SHA512}
    if key.curve.name not in ("secp256r1", "secp384r1", "secp521r1"):
        raise MlmError(f"keys of curve {key.curve.name} are not taken; {_MAKE_ONE}")
    return ec.ECDSA(fitting[key.curve.key_size]())


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise MlmError(f"the key {file} cannot be read ({error.strerror})") from error


def _need_cryptography() -> None:
    if find_spec("cryptography") is None:
        raise MlmError("signatures need cryptography: pip install 'mlm[sign]'")
