"""Who is introduced or thanked, who tells their own name, and who is said not to be there, in the words of a recording.

Names count only where such words stand right before them, and only as somebody of the programme is called: in full, or
by a part that nobody else at the event has. Whatever can be read in two ways tells nothing: two names at once, a name
that goes on, somebody's student.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

from metadata.names import name_key

OTHERS = """
    speaker is, speaker will be, speaker today is, next speaker, please welcome, welcome to the stage,
    join me in welcoming, warm welcome to, big hand for, round of applause for, introduce, introduce to you,
    pleasure to welcome, happy to welcome, delighted to welcome, hand over to, hand you over to, handing over to,
    over to, floor is yours, floor to, floor goes to, you have the floor, hear from, hear now from, stage is yours,
    microphone to, rednerin ist, redner ist, referentin ist, referent ist, nächste rednerin, nächster redner,
    begrüße, begrüßen, begrüßen sie, herzlich willkommen, übergebe an, übergebe das wort an, wort an, wort hat,
    wort hat nun, wort hat jetzt, weiter an, vorstellen, applaus für, es spricht, es spricht nun, es spricht jetzt,
    accueillir, accueillons, applaudir, vous présente, vous présenter, la parole à, la parole est à,
    prochaine oratrice, prochain orateur, prochain intervenant, prochaine intervenante, oratrice est, orateur est,
    intervenant est, intervenante est, au tour de, bienvenue à, siguiente ponente, próximo ponente,
    próxima ponente, ponente es, siguiente orador, siguiente oradora, orador es, oradora es, conferenciante es,
    bienvenida a, les presento a, os presento a, presentar a, palabra a, tiene la palabra, palabra la tiene,
    aplauso para, recibamos a, reciban a, paso a, con ustedes, turno de, próximo orador, próxima oradora,
    próximo palestrante, próxima palestrante, orador é, oradora é, palestrante é, palavra a, palavra ao, palavra à,
    tem a palavra, apresento, apresentar, boas vindas a, palmas para, aplausos para, prossimo relatore,
    prossima relatrice, relatore è, relatrice è, la parola a, la parola è a, benvenuto a, vi presento, presentarvi,
    accogliamo, applauso a, applauso per, volgende spreker, spreker is, het woord aan, verwelkomen, welkom aan,
    следующий докладчик, следующая докладчица, приветствуем, 有请, 下一位演讲者是, 下一位讲者是, 次の発表者は
"""
"""What is said before the name of who speaks next."""
FLOOR = """
    you have the floor, the floor is yours, the stage is yours, has the floor, please go ahead, hat das wort,
    sie haben das wort, vorstellen, vorstellen zu, bitte schön, bitte sehr, a la parole, vous avez la parole,
    à vous la parole, c'est à vous, tiene la palabra, tiene usted la palabra, adelante, tem a palavra,
    ha la parola, prego, ga uw gang, さんお願いします, さんにお願いします
"""
"""What is said right after the name of who speaks next."""
CALLED = """
    my name is, my name's, mein name ist, ich heiße, je m'appelle, mon nom est, me llamo, mi nombre es, meu nome é,
    me chamo, chamo me, mi chiamo, il mio nome è, mijn naam is, ik heet, nazywam się, меня зовут, 我叫, 我的名字是,
    私の名前は
