"""Signatures on model versions: who vouches for these very bytes, in the format of the OpenSSF's model signing 1.0.

A bundle lies in `signatures/<digest>/`, named by its own digest. It lists the SHA-256 of every file, for tools that
know nothing of mlm, and the registry's digest of the whole, so that admission hashes nothing twice.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from mlm.dsse import BadSignature, hint, private_key, public_key, signed, verified
from mlm.errors import MlmError
from mlm.verdicts import Verdict
from mlm.workspace import Workspace
from mlm_registry import Node, Registry

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

FOLDER = "signatures"
_TYPE, _PREDICATE = "https://in-toto.io/Statement/v1", "https://model_signing/signature/v1.0"
_OWN = "mlmBlake3"
"""The registry's digest among a subject's: BLAKE3 of a file, or of the manifest of a directory."""


@frozen
class Signed:
    """A signature that was added to a model version."""

    version: str
    digest: str
    key: str
    """SHA-256 of the public key, in PEM."""
    path: Path
    """The bundle."""


def sign(workspace: Workspace, node: Node, key_file: Path, *, password: str = "", by: str) -> Signed:
    """Sign a model version with a private key.

    Raises:
        MlmError: The node is no model, the key cannot be used, or bytes of the model are damaged.
    """
    registry = workspace.registry
    _check(registry, node)
    key = private_key(key_file, password)
    resources = _resources(registry.objects.path(node.digest))
    return _added(registry, node, signed(_statement(node, resources), key), hint(key.public_key()), by)


def add(workspace: Workspace, node: Node, bundle_file: Path, *, by: str) -> Signed:
    """Add a signature that was made elsewhere; MlmError unless one of the project's signers made it of these bytes."""
    _check(workspace.registry, node)
    try:
        bundle = bundle_file.read_bytes()
    except OSError as error:
        raise MlmError(f"the bundle {bundle_file} cannot be read ({error.strerror})") from error
    keys = _signers(workspace)
    for key in keys:
        if not _refused(workspace.registry, node, bundle, [key]):
            return _added(workspace.registry, node, bundle, hint(key), by)
    reason = _refused(workspace.registry, node, bundle, keys)
    raise MlmError(f"{bundle_file} does not vouch for {node.ref}: {reason}; `signers` of [governance] may sign")


def signature_refusal(workspace: Workspace, node: Node) -> Verdict | None:
    """Return why the signatures of a version do not let it be served; None where they do, or none is asked for."""
    if not workspace.project.governance.signers:
        return None
    registry, keys = workspace.registry, _signers(workspace)
    reasons = [_refused(registry, node, file.read_bytes(), keys) for file in bundles(registry, node)]
    if not reasons:
        return Verdict("fail", "signature_missing", f"{node.ref} is not signed (mlm sign {node.ref} --key FILE)")
    if all(reasons):
        return Verdict("fail", "signature_invalid", f"{node.ref}: {reasons[0]}")
    return None


def bundles(registry: Registry, node: Node) -> list[Path]:
    """List the signatures of a version."""
    return sorted((registry.folder / FOLDER / node.digest).glob("*.json"))


def _signers(workspace: Workspace) -> list[ec.EllipticCurvePublicKey]:
    return [public_key(file) for file in workspace.project.governance.signers]


def _check(registry: Registry, node: Node) -> None:
    if node.kind != "model":
        raise MlmError(f"{node.ref} is a {node.kind}; a model is signed")
    registry.objects.check(node.digest)


def _added(registry: Registry, node: Node, bundle: bytes, key: str, by: str) -> Signed:
    """Store a bundle, whole or not at all, and say so in the audit log."""
    own = hashlib.sha256(bundle).hexdigest()
    path = registry.folder / FOLDER / node.digest / f"{own}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{own}.{os.getpid()}")
    part.write_bytes(bundle)
    os.replace(part, path)
    registry.audit.append("sign", node.ref, by=by, detail={"digest": node.digest, "key": key, "bundle": own})
    return Signed(node.ref, node.digest, key, path)


def _statement(node: Node, resources: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "_type": _TYPE,
        "subject": [{"name": node.ref, "digest": {"sha256": _root(resources), _OWN: node.digest}}],
        "predicateType": _PREDICATE,
        "predicate": {
            "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": []},
            "resources": resources,
        },
    }


def _refused(registry: Registry, node: Node, bundle: bytes, keys: list[ec.EllipticCurvePublicKey]) -> str:
    """Return why a bundle does not vouch for a version; nothing where it does."""
    try:
        statement = verified(bundle, keys)
        if (statement["_type"], statement["predicateType"]) != (_TYPE, _PREDICATE):
            return f"its signature says {statement['predicateType']}, expected {_PREDICATE}"
        (subject,) = statement["subject"]
        digest, resources = subject["digest"], statement["predicate"]["resources"]
        if _OWN in digest:
            same = digest[_OWN] == node.digest
        else:
            same = _listed(resources) == _listed(_resources(registry.objects.path(node.digest)))
    except BadSignature as error:
        return f"its signature does not hold: {error}"
    except (KeyError, TypeError, ValueError) as error:
        return f"its signature is no statement on a model ({type(error).__name__}: {error})"
    return "" if same else "its signature is on other bytes"


def _listed(resources: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    return sorted((one["name"], one["algorithm"], one["digest"]) for one in resources)


def _resources(model: Path) -> list[dict[str, str]]:
    """Return the SHA-256 of each file of a model, by name."""
    return [{"name": name, "digest": digest, "algorithm": "sha256"} for name, digest in sorted(_sums(model))]


def _sums(model: Path) -> Iterator[tuple[str, str]]:
    files = [model] if model.is_file() else [file for file in model.rglob("*") if file.is_file()]
    for path in files:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        yield path.relative_to(model).as_posix(), digest


def _root(resources: list[dict[str, str]]) -> str:
    """Return the digest of a whole model as model signing 1.0 forms it: of its files' digests, by name."""
    return hashlib.sha256(b"".join(bytes.fromhex(one["digest"]) for one in resources)).hexdigest()
