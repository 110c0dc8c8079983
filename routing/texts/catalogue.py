"""A catalogue of sentences in one language, and phrases: a key with the values that its sentence needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

Language = Literal["ru", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT_LANGUAGE: Language = "ru"


class Phrase(NamedTuple):
    """key: of a sentence in the catalogue. values: for its placeholders, phrases among them."""

    key: str
    values: Mapping[str, Value] = {}


class InLanguages(NamedTuple):
    """What was put into words before it was stored, in every language."""

    ru: str
    en: str


Value = str | int | float | Phrase | InLanguages | tuple["str | Phrase", ...]


def phrase(key: str, /, **values: Value) -> Phrase:
    return Phrase(key, values)


@dataclass(frozen=True, slots=True)
class Texts:
    """sentences: with `{name}`, and `{count:звонок|звонка|звонков}` for a number with its noun."""

    language: Language
    sentences: Mapping[str, str]

    def say(self, key: str, /, **values: Value) -> str:
        """Say it in this language. Raises KeyError for a key or a value that is missing: the tests of the catalogues keep both complete."""
        return self.sentences[key].format_map({name: self._value(v) for name, v in values.items()})

    def render(self, what: Phrase) -> str:
        return self.say(what.key, **what.values)

    def word(self, prefix: str, code: str) -> str:
        """Return the words for a code; of one that is not in the catalogue (an old row, a vendor's) the code itself."""
        found = self.sentences.get(f"{prefix}.{code}")
        return code if found is None else found

    def _value(self, value: Value) -> object:
        if isinstance(value, Phrase):
            return self.render(value)
        if isinstance(value, InLanguages):
            return value.en if self.language == "en" else value.ru
        if isinstance(value, tuple):
            return ", ".join(str(self._value(part)) for part in value)
        return _Count(value, self.language) if isinstance(value, int) else value


class _Count:
    """A whole number that brings its noun in the right form: `{n:звонок|звонка|звонков}`, `{n:call|calls}`."""

    def __init__(self, number: int, language: Language) -> None:
        self._number = number
        self._language = language

    def __str__(self) -> str:
        return str(self._number)

    def __format__(self, spec: str) -> str:
        if "|" not in spec:
            return format(self._number, spec)
        return f"{self._number} {spec.split('|')[plural_form(self._number, self._language)]}"


def plural_form(number: int, language: Language) -> int:
    """Which of the forms a noun takes: Russian 1 звонок, 2 звонка, 5 звонков; English 1 call, 2 calls."""
    if language == "en":
        return 0 if number == 1 else 1
    tens, ones = abs(number) % 100, abs(number) % 10
    if ones == 1 and tens != 11:
        return 0
    return 1 if ones in (2, 3, 4) and tens not in (12, 13, 14) else 2


def catalogues(ru: Mapping[str, str], en: Mapping[str, str]) -> Mapping[Language, Texts]:
    return {"ru": Texts("ru", ru), "en": Texts("en", en)}


_FOR_OTHERS = ".for-others"


def for_others(catalogues: Mapping[Language, Texts]) -> Mapping[Language, Texts]:
    """Return what those read who may set nothing up: of a sentence that orders to, the one beside it, `<key>.for-others`, which says
    whom to ask."""
    return {language: Texts(language, _of_others(texts.sentences)) for language, texts in catalogues.items()}


def _of_others(sentences: Mapping[str, str]) -> Mapping[str, str]:
    instead = {k.removesuffix(_FOR_OTHERS): said for k, said in sentences.items() if k.endswith(_FOR_OTHERS)}
    return {**sentences, **instead}