"""
"""What is said before one's own name and nothing else."""
BEING = """
    i am, i'm, ich bin, je suis, soy, eu sou, sou, sono, ik ben, 我是, 私は
"""
"""What is said before one's own name, and before much else."""
THANKS = """
    thank you, thanks, thank you so much, thank you very much, many thanks, thanks a lot, danke, danke schön,
    vielen dank, herzlichen dank, besten dank, merci, merci beaucoup, gracias, muchas gracias, obrigado, obrigada,
    muito obrigado, muito obrigada, grazie, grazie mille, dank je wel, dank u wel, bedankt, спасибо, 谢谢,
    ありがとうございます
"""
"""What is said before the name of who has spoken."""
AWAY = """
    is ill, is sick, is unwell, fell ill, fallen ill, cannot be, can't be, cannot come, can't come, cannot join,
    can't join, could not come, couldn't come, could not be, couldn't be, could not join, couldn't join, unable to,
    had to cancel, apologies, sends regrets, instead of, in place of, on behalf of, in the name of, in for,
    replaces, replacing, substitute for, substituting for, speaking for, speaks for, presenting for, krank,
    erkrankt, verhindert, nicht kommen, nicht hier, nicht dabei, abgesagt, anstelle, an stelle, statt, anstatt,
    in vertretung, vertritt, vertrete, für den erkrankten, im namen von, malade, souffrante, souffrant, empêché,
    empêchée, ne peut pas, n'a pas pu, n'est pas là, à la place de, au nom de, remplace, remplacer, enfermo,
    enferma, no puede, no ha podido, no pudo, no podrá, en lugar de, en vez de, sustituye, sustituir, sustituyo,
    reemplaza, en nombre de, doente, não pode, não pôde, no lugar de, em vez de, substitui, em nome de, malato,
    malata, ammalato, ammalata, non può, non ha potuto, al posto di, invece di, sostituisce, a nome di, is ziek,
    in plaats van, vervangt, namens
"""
"""What is said of somebody who does not speak."""
LATER = """
    later tomorrow afterwards yesterday spater danach gestern luego despues ayer demain ensuite depois amanha ontem
    dopo domani ieri straks
"""
"""What is said where somebody is named who does not begin now, folded."""
TITLES = """
    dr doctor doctora docteur dott dottor dottoressa prof professor professora professorin professeur professeure
    profesor profesora professore professoressa mr mrs ms miss mister sir dame lady herr herrn frau monsieur madame
    mademoiselle señor señora señorita don doña senhor senhora signor signora mevrouw meneer sheikh rabbi reverend
    the our my dear colleague kollege kollegin kollegen ihnen
"""
"""Words before a name that name nobody, folded."""
LINKS = """
    and und y et e en or oder ou o i 和 と
"""
PLACING = """
    from of at in the aus von vom der des dem den bei de du des da do dos das del della dello di la las los le les
    el van het our for für pour para per and und y et e
"""
"""Words before capitals that are a place, an institution or a book, and not somebody."""
AFTER = """
    and from of at i with the your und von vom aus der die das ich hier ihr et de du la le je votre y del el yo su e
    da do della io van ik here speaking working today で
"""
"""What may follow one's own name where only "I am" stands before it."""
DENIED = "auch nicht not no pas never nie nunca"
"""What may not follow a name."""
GAP = 10
"""Words between the opening and the name."""
NEARLY = 0.85
"""From which a label is somebody's name."""
LONGEST = 200
"""Characters of a label that are looked at."""
SIMILAR = 0.7
"""From which a name that nobody in the programme has may be one of theirs, heard wrongly."""

_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_\u3040-\u30ff\u3400-\u9fff]+|\d+")
_SENTENCE = re.compile(r"[.!?…。？！;]")


class Somebody(NamedTuple):
    """Somebody in a programme: a key of the caller's, and how they are called."""

    key: str
    name: str


What: TypeAlias = Literal["other", "self", "thanks", "away"]


@dataclass(frozen=True, slots=True)
class Naming:
    """What a text says of somebody.

    Attributes:
        what: ``other``: they are introduced; ``self``: who says it calls themselves so; ``thanks``: they are thanked;
            ``away``: they do not speak.
        person: the key of whom, or None for somebody who is not in the programme.
        start, end: where the words stand in the text, of which the last is the name.
    """

    what: What
    person: str | None
    start: int
    end: int


class _Token(NamedTuple):
    text: str
    folded: str
    start: int
    end: int

    @property
    def is_capital(self) -> bool:
        return self.text[:1].isupper() and self.folded not in _TITLES


