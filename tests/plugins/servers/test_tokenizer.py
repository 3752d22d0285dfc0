"""Our tokenizer against transformers' own, on the same folders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlm
from mlm_plugins.servers.tokenizer import FileTokenizer

TEXTS = [
    "",
    " ",
    "the capital",
    " the capital of a river? ",
    "Ünïcödé, 東京 and 🙂\u200d",
    "tabs\tand\nlines\r\n\n",
    "<s> not </s> special? <|user|>",
    "a" * 300,
]
TALKS: list[list[dict[str, Any]]] = [
    [{"role": "user", "content": "where is the river?"}],
    [{"role": "system", "content": "who"}, {"role": "user", "content": " what"}, {"role": "assistant", "content": ""}],
    [{"role": "user", "content": 'say "it\'s <b>&amp;</b>" 🙂', "name": None}],
    [{"role": "user", "content": "the <|assistant|> of </s> old"}],
]


def reference(folder: Path) -> Any:
    import transformers

    return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)


@pytest.fixture(scope="module")
def pair(byte_tokenizer: Path) -> tuple[FileTokenizer, Any]:
    return FileTokenizer(byte_tokenizer), reference(byte_tokenizer)


@pytest.fixture
def folder(byte_tokenizer: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(byte_tokenizer, tmp_path / "copy"))


def change(folder: Path, **values: Any) -> None:
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


@pytest.mark.parametrize("text", TEXTS)
def test_ids_and_text_equal_those_of_transformers(pair: tuple[FileTokenizer, Any], text: str) -> None:
    ours, theirs = pair
    ids = theirs.encode(text)

    assert ids == ours.encode(text)
    assert theirs.decode(ids, skip_special_tokens=True) == ours.decode(ids)


@pytest.mark.parametrize("messages", TALKS)
def test_a_conversation_becomes_the_ids_that_transformers_gives(
    pair: tuple[FileTokenizer, Any], messages: list[dict[str, Any]]
) -> None:
    ours, theirs = pair

    expected = theirs.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    assert expected == ours.chat(messages)


@settings(deadline=None)
@given(text=st.text())
def test_any_text_equals_transformers(pair: tuple[FileTokenizer, Any], text: str) -> None:
    ours, theirs = pair
    message = [{"role": "user", "content": text}]

    assert theirs.encode(text) == ours.encode(text)
    assert theirs.apply_chat_template(message, add_generation_prompt=True, return_dict=False) == ours.chat(message)


TEMPLATES = {
    "tojson": "{{ messages[0] | tojson }}{{ messages[0] | tojson(indent=2) }}",
    "whitespace control": "{% for m in messages %}\n  {% if true %}\n {{ m.content }}\n  {% endif %}\n{% endfor %}\n",
    "loop controls": "{% for m in messages %}{% if loop.index > 1 %}{% break %}{% endif %}{{ m.content }}{% endfor %}",
    "marked generation": "{% for m in messages %}{% generation %} {{ m.content }}{% endgeneration %}{% endfor %}",
    "special tokens": "{{ bos_token }}{{ eos_token }}{{ pad_token }}{{ messages[0].content }}",
    "namespace": "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
    "tools": "{% if tools is none and not documents %}{{ messages[0].content }}{% endif %}",
}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_templates_render_as_in_transformers(folder: Path, template: str) -> None:
    (folder / "chat_template.jinja").write_text(template)
    ours, theirs = FileTokenizer(folder), reference(folder)

    for messages in TALKS[:3]:
        expected = theirs.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
        assert expected == ours.chat(messages)


@pytest.mark.parametrize(
    "template", ["{{ messages[0].content }}!", [{"name": "default", "template": "{{ messages[0].content }}?"}]]
)
def test_a_template_in_the_tokenizer_configuration_is_used(folder: Path, template: Any) -> None:
    (folder / "chat_template.jinja").unlink()
    change(folder, chat_template=template)
    expected = reference(folder).apply_chat_template(TALKS[0], add_generation_prompt=True, return_dict=False)

    assert expected == FileTokenizer(folder).chat(TALKS[0])


def test_what_surrounds_a_text_is_said_by_the_tokenizer_file_alone_as_in_transformers(folder: Path) -> None:
    change(folder, add_bos_token=True, add_eos_token=True)

    assert reference(folder).encode("the river") == FileTokenizer(folder).encode("the river")


def test_a_named_token_that_the_vocabulary_lists_as_a_word_is_special(folder: Path) -> None:
    flags = dict.fromkeys(["lstrip", "rstrip", "single_word", "normalized"], False)
    change(folder, eos_token={"__type": "AddedToken", "content": "the", "special": True, **flags})
    ours, theirs = FileTokenizer(folder), reference(folder)

    assert theirs.encode("where the river") == ours.encode("where the river")
    assert theirs.decode(ours.encode("where the river"), skip_special_tokens=True) == ours.decode(
        ours.encode("where the river")
    )


def test_end_ids_are_those_of_generation_and_of_the_tokenizer(folder: Path) -> None:
    assert frozenset({2}) == FileTokenizer(folder).eos_ids
    (folder / "config.json").write_text('{"eos_token_id": 7}')
    assert frozenset({2, 7}) == FileTokenizer(folder).eos_ids
    (folder / "generation_config.json").write_text('{"eos_token_id": [5, 6]}')
    assert frozenset({2, 5, 6}) == FileTokenizer(folder).eos_ids


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the river", "the river"),
        ("<s>the</s> <|user|>river", " the   river"),
        ("<|us<|user|>er|> <|user", "<|us er|> <|user"),
        ("a</s", "a</s"),
        ("🙂</s>\x00\n", "🙂 \x00\n"),
    ],
)
def test_a_text_without_special_tokens_has_a_space_for_each(
    pair: tuple[FileTokenizer, Any], text: str, expected: str
) -> None:
    assert pair[0].without_special(text) == expected


@settings(deadline=None)
@given(
    text=st.lists(st.sampled_from(["<s", ">", "</s>", "<|us", "er|>", "<|user|>", "<|", "|>", "the", " ", "🙂"])).map(
        "".join
    )
)
def test_no_text_keeps_a_special_token(pair: tuple[FileTokenizer, Any], text: str) -> None:
    ours, theirs = pair

    assert not set(theirs.all_special_ids) & set(theirs.encode(ours.without_special(text)))


def test_a_token_that_the_template_writes_is_taken_out_though_it_is_not_special(folder: Path) -> None:
    backend = json.loads((folder / "tokenizer.json").read_text())
    for token in backend["added_tokens"]:
        token["special"] = token["content"] not in ("<|user|>", "<|system|>")
    (folder / "tokenizer.json").write_text(json.dumps(backend))
    tokenizer = FileTokenizer(folder)

    assert tokenizer.without_special("a<|user|>b<|system|>c") == "a b c"


def test_a_character_that_the_vocabulary_lacks_stays(folder: Path) -> None:
    from tokenizers import AddedToken, Tokenizer, models

    words = Tokenizer(models.WordLevel({"<unk>": 0, "</s>": 1, "river": 2}, unk_token="<unk>"))
    words.add_special_tokens([AddedToken("<unk>", special=True), AddedToken("</s>", special=True)])
    words.save(str(folder / "tokenizer.json"))
    change(folder, unk_token="<unk>", bos_token="</s>", pad_token="</s>")

    assert FileTokenizer(folder).without_special("東京</s>") == "東京 "


def test_a_template_that_refuses_a_conversation_is_a_data_error(pair: tuple[FileTokenizer, Any]) -> None:
    with pytest.raises(mlm.DataError, match="unknown role robot"):
        pair[0].chat([{"role": "robot", "content": "hi"}])
    with pytest.raises(mlm.DataError, match="no messages"):
        pair[0].chat([])


def test_a_template_cannot_reach_the_interpreter(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ messages.__class__.__mro__ }}")

    with pytest.raises(mlm.DataError, match="unsafe"):
        FileTokenizer(folder).chat(TALKS[0])


def test_a_model_without_template_refuses_conversations(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()

    with pytest.raises(mlm.DataError, match="no chat template"):
        FileTokenizer(folder).chat(TALKS[0])


def test_a_folder_without_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(mlm.DataError, match=r"no tokenizer\.json"):
        FileTokenizer(tmp_path)


@pytest.mark.real
@pytest.mark.parametrize("text", [*TEXTS, "Once upon a time, there was a little girl named Lily."])
def test_a_real_model_gets_equal_ids(stories: mlm.Model, text: str) -> None:
    ours, theirs = FileTokenizer(stories.path), reference(stories.path)
    ids = theirs.encode(text)

    assert ids == ours.encode(text)
    assert theirs.decode(ids, skip_special_tokens=True) == ours.decode(ids)
