"""JSON with everything that is known of each word: what scripts should read.

One object::

    {"language", "duration_ms",
     "segments": [{"start_ms", "end_ms", "text", "confidence", "language", "flags",
                   "words": [{"start_ms", "end_ms", "text", "confidence"}]}]}

Times are integer milliseconds, confidences 0 to 1 or null, a segment's language null where it is the
transcript's, flags as in `metadata.model.Flag`. Flagged
segments are here: whoever reads them sees that they are doubtful.
"""

from __future__ import annotations

import json

from metadata.captions.base import CaptionFormat
from metadata.model import Segment, Transcript


def write(transcript: Transcript) -> str:
    """Return the transcript as one JSON object."""
    document = {
        "language": transcript.language,
        "duration_ms": transcript.duration_ms,
        "segments": [_segment(segment) for segment in transcript.segments],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _segment(segment: Segment) -> dict[str, object]:
    return {
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
        "text": segment.text,
        "confidence": segment.confidence,
        "language": segment.language,
        "flags": [flag.value for flag in segment.flags],
        "words": [
            {"start_ms": word.start_ms, "end_ms": word.end_ms, "text": word.text, "confidence": word.confidence}
            for word in segment.words
        ],
    }


FORMAT = CaptionFormat(name="json", title="JSON", media_type="application/json", suffix=".json", write=write)