class Names:
    """How the people of a session are called, to be looked for in texts.

    Args:
        people: those of the session's programme, each once.
        others: the names of those who are only elsewhere at the event: a part of a name that they have as well tells
            nothing.
    """

    def __init__(self, people: Iterable[Somebody], others: Iterable[str] = ()) -> None:
        people = list({person.key: person for person in people}.values())
        parts = {person.key: _name_parts(person.name) for person in people}
        every = [*parts.values(), *(_name_parts(name) for name in others)]
        self._full: dict[tuple[str, ...], set[str]] = {}
        for key, name in parts.items():
            for form in _forms(name):
                self._full.setdefault(form, set()).add(key)
        self._parts: Mapping[str, str] = {
            part: key
            for key, name in parts.items()
            if len(name) > 1
            for part in (name[0], name[-1])
            if sum(part in one for one in every) == 1 and len(part) > 1
        }
        self._spoken = [" ".join(name) for name in parts.values()]

    def namings(self, text: str) -> Iterator[Naming]:
        """Yield what a text says of people, in order."""
        tokens = [_Token(each[0], _fold(each[0]), each.start(), each.end()) for each in _TOKEN.finditer(text)]
        found: list[Naming] = []
        for at in range(len(tokens)):
            for what, openings in _OPENINGS:
                for first in _ends(tokens, at, openings):
                    found.extend(self._named(text, tokens, at, first, what, openings))
        found += self._given_the_floor(text, tokens)
        found = list(dict.fromkeys(found))
        here = {each.person for each in found if each.what != "thanks"}
        found = [each for each in found if each.what == "self" or not _is_later(text, tokens, each)]
        yield from sorted([*found, *self._away(text, tokens, here)], key=lambda each: (each.start, each.end))

    def called(self, label: str) -> str | None:
        """Return the key of whom a label names, with titles, another order or a small mistake, or None."""
        words = _name_parts(label[:LONGEST])
        keys = self._full.get(words, set())
        if not keys and len(words) > 1:
            spoken = " ".join(words)
            keys = {
                key for form, some in self._full.items() for key in some
                if len(form) > 1 and SequenceMatcher(None, spoken, " ".join(form)).ratio() >= NEARLY
            }  # fmt: skip
        if not keys and len(words) == 1 and (part := self._parts.get(words[0])):
            keys = {part}
        return next(iter(keys)) if len(keys) == 1 else None

    def _named(
        self, text: str, tokens: list[_Token], at: int, first: int, what: What, openings: Mapping[str, object]
    ) -> Iterator[Naming]:
        """Yield whom the words after an opening name, which ends before the token ``first``."""
        place, ahead = first, tokens[first - 1].end
        while place < len(tokens) and place - first <= GAP:
            if _parted(text, ahead, tokens, place):
                return
            run = _run(text, tokens, place)
            match = self._match(tokens, place, run, near=all(t.folded in _TITLES for t in tokens[first:place]))
            if match is not None:
                keys, end = match
                if len(keys) == 1 and _stands_alone(text, tokens, end) and (
                    openings is not _BEING or _only_being(text, tokens, end)
                ):  # fmt: skip
                    yield Naming(what, next(iter(keys)), tokens[at].start, tokens[end - 1].end)
                return
            if run > 1:
                placed = place > first and tokens[place - 1].folded in _PLACING
                if not placed:
                    if openings is not _BEING and self._is_strange(tokens[place : place + run]):
                        yield Naming(what, None, tokens[at].start, tokens[place + run - 1].end)
                    return
            if what != "other" and tokens[place].folded not in _TITLES:
                return  # the name follows at once
            cased = tokens[place].text[:1].isupper() or tokens[place].folded in _TITLES or text != text.lower()
            if not cased or _is_away(tokens, place):
                return
            ahead = tokens[place + max(run, 1) - 1].end
            place += max(run, 1)

    def _given_the_floor(self, text: str, tokens: list[_Token]) -> Iterator[Naming]:
        """Yield whom the words right before "you have the floor" name, and nothing else in that sentence."""
        for at in range(1, len(tokens)):
            end = next(_ends(tokens, at, _FLOOR, last=True), None)
            if end is None or _SENTENCE.search(text[tokens[at - 1].end : tokens[at].start]):
                continue
            for form, keys in self._full.items():
                first = at - len(form)
                named = tuple(token.folded for token in tokens[max(first, 0) : at]) == form
                goes_on = first > 0 and tokens[first - 1].is_capital and not text[
                    tokens[first - 1].end : tokens[first].start
                ].strip()  # fmt: skip
                if named and len(form) > 1 and len(keys) == 1 and not goes_on and not (
                    first > 0 and tokens[first - 1].folded in _LINKS
                ):  # fmt: skip
                    yield Naming("other", next(iter(keys)), tokens[first].start, tokens[end - 1].end)

    def _match(self, tokens: list[_Token], place: int, run: int, *, near: bool) -> tuple[set[str], int] | None:
        """Return the keys of whom the words from a place on name, and where the name ends."""
        for length in sorted({len(form) for form in self._full}, reverse=True):
            form = tuple(token.folded for token in tokens[place : place + length])
            if len(form) == length and form in self._full and (length > 1 or near):
                return self._full[form], place + length
        part = self._parts.get(tokens[place].folded)
        titled = tokens[place - 1].folded in _TITLES
        if part is not None and (titled or (near and run == 1)):
            return {part}, place + 1
        return None

    def _away(self, text: str, tokens: list[_Token], here: set[str | None]) -> Iterator[Naming]:
        """Yield who is said not to speak: whoever is named in the sentence, but for those who are introduced."""
        for start, end in _sentences(text):
            inside = [token for token in tokens if start <= token.start < end]
            if not any(_is_away(inside, at) for at in range(len(inside))):
                continue
            for at in range(len(inside)):
                for form, keys in self._full.items():
                    if tuple(token.folded for token in inside[at : at + len(form)]) == form:
                        yield from (
                            Naming("away", key, inside[at].start, inside[at + len(form) - 1].end)
                            for key in sorted(keys - {each for each in here if each})
                        )

    def _is_strange(self, name: Sequence[_Token]) -> bool:
        """Whether a name is nobody's in the programme, also if it was heard a little wrong."""
        spoken = " ".join(token.folded for token in name)
        return all(SequenceMatcher(None, spoken, known).ratio() < SIMILAR for known in self._spoken)


