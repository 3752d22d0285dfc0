"""Model versions are signed, and where the project names signers, only what they vouch for is served."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.benchmarks import peers
from trial import TrialProject


def key_pair(folder: Path, name: str, password: bytes | None = None) -> Path:
    """Write `<name>.key` and `<name>.pub`, and return the first."""
    key = ec.generate_private_key(ec.SECP256R1())
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    private = folder / f"{name}.key"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption_algorithm=locked)
    )
    (folder / f"{name}.pub").write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return private


@pytest.fixture
def guarded(life: TrialProject) -> TrialProject:
    """A promoted model in a project that names a signer."""
    key_pair(life.folder, "release")
    key_pair(life.folder, "stranger")
    life.change("[requirements]", '[governance]\nsigners = ["release.pub"]\n\n[requirements]')
    life.run()
    assert life.mlm("promote", "chat").code == 0
    return life


def refusal(project: TrialProject) -> str:
    answer = project.mlm("admit", "production", "--json")
    return str(answer.json["verdict"]["code"])


def test_what_nobody_signed_is_refused_until_a_signer_did(guarded: TrialProject) -> None:
    assert refusal(guarded) == "signature_missing"

    signed = guarded.mlm("sign", "production", "--key", guarded.folder / "release.key", "--by", "ann", "--json").json

    assert refusal(guarded) == "admitted"
    (event, *_) = guarded.mlm("audit", "--json").json
    assert (event["action"], event["subject"], event["by"]) == ("sign", "chat@1", "ann")
    assert event["detail"]["key"] == signed["key"]


def test_a_stranger_s_signature_does_not_help(guarded: TrialProject) -> None:
    assert guarded.mlm("sign", "chat", "--key", guarded.folder / "stranger.key").code == 0

    assert refusal(guarded) == "signature_invalid"

    guarded.mlm("sign", "chat", "--key", guarded.folder / "release.key")
    assert refusal(guarded) == "admitted"


@pytest.mark.parametrize("part", ["payload", "sig"])
def test_a_signature_that_was_touched_does_not_hold(guarded: TrialProject, part: str) -> None:
    file = Path(guarded.mlm("sign", "chat", "--key", guarded.folder / "release.key", "--json").json["path"])
    bundle = json.loads(file.read_text())
    place = bundle["dsseEnvelope"] if part == "payload" else bundle["dsseEnvelope"]["signatures"][0]
    text = place[part]
    place[part] = text[:30] + ("B" if text[30] != "B" else "C") + text[31:]
    file.write_text(json.dumps(bundle))

    assert refusal(guarded) == "signature_invalid"


def test_a_signature_is_on_these_bytes_alone(guarded: TrialProject) -> None:
    file = Path(guarded.mlm("sign", "chat", "--key", guarded.folder / "release.key", "--json").json["path"])
    guarded.jsonl("lessons.jsonl", [*guarded.lessons(), {"prompt": "new?", "completion": "new"}])
    guarded.run()
    assert guarded.mlm("promote", "chat").code == 0
    assert refusal(guarded) == "signature_missing"
    with guarded.registry() as registry:
        other = registry.folder / "signatures" / registry.node("chat").digest
    shutil.copytree(file.parent, other)

    assert refusal(guarded) == "signature_invalid"


def test_an_encrypted_key_takes_its_password_from_the_environment(
    guarded: TrialProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = key_pair(guarded.folder, "locked", b"open sesame")
    refused = guarded.mlm("sign", "chat", "--key", key)
    monkeypatch.setenv("OUR_PASSWORD", "open sesame")

    signed = guarded.mlm("sign", "chat", "--key", key, "--password-env", "OUR_PASSWORD")

    assert (refused.code, signed.code) == (1, 0)
    assert "cannot be read as a private key" in refused.error
    assert "sesame" not in signed.out + refused.err


def test_what_cannot_be_signed_or_signed_with_is_one_line(guarded: TrialProject) -> None:
    rsa_key = guarded.folder / "rsa.key"
    rsa_key.write_bytes(
        rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    release = guarded.folder / "release.key"

    assert "is a dataset; a model is signed" in guarded.mlm("sign", "lessons", "--key", release).error
    assert "is no elliptic-curve key" in guarded.mlm("sign", "chat", "--key", rsa_key).error
    assert "cannot be read (No such file" in guarded.mlm("sign", "chat", "--key", "nowhere.key").error
    assert guarded.mlm("sign", "chat").code == 2
    guarded.change('"release.pub"', '"gone.pub"')
    assert "governance.signers" in guarded.mlm("plan").error
    assert guarded.mlm("admit", "production").code == 1


def test_a_signature_of_another_place_is_added_and_verified(guarded: TrialProject) -> None:
    made = Path(guarded.mlm("sign", "chat", "--key", guarded.folder / "release.key", "--json").json["path"])
    foreign = shutil.move(made, guarded.folder / "foreign.json")
    strange = Path(guarded.mlm("sign", "chat", "--key", guarded.folder / "stranger.key", "--json").json["path"])
    assert refusal(guarded) == "signature_invalid"

    refused = guarded.mlm("sign", "chat", "--bundle", strange)
    added = guarded.mlm("sign", "chat", "--bundle", foreign)

    assert "no key that is trusted has signed it" in refused.error
    assert (added.code, refusal(guarded)) == (0, "admitted")


def test_signatures_travel_with_a_push(guarded: TrialProject, tmp_path: Path) -> None:
    guarded.change("[governance]", f'[registry]\nremote = "{tmp_path}/remote"\n\n[governance]')
    guarded.mlm("sign", "chat", "--key", guarded.folder / "release.key")
    assert guarded.mlm("push").code == 0
    other = TrialProject(tmp_path / "elsewhere")
    shutil.copytree(guarded.folder, other.folder, ignore=shutil.ignore_patterns(".mlm"))

    assert other.mlm("pull").code == 0

    assert refusal(other) == "admitted"


@pytest.mark.skipif(not peers.are_here(), reason="model-signing is not installed (make peers)")
def test_model_signing_and_mlm_verify_each_other(guarded: TrialProject) -> None:
    with guarded.registry() as registry:
        model = registry.objects.path(registry.node("chat").digest)
    release, public = guarded.folder / "release.key", guarded.folder / "release.pub"
    tool = [str(peers.BIN / "model_signing")]
    made = guarded.mlm("sign", "chat", "--key", release, "--json").json["path"]

    checked = subprocess.run([*tool, "verify", "key", model, "--signature", made, "--public_key", public], check=False)
    Path(made).unlink()
    theirs = guarded.folder / "theirs.json"
    subprocess.run([*tool, "sign", "key", model, "--signature", theirs, "--private_key", release], check=True)

    assert checked.returncode == 0
    assert guarded.mlm("sign", "chat", "--bundle", theirs).code == 0
    assert refusal(guarded) == "admitted"
