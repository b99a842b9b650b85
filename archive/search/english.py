"""English words that are spelled otherwise elsewhere: colour and color, organise and organize.

A small set of rules, each for both sides. What they make of a word counts only where the archive has it
(`archive.search.spellings`), so they may make words that do not exist. Spellings that mean something else as well
(tyre and tire, cheque and check, kerb and curb) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MIN_LETTERS, MAX_LETTERS = 4, 32
"""Letters of a word that may have another spelling."""

_OUR = (
    "arb ard arm behavi cand clam col demean dol enam endeav fav ferv flav glam harb hon hum lab neighb od parl ranc"
    " rig rum sav savi splend succ tum val vap vig"
)
_PAIRS = (
    "aeroplane/airplane aesthet/esthet ageing/aging aluminium/aluminum anaem/anem anaesth/anesth archaeo/archeo"
    " artefact/artifact chequered/checkered cosy/cozy defence/defense diarrhoea/diarrhea disc/disk doughnut/donut"
    " encyclopaed/encycloped enquir/inquir enrol/enroll foet/fet fulfil/fulfill gaol/jail grey/gray gynaec/gynec"
    " haem/hem instal/install jewellery/jewelry judgement/judgment leukaem/leukem licence/license manoeuv/maneuv"
    " maths/math mediaev/mediev mould/mold moustache/mustache oedem/edem oesoph/esoph oestr/estr offence/offense"
    " omelette/omelet orthopaed/orthoped paed/ped palaeo/paleo plough/plow practise/practice pretence/pretense"
    " programme/program pyjamas/pajamas sceptic/skeptic skilful/skillful smoulder/smolder sulph/sulf whisky/whiskey"
    " wilful/willful woollen/woolen yoghurt/yogurt"
)
_ANYWHERE = tuple((f"{stem}our", f"{stem}or") for stem in _OUR.split())
"""What stands in a word on one side, and on the other."""
_FIRST = tuple((one, other) for one, _, other in (pair.partition("/") for pair in _PAIRS.split()))
"""What a word begins with on one side, and on the other."""
_RE = "calib|cent|fib|lit|lust|meag|met|mit|sab|scept|sepulch|somb|spect|theat"
_ENDINGS = tuple(
    (re.compile(rf"{pattern}\Z"), written)
    for pattern, written in (
        (r"(\w\w)is(e|ed|es|er|ers|ing|able|ation\w{0,5})", r"\1iz\2"),
        (r"(\w\w)iz(e|ed|es|er|ers|ing|able|ation\w{0,5})", r"\1is\2"),
        (r"(\w\w)ys(e|ed|es|er|ers|ing|able)", r"\1yz\2"),
        (r"(\w\w)yz(e|ed|es|er|ers|ing|able)", r"\1ys\2"),
        (rf"({_RE})re(s?)", r"\1er\2"),
        (rf"({_RE})er(s?)", r"\1re\2"),
        (rf"({_RE})r(ed|ing)", r"\1er\2"),
        (rf"({_RE})er(ed|ing)", r"\1r\2"),
        (r"(alog|ilog|olog)(s?)", r"\1ue\2"),
        (r"(alog|ilog|olog)ue(s?)", r"\1\2"),
        (r"([aeiou]\w*[^\Waeiou][aei])l(ed|ing|er|ers|or|ors|ist|ists|ous)", r"\1ll\2"),
        (r"([aeiou]\w*[^\Waeiou][aei])ll(ed|ing|er|ers|or|ors|ist|ists|ous)", r"\1l\2"),
    )
)


def other_spellings(word: str) -> Iterator[str]:
    """Yield what a folded English word may be on the other side of the ocean, whether or not there is such a word.

    >>> list(other_spellings("colours")), list(other_spellings("travelling"))
    (['colors'], ['traveling'])
    """
    if not MIN_LETTERS <= len(word) <= MAX_LETTERS:
        return
    for one, other in _ANYWHERE:
        if one in word or other in word:
            yield word.replace(*((one, other) if one in word else (other, one)), 1)
    for one, other in _FIRST:
        for here, there in ((one, other), (other, one)):
            if word.startswith(here):
                yield there + word[len(here) :]
    for ending, written in _ENDINGS:
        spelled = ending.sub(written, word)
        if spelled != word:
            yield spelled
