"""Find personal data with presidio's pattern recognizers, without a model; prints [kind, start, end, score] a text."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from presidio_analyzer import predefined_recognizers as presidio

RECOGNIZERS = {
    "email": (presidio.EmailRecognizer, "EMAIL_ADDRESS"),
    "phone": (presidio.PhoneRecognizer, "PHONE_NUMBER"),
    "card": (presidio.CreditCardRecognizer, "CREDIT_CARD"),
    "iban": (presidio.IbanRecognizer, "IBAN_CODE"),
    "ip": (presidio.IpRecognizer, "IP_ADDRESS"),
    "url": (presidio.UrlRecognizer, "URL"),
    "ssn": (presidio.UsSsnRecognizer, "US_SSN"),
}


def main() -> None:
    """Take a JSON file: a list of texts."""
    logging.disable(logging.WARNING)
    recognizers = [(kind, recognizer(), entity) for kind, (recognizer, entity) in RECOGNIZERS.items()]
    texts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = [
        [
            (kind, result.start, result.end, result.score)
            for kind, recognizer, entity in recognizers
            for result in recognizer.analyze(text, [entity], None) or []
        ]
        for text in texts
    ]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
