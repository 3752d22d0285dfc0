"""What `mlm show` tells of a node."""

from __future__ import annotations

from trial import TrialProject


def test_the_numbers_that_a_trainer_kept_with_its_model_are_shown(project: TrialProject) -> None:
    project.jsonl("words.jsonl", [{"text": "the river city of the north"}])
    project.write("""
        [data.words]
        use = "jsonl"
        path = "words.jsonl"

        [training.tokens]
        use = "bpe"
        data = "words"
        vocab_size = 270
    """)
    project.run()

    size = project.mlm("show", "tokens", "--json").json["node"]["metadata"]["vocab_size"]

    assert f"facts   {size} vocab size\n" in project.mlm("show", "tokens").out
