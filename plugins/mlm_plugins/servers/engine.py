"""An engine over any session: continuous batching, sampling, stop strings, scoring."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import mlm
from mlm.decoding import cut
from mlm_plugins.servers.limits import Limits
from mlm_plugins.servers.request import Request, StreamBox, WaitingBox
from mlm_plugins.servers.rows import CacheRows
from mlm_plugins.servers.sampling import Chooser
from mlm_plugins.servers.scheduler import Scheduler
from mlm_plugins.servers.scoring import logprobs
from mlm_plugins.servers.session import Session
from mlm_plugins.servers.stops import StopWatch


class BatchingEngine:
    """Answers many callers, threads and coroutines, out of one running batch."""

    def __init__(
        self, session: Session, tokenizer: mlm.Tokenizer, limits: Limits, *, slots: int, queue: int, max_prefills: int
    ) -> None:
        self.tokenizer = tokenizer
        self.backend = session.backend
        self.max_length = limits.max_length
        self._limits = limits
        self._session = session
        self._scheduler = Scheduler(CacheRows(session), slots=slots, queue=queue, max_prefills=max_prefills)

    def generate(self, prompts: Sequence[Sequence[int]], sampling: mlm.Sampling) -> list[mlm.Generation]:
        """Continue each prompt; blocks, also while the queue is full."""
        boxes = [WaitingBox() for _ in prompts]
        requests = [
            self._request(*pair, sampling, index) for index, pair in enumerate(zip(prompts, boxes, strict=True))
        ]
        try:
            # Neighbours of equal length are computed together.
            for request in sorted(requests, key=lambda request: len(request.prompt)):
                self._scheduler.submit(request, wait=True)
            for box in boxes:
                box.wait()
        except BaseException:
            for request in requests:
                self._scheduler.cancel(request)
            raise
        return [self._generation(request, sampling) for request in requests]

    async def stream(self, prompt: Sequence[int], sampling: mlm.Sampling) -> AsyncGenerator[Sequence[int], None]:
        """Yield new ids as they are made, those of a stop string included; closing the generator frees the slot."""
        box = StreamBox()
        request = self._request(prompt, box, sampling)
        self._scheduler.submit(request)
        try:
            ended = False
            while not ended:
                ids, ended = await box.take()
                if ids:
                    yield ids
        finally:
            self._scheduler.cancel(request)

    def logprobs(self, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
        """Return log P(token i | tokens before) in nats for i = 1.. of each sequence."""
        for sequence in sequences:
            self._limits.require(sequence)
        return logprobs(self._session, sequences)

    def close(self) -> None:
        """Stop the engine's thread; what has not ended fails."""
        self._scheduler.close()

    def _request(
        self, prompt: Sequence[int], box: WaitingBox | StreamBox, sampling: mlm.Sampling, index: int = 0
    ) -> Request:
        self._limits.require(prompt, new=1)
        if sampling.max_tokens < 1:
            raise ValueError(f"max_tokens is {sampling.max_tokens}; it must be at least 1")
        return Request(
            prompt=prompt,
            limit=min(sampling.max_tokens, self.max_length - len(prompt)),
            choose=Chooser(sampling, index).choose,
            eos_ids=self.tokenizer.eos_ids,
            box=box,
            stops=StopWatch(self.tokenizer.decode, sampling.stop) if sampling.stop else None,
        )

    def _generation(self, request: Request, sampling: mlm.Sampling) -> mlm.Generation:
        text = cut(self.tokenizer.decode(request.ids), sampling.stop)
        return mlm.Generation(tuple(request.ids), text, request.finish_reason or "stop")
