"""Labels for rows, by a language model."""

from __future__ import annotations

from math import exp

from attrs import define, evolve
from attrs.validators import and_, deep_iterable, min_len

import mlm
from mlm_plugins.detectors.classifier import LIBRARY
from mlm_plugins.detectors.columns import joined
from mlm_plugins.detectors.templates import has_chat_template
from mlm_plugins.transforms.labellers import Labelling
from mlm_plugins.transforms.labels import Found, labels_in
from mlm_plugins.transforms.prompts import Answers, Asking, Prompt
from mlm_plugins.transforms.reading import known

CUT = "label of a cut text"


def _readable(_: object, __: object, prompt: str) -> None:
    Prompt.read(prompt)


def _distinct(_: object, __: object, labels: list[str]) -> None:
    twice = next((label for place, label in enumerate(labels) if label in labels[:place]), None)
    if twice is not None:
        raise ValueError(f"the label '{twice}' is there twice")


@define(kw_only=True)
class LabelByPrompt(Labelling):
    """Gives each row the label that a language model finds the likeliest answer; where unsure, none.

    Nothing is generated: each label is scored as the answer to the prompt, in the model's chat template where it has
    one. A score is the sum of the log-probabilities of the label's tokens, as `acc` of lm-evaluation-harness sums them
    (Gao et al. 2021), and of the token with which the template ends an answer. The confidence is the softmax of the
    scores: the probability of that answer, given that it is one of the labels. It is one because scores are not divided
    by their length, as `acc_norm` does; so name the labels in the prompt, or a long one will seem improbable.

    Where a prompt does not fit the model, the row's text is cut at its end, and the row is among the changed ones with
    that reason. Special tokens in row and prompt are left out, so no text can open a turn that the template marks by
    them. Rows that have a label already keep it; what has none then is for `label-by-people`.
    """

    model: mlm.Model = mlm.input(help="a language model")
    prompt: str = mlm.setting(validator=_readable, help="what is asked of each row; columns stand in braces: {text}")
    labels: list[str] = mlm.setting(
        validator=and_(min_len(2), deep_iterable(min_len(1)), _distinct), help="answers that the model chooses from"
    )

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch, context: mlm.Context) -> mlm.Batch:
        prompt = Prompt.read(self.prompt)
        known(batch, prompt.columns, context.step)
        asking = self._asking(prompt, context)
        columns = [joined(batch.table, [name]).to_pylist() for name in prompt.columns]
        before = labels_in(batch, self.column)
        found: list[Found | None] = []
        cut = dict[str, str]()
        for row_id, was, *row in zip(batch.strings("row_id"), before, *columns, strict=True):
            if was:
                found.append(None)
                continue
            texts = {name: text or "" for name, text in zip(prompt.columns, row, strict=True)}
            answers = asking.of(texts)
            found.append(self._chosen(asking.engine, answers))
            if answers.characters is not None:
                cut[row_id] = f"the model read {answers.characters} of {max(map(len, texts.values()))} characters"
        if cut:
            batch = evolve(batch, changes=(*batch.changes, mlm.Change(CUT, tuple(cut), tuple(cut.values()))))
        return self.label(batch, before, found, context)

    def _asking(self, prompt: Prompt, context: mlm.Context) -> Asking:
        if self.model.library == LIBRARY:
            name = self.model.ref or self.model.path.name
            raise mlm.ProjectError(
                f"{name} is a classifier, expected a language model: use 'label-by-model'", context.step
            )
        chats = has_chat_template(self.model.path)
        within = [
            (one, other) for one in self.labels for other in self.labels if one != other and other.startswith(one)
        ]
        if within and not chats:
            one, other = within[0]
            raise mlm.ProjectError(
                f"the label '{one}' begins '{other}', and a model without a chat template ends no answer: rename one",
                context.step,
            )
        return Asking(prompt, self.labels, context.load(self.model), chats, context.step)

    def _chosen(self, engine: mlm.Engine, answers: Answers) -> Found:
        """Return the most probable label, the first of equals, and its probability."""
        # One row a call: in float32 the last digits depend on what is computed together.
        scored = engine.logprobs(answers.sequences)
        scores = [sum(values[answers.given - 1 :]) for values in scored]
        best = max(scores)
        return self.labels[scores.index(best)], 1 / sum(exp(score - best) for score in scores)
