"""The OpenAI API over a real socket, with the official client."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import openai
import pytest

import mlm


def test_a_conversation_that_the_chat_template_refuses_is_the_requests_fault(start: Any, engine: Any) -> None:
    served = engine()
    house = start({"a": served})

    def refuse(messages: Any) -> list[int]:
        raise mlm.DataError("the model's chat template refuses the conversation: roles must alternate")

    served.tokenizer.chat = refuse
    answers = [house.chat("hi"), house.chat("x" * 20_000), house.chat("hi", stream=True)]

    assert [answer.status_code for answer in answers] == [400] * 3
    assert answers[0].json()["error"] == {
        "message": "the model's chat template refuses the conversation: roles must alternate",
        "type": "invalid_request_error",
        "param": "messages",
        "code": "invalid_prompt",
    }
    assert house.last().status == 400


def test_a_chat_is_answered_with_the_model_version_and_the_exchange_id(start: Any) -> None:
    house = start()

    response = house.chat("hi")

    body = response.json()
    assert response.status_code == 200
    assert response.headers["x-mlm-version"] == body["model"] == "int8@1"
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "Hello, world.", "refusal": None}
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"] == {"prompt_tokens": 9, "completion_tokens": 13, "total_tokens": 22}
    assert house.recorded(body["id"]).response == "Hello, world."


def test_plain_and_streamed_text_are_equal_in_the_official_client(start: Any, engine: Any) -> None:
    house = start({"int8": engine("Grüße, 世界! 👋🏽 and more", chunk=3)})

    plain = house.openai.chat.completions.create(model="api", messages=[{"role": "user", "content": "x"}])

    assert house.streamed() == (plain.choices[0].message.content, "stop")
    assert plain.choices[0].message.content == "Grüße, 世界! 👋🏽 and more"


def test_completions_take_text_lists_and_token_ids(start: Any, engine: Any) -> None:
    house = start({"int8": engine(text=None)})
    create = house.openai.completions.create

    assert [c.text for c in create(model="api", prompt="abc").choices] == ["abc"]
    assert [c.text for c in create(model="api", prompt=["abc", "de"]).choices] == ["abc", "de"]
    assert [c.text for c in create(model="api", prompt=[97, 98]).choices] == ["ab"]
    assert [c.text for c in create(model="api", prompt=[[97], [98, 99]]).choices] == ["a", "bc"]


def test_streamed_completions_of_several_prompts_carry_their_index(start: Any, engine: Any) -> None:
    house = start({"int8": engine(text=None)})

    texts = {0: "", 1: ""}
    for chunk in house.openai.completions.create(model="api", prompt=["first", "second"], stream=True):
        texts[chunk.choices[0].index] += chunk.choices[0].text

    assert texts == {0: "first", 1: "second"}


def test_each_prompt_of_a_list_is_an_exchange(start: Any, engine: Any) -> None:
    house = start({"int8": engine(text=None)})

    given = house.complete(["a", "b"]).json()["id"]

    assert [house.recorded(given).prompt, house.recorded(f"{given}.1").prompt] == ["a", "b"]


def test_a_stream_ends_with_usage_and_done_where_asked(start: Any) -> None:
    house = start()

    response = house.chat(stream=True, stream_options={"include_usage": True})

    events = [line[6:] for line in response.text.split("\n\n") if line]
    chunks = [json.loads(event) for event in events[:-1]]
    assert events[-1] == "[DONE]"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == 13
    assert all(chunk["usage"] is None for chunk in chunks[:-1])
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"


def test_a_reply_that_reaches_max_tokens_ends_with_length(start: Any) -> None:
    house = start()

    assert house.chat(max_tokens=5).json()["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": "Hello", "refusal": None},
        "logprobs": None,
        "finish_reason": "length",
    }
    assert house.streamed(max_completion_tokens=5) == ("Hello", "length")


def test_a_stop_string_ends_the_text_before_it(start: Any) -> None:
    house = start()

    assert house.streamed(stop=[", w", "zzz"]) == ("Hello", "stop")
    assert house.chat(stop="wor").json()["choices"][0]["message"]["content"] == "Hello, "


def test_sampling_fields_reach_the_engine(start: Any, engine: Any) -> None:
    house = start({"int8": (scripted := engine())}, max_tokens=77, temperature=0.25)

    house.chat(temperature=0.5, top_p=0.9, seed=-3, max_tokens=9)
    house.chat()

    first, second = scripted.samplings
    assert (first.temperature, first.top_p, first.seed, first.max_tokens) == (0.5, 0.9, 2**63 - 3, 9)
    assert (second.temperature, second.top_p, second.seed, second.max_tokens) == (0.25, 1.0, None, 77)


@pytest.mark.parametrize("seed", [-(2**63), -1, 0, 2**63 - 1])
def test_every_seed_that_is_accepted_seeds_numpy(start: Any, engine: Any, seed: int) -> None:
    house = start({"int8": (scripted := engine())})

    assert house.chat(seed=seed).status_code == 200

    [sampling] = scripted.samplings
    assert sampling.seed % 2**63 == seed % 2**63
    np.random.default_rng(sampling.seed)


def test_models_are_the_deployment_and_its_versions(start: Any) -> None:
    house = start()

    assert [model.id for model in house.openai.models.list()] == ["api", "int8@1"]
    assert house.openai.models.retrieve("int8@1").id == "int8@1"
    with pytest.raises(openai.NotFoundError, match="is not served here"):
        house.openai.models.retrieve("none")


def test_fields_that_ask_for_nothing_are_ignored(start: Any) -> None:
    house = start()

    response = house.chat(
        n=1, tools=[], logit_bias={}, store=True, metadata={"a": "b"}, response_format={"type": "text"}
    )

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"n": 2}, "n", "unsupported_parameter"),
        ({"tools": [{"type": "function"}]}, "tools", "unsupported_parameter"),
        ({"logprobs": True}, "logprobs", "unsupported_parameter"),
        ({"response_format": {"type": "json_object"}}, "response_format", "unsupported_parameter"),
        ({"temperature": 3}, "temperature", "invalid_value"),
        ({"temperature": True}, "temperature", "invalid_value"),
        ({"top_p": "1"}, "top_p", "invalid_value"),
        ({"max_tokens": 0}, "max_tokens", "invalid_value"),
        ({"max_tokens": 1.5}, "max_tokens", "invalid_value"),
        ({"seed": 2**70}, "seed", "invalid_value"),
        ({"stop": ["a"] * 5}, "stop", "invalid_value"),
        ({"stop": ""}, "stop", "invalid_value"),
        ({"stream": "yes"}, "stream", "invalid_value"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "invalid_value"),
        ({"user": 3}, "user", "invalid_value"),
        ({"model": 3}, "model", "invalid_value"),
        ({"messages": []}, "messages", "invalid_value"),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages[0].role", "invalid_value"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "invalid_value"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content",
            "unsupported_content",
        ),
    ],
)
def test_a_wrong_field_is_a_400_that_names_it(start: Any, fields: Any, param: str, code: str) -> None:
    response = start().chat(**fields)

    error = response.json()["error"]
    assert (response.status_code, error["param"], error["code"]) == (400, param, code)
    assert error["type"] == "invalid_request_error"
    assert response.headers["x-mlm-version"] == "int8@1"


def test_a_lone_surrogate_is_a_400(start: Any) -> None:
    body = rb'{"prompt": "\ud800"}'

    assert start().http.post("/v1/completions", content=body).json()["error"]["param"] == "prompt"


@pytest.mark.parametrize("prompt", [None, [], 5, ["a", 1], [[]], [True], [-1], [2**40]])
def test_a_prompt_that_is_neither_text_nor_ids_is_a_400(start: Any, prompt: Any) -> None:
    assert start().complete(prompt).json()["error"]["code"] == "invalid_value"


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_a_400(start: Any, body: bytes) -> None:
    response = start().http.post("/v1/chat/completions", content=body)

    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_json")


def test_a_large_body_is_a_413(start: Any) -> None:
    response = start(max_body_bytes=1000).chat("x" * 1000)

    assert (response.status_code, response.json()["error"]["code"]) == (413, "body_too_large")


def test_an_unknown_path_or_method_is_an_error_of_the_same_shape(start: Any) -> None:
    house = start()

    assert house.http.get("/v1/nothing").json()["error"]["code"] == "unknown_url"
    assert house.http.get("/v1/chat/completions").json()["error"]["code"] == "method_not_allowed"


def test_a_prompt_that_leaves_no_room_is_refused_as_openai_does(start: Any, engine: Any) -> None:
    house = start({"int8": engine(max_length=20)})

    assert house.complete("x" * 20).json()["error"]["code"] == "context_length_exceeded"
    assert house.complete("").json()["error"]["param"] == "prompt"
    assert house.complete("x" * 19).json()["usage"]["completion_tokens"] == 1


def test_a_long_prompt_is_answered_as_a_short_one_is(start: Any, engine: Any) -> None:
    house = start({"int8": engine(text=None, max_length=100_000, chunk=1000)}, max_tokens=90_000)

    assert house.complete("é" * 20_000).json()["choices"][0]["text"] == "é" * 20_000


def test_a_full_queue_is_a_429_with_retry_after(start: Any, engine: Any) -> None:
    house = start({"int8": engine(slots=0)}, retry_seconds=3)

    response = house.chat(stream=True)

    assert (response.status_code, response.headers["retry-after"]) == (429, "3")
    assert response.json()["error"]["type"] == "rate_limit_error"
    assert (house.last().status, house.last().error) == (429, "busy")


@pytest.mark.parametrize("failure", [RuntimeError("secret detail"), asyncio.CancelledError("secret detail")])
def test_an_engine_that_fails_is_a_500_without_its_words(start: Any, engine: Any, failure: BaseException) -> None:
    house = start({"int8": (scripted := engine())})
    scripted.failure = failure

    response = house.chat()

    assert (response.status_code, response.json()["error"]["code"]) == (500, "engine_error")
    assert "secret" not in response.text
    assert (house.last().status, house.last().error) == (500, "engine_error")


def test_an_engine_that_fails_amid_a_stream_ends_it_with_an_error_and_no_done(start: Any, engine: Any) -> None:
    house = start({"int8": (scripted := engine())})
    scripted.failure = RuntimeError("broken")

    assert house.chat(stream=True).text.endswith('"code": "engine_error"}}\n\n')
    with pytest.raises(openai.APIError, match="failed to answer"):
        house.streamed()


def test_a_request_that_takes_too_long_is_ended(start: Any, engine: Any) -> None:
    house = start({"int8": (scripted := engine())}, request_timeout_seconds=0.1)
    scripted.held.clear()

    response = house.chat()

    assert (response.status_code, response.json()["error"]["code"]) == (504, "request_timeout")
    assert scripted.running == 0
    assert house.last().error == "request_timeout"
