"""The risks of generative models, by their published names, and what in mlm answers them.

Categories: NIST AI 600-1 (July 2024), sections 2.1 to 2.12; the numbers are NIST's, the ids are ours.
Threats: OWASP Top 10 for LLM Applications 2025. The pairing of the two lists is ours.
"""

from __future__ import annotations

from attrs import frozen

NIST = "NIST AI 600-1 (2024), https://doi.org/10.6028/NIST.AI.600-1"
OWASP = "OWASP Top 10 for LLM Applications 2025, https://genai.owasp.org/llm-top-10/"

THREATS = {
    "LLM01:2025": "Prompt Injection",
    "LLM02:2025": "Sensitive Information Disclosure",
    "LLM03:2025": "Supply Chain",
    "LLM04:2025": "Data and Model Poisoning",
    "LLM05:2025": "Improper Output Handling",
    "LLM06:2025": "Excessive Agency",
    "LLM07:2025": "System Prompt Leakage",
    "LLM08:2025": "Vector and Embedding Weaknesses",
    "LLM09:2025": "Misinformation",
    "LLM10:2025": "Unbounded Consumption",
}


@frozen
class Risk:
    """One category, when it concerns a problem, and what to do about it.

    It concerns a problem whose task or tier it names, or whose abuse list has one of its words; `always` needs none.
    """

    section: int
    name: str
    advice: str
    threats: tuple[str, ...] = ()
    tasks: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    abuse: frozenset[str] = frozenset()
    always: bool = False

    @property
    def category(self) -> str:
        return f"nist600-1:2.{self.section}"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


RISKS = (
    Risk(
        1, "CBRN Information or Capabilities",
        "refusal evaluation on dangerous prompts, moderation guard with words of these topics, dpo to align",
        abuse=_words("weapon weapons cbrn chemical biological nuclear radiological explosive explosives bomb poison"),
    ),
    Risk(
        2, "Confabulation",
        "hallucination evaluation and monitor against a table of facts; corrections improve what people mend",
        ("LLM09:2025",), always=True,
    ),
    Risk(
        3, "Dangerous, Violent, or Hateful Content",
        "toxicity transform on the data, toxicity and refusal evaluations, moderation guard",
        tasks=_words("chat completion"),
        abuse=_words("violence violent hate harassment terrorism self-harm suicide crime theft weapon weapons drugs"),
    ),
    Risk(
        4, "Data Privacy",
        "pii transform on the data, pii guard on traffic; removals of each data step keep row and reason",
        ("LLM02:2025",), abuse=_words("privacy doxxing surveillance stalking"), always=True,
    ),
    Risk(
        5, "Environmental Impacts",
        "training_flops of each model in its metadata, cost policy with a budget, performance evaluation",
        tiers=_words("limited high"),
    ),
    Risk(
        6, "Harmful Bias or Homogenization",
        "label transform, then exact-match by label: compare groups before promotion",
        tiers=_words("high"), abuse=_words("discrimination bias hate"),
    ),
    Risk(
        7, "Human-AI Configuration",
        "tell people that they talk to a machine (AI Act, Art. 50); require over_refusal_rate, and ask for feedback",
        ("LLM06:2025",), tasks=_words("chat"),
    ),
    Risk(
        8, "Information Integrity",
        "hallucination monitor; mark generated text (AI Act, Art. 50); mlm trace leads from a response to its data",
        ("LLM09:2025",), tasks=_words("summarization vision"),
        abuse=_words("disinformation misinformation fraud deepfake"),
    ),
    Risk(
        9, "Information Security",
        "moderation guard, limits of the gateway on length and queue, robustness evaluation",
        ("LLM01:2025", "LLM05:2025", "LLM07:2025", "LLM10:2025"),
        tasks=_words("chat code"), abuse=_words("malware hacking phishing intrusion cyberattack injection jailbreak"),
    ),
    Risk(
        10, "Intellectual Property",
        "license check on the model and its ancestors, exact and minhash transforms against memorized copies",
        tasks=_words("code completion vision"), abuse=_words("copyright plagiarism piracy"),
    ),
    Risk(
        11, "Obscene, Degrading, and/or Abusive Content",
        "toxicity transform and evaluation, moderation guard",
        tasks=_words("vision"), abuse=_words("sexual csam porn pornography obscene abuse"),
    ),
    Risk(
        12, "Value Chain and Component Integration",
        "license check, digests at admission; mlm trace --down names what came from a bad source",
        ("LLM03:2025", "LLM04:2025"), abuse=_words("poisoning backdoor"), always=True,
    ),
)  # fmt: skip