def _fold(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in bare if not unicodedata.combining(char))


def _words(text: str) -> tuple[str, ...]:
    return tuple(_fold(each[0]) for each in _TOKEN.finditer(text))


def _name_parts(name: str) -> tuple[str, ...]:
    parts = _words(name_key(name))
    return tuple(part for part in parts if part not in _TITLES) or parts


def _forms(name: tuple[str, ...]) -> set[tuple[str, ...]]:
    """Return the ways in which a name is said: whole, without what stands in the middle, and family name first."""
    if len(name) < 2:
        return {name} if name else set()
    initials = tuple(part for part in name[1:-1] if len(part) > 1)
    return {name, (name[0], *initials, name[-1]), (name[0], name[-1])} | ({name[::-1]} if len(name) == 2 else set())


def _compiled(phrases: str) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Return phrases, which have commas between, as folded words, by their first one, the longest first."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for phrase in phrases.split(","):
        words = _words(phrase)
        found.setdefault(words[0], []).append(words)
    return {first: tuple(sorted(each, key=len, reverse=True)) for first, each in found.items()}


_OTHERS, _FLOOR, _CALLED, _BEING, _THANKS, _AWAY = map(_compiled, (OTHERS, FLOOR, CALLED, BEING, THANKS, AWAY))
_OPENINGS: Sequence[tuple[What, Mapping[str, tuple[tuple[str, ...], ...]]]] = (
    ("other", _OTHERS), ("self", _CALLED), ("self", _BEING), ("thanks", _THANKS),
)  # fmt: skip
_LATER, _TITLES, _LINKS, _PLACING, _AFTER, _DENIED = (
    frozenset(_words(each)) for each in (LATER, TITLES, LINKS, PLACING, AFTER, DENIED)
)


def _ends(
    tokens: Sequence[_Token], at: int, phrases: Mapping[str, tuple[tuple[str, ...], ...]], *, last: bool = False
) -> Iterator[int]:
    """Yield where the longest phrase ends that begins at a place; ``last`` says that it may be all there is."""
    for phrase in phrases.get(tokens[at].folded, ()):
        whole = tuple(token.folded for token in tokens[at : at + len(phrase)]) == phrase
        if whole and (last or at + len(phrase) < len(tokens)):
            yield at + len(phrase)
            return


def _is_away(tokens: Sequence[_Token], at: int) -> bool:
    return any(
        tuple(token.folded for token in tokens[at : at + len(phrase)]) == phrase
        for phrase in _AWAY.get(tokens[at].folded, ())
    )


def _is_title(text: str, at: int) -> bool:
    """Whether what ends at a full stop is a title or an initial."""
    before = _TOKEN.findall(text[max(at - 12, 0) : at])
    return text[at] == "." and bool(before) and (_fold(before[-1]) in _TITLES or len(before[-1]) == 1)


def _sentences(text: str) -> Iterable[tuple[int, int]]:
    """Return where sentences begin and end."""
    bounds = [0, *(m.end() for m in _SENTENCE.finditer(text) if not _is_title(text, m.start())), len(text) + 1]
    return pairwise(bounds)


def _is_later(text: str, tokens: Sequence[_Token], naming: Naming) -> bool:
    """Whether the sentence in which somebody is named says that they speak another time."""
    start, end = next(each for each in _sentences(text) if each[0] <= naming.start < each[1])
    return any(token.folded in _LATER for token in tokens if start <= token.start < max(end, naming.end))


def _parted(text: str, ahead: int, tokens: Sequence[_Token], place: int) -> bool:
    """Whether a sentence ends between two places."""
    between = text[ahead : tokens[place].start]
    ends = [m.start() for m in _SENTENCE.finditer(between)]
    return any(not _is_title(text, ahead + end) for end in ends)


def _run(text: str, tokens: Sequence[_Token], place: int) -> int:
    """Return how many words in capitals follow one another from a place on, with nothing but spaces between."""
    end = place
    while end < len(tokens) and tokens[end].is_capital:
        if end > place and text[tokens[end - 1].end : tokens[end].start].strip(" -'’"):
            break
        end += 1
    return end - place


def _stands_alone(text: str, tokens: Sequence[_Token], end: int) -> bool:
    """Whether a name ends where it seems to, is nobody's possession, and is not one of several."""
    if end >= len(tokens):
        return True
    following, between = tokens[end], text[tokens[end - 1].end : tokens[end].start]
    if between in {"'", "’"} or (not between.strip() and (following.is_capital or following.folded in _DENIED)):
        return False
    if _SENTENCE.search(between):
        return True
    rest = tokens[end:]
    listed = following.folded in _LINKS
    for at, token in enumerate(rest[:12]):
        if at and _SENTENCE.search(text[rest[at - 1].end : token.start]):
            break
        if listed and at and rest[at - 1].folded in _LINKS:
            named = token.is_capital or token.folded in _TITLES - {"the", "our", "my", "dear"}
            if named:
                return False
        listed = listed or (bool(between.strip()) and rest[0].is_capital)
    return True


def _only_being(text: str, tokens: Sequence[_Token], end: int) -> bool:
    """Whether words like "I am" say who somebody is: "ich bin Noor Okafor dankbar" does not."""
    if end >= len(tokens):
        return True
    between = text[tokens[end - 1].end : tokens[end].start]
    return bool(between.strip()) or tokens[end].folded in _AFTER
