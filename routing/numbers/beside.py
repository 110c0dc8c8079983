"""What stands beside numbers in a text and holds digits too: extensions, times, dates, money, ids, links.

`only_numbers` cuts it out, so that nothing but numbers is left to be read.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

CUT = "\n"
"""Stands where something was cut out: no number goes across it."""

_I = re.IGNORECASE
_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:19|20)\d\d"
_HOUR, _MINUTE = r"(?:[01]?\d|2[0-4])", r"[0-5][05]"

_CARRIES_NUMBER = re.compile(
    r"(?:wa\.me|t\.me|api\.whatsapp\.com|viber\.(?:click|me))/(?:send/?)?\+?([\d() -]{7,})"
    r"|[?&/](?:phone|number|tel|msisdn|contact)=\s*\+?([\d() -]{7,})",
    _I,
)
_LINK = re.compile(r"(?:\b[a-z][a-z+-]*://\S+|\b(?:[a-z0-9-]+\.)+[a-z]{2,}/\S*)", _I)
_CALL_LINK = re.compile(r"(?:tel|callto|sips?|phone)://", _I)
_MAIL = re.compile(r"[a-z0-9_.+-]*[a-z_][a-z0-9_.+-]*(?=@)|@[\w.-]+(?::\d+)?", _I)
_DOMAIN = re.compile(r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:ru|com|net|org|su|info|biz|by|kz|ua)\b(?!\s*\d)", _I)

_SCIENTIFIC = re.compile(r"(?<![\d.,])(\d)[.,](\d{6,14})e\+?(\d{1,2})(?!\d)", _I)
_OTHER_ENDING = re.compile(
    r"(?P<start>\+?\d(?:[ ().-]*\d){4,14}[ -]+)(?P<ending>\d\d)(?:\s*/\s*|\s+(?:и|или|and|or)\s+)(?P<other>\d\d)(?![\d:.]|[ -]?\d)",
    _I,
)
_SPREADSHEET = re.compile(r"(?<=\d{7})[.,]0{1,2}(?!\d)")
_PHONE_SHAPE = r"(?:\+?7|8)[\s(-]*\d{3}[\s)-]*\d{3}[\s-]*\d\d[\s-]*\d\d(?!\d)"
_CURRENCY = r"(?:руб\w*|₽|\$|€|usd|eur|тыс\w*|млн|тенге|тг\b|грн|сум\b|kzt|uah|byn)"
_THOUSANDS = r"\d{1,3}(?:[ .,]\d{3})+(?:[.,]\d{1,2})?(?![\d-])"

_NO_NUMBERS = tuple(
    re.compile(pattern, _I)
    for pattern in (
        r"\d[.,]\d+e\+?\d{1,2}",  # a spreadsheet's 7,9151E+10: the rest of the digits is lost
        # extensions
        r"\b(?:extn?|extension|доб(?:авочн\w*)?|внутр\w*|вн)\b[\s.:№#]*\d{1,7}(?![\d]|-\d)",
        r"(?<=[\d)])\s*[xх#*~]+\s*\d{1,7}(?!\d)",
        # dates and times
        rf"(?<![\d.]){_DAY}\.{_MONTH}\.(?:{_YEAR}|\d\d)(?![\d.-])",
        rf"(?<![\d/]){_DAY}/{_MONTH}/{_YEAR}(?!\d)",
        rf"(?<![\d)-]){_DAY}-{_MONTH}-{_YEAR}(?![\d-])",
        rf"(?<![\d)-]){_YEAR}[-./](?:0[1-9]|1[0-2])[-./](?:0[1-9]|[12]\d|3[01])(?!\d)",
        rf"(?<![\d:.-]){_HOUR}:[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?!\d)",
        rf"(?<![\d.(+-]){_HOUR}[.-]{_MINUTE}(?:\s+[-–—]?\s*|\s*[–—]\s*){_HOUR}[.-]{_MINUTE}(?![\d-])",
        rf"(?<![\d.(+-]){_HOUR}\.{_MINUTE}-{_HOUR}\.{_MINUTE}(?![\d-])",
        # money
        rf"(?<![\d-])(?:{_THOUSANDS}|\d+(?:[.,]\d+)?)\s*{_CURRENCY}",
        rf"(?<![\d-]){_THOUSANDS}\s*р\b",
        rf"(?:[$€₽]|\b(?:цена|сумма|бюджет|стоимость|оплата|долг|price|sum|budget)\b)[\s:=-]*(?:{_THOUSANDS}|\d{{1,9}}(?![\d ()-]))",
        # what authorities, banks and shops number
        r"\b(?:инн|кпп|огрн(?:ип)?|окпо|оквэд|бик|р/сч?[её]?т?|к/с|рс|кс|iban|imei|inn|vat|swift|ss?n)\b[\s:№#./-]*(?:кпп[\s:№#./-]*)?\d+(?:\s*/\s*\d+)*",
        r"\b(?:сч[её]т\w*|карт[аыеу]|card|account)\b[\s:№#.-]*(?:\d{4}[ -]?){4}\d{0,4}",
        r"\b(?:снилс)\b[\s:№#.-]*\d{3}[- ]?\d{3}[- ]?\d{3}[- ]?\d\d",
        r"\b(?:паспорт\w*|passport)\b\D{0,12}\d\d\s?\d\d\s?(?:№\s*)?\d{6}",
        rf"\b(?:заказ\w*|договор\w*|накладн\w*|заявк\w*|сч[её]т\w*|артикул|order|invoice|contract|id|uid)\b[\s:№#n.=-]*(?!{_PHONE_SHAPE})\d+(?![\d(]|[ -]\d)",
        # addresses
        r"\b(?:кв|оф|офис|дом|корп|стр|подъезд|этаж|индекс|ул|д)\b[\s.:№]*\d+(?:[/-]\d{1,3})?(?![\d-])",
    )
)  # fmt: skip
_LIST_MARK = re.compile(r"(?:^|(?<=[\n,;]))\s*\d{1,2}[).]\s+(?=[+(\d])")


def plain_signs(text: str) -> str:
    """Digits of any script as ours, spaces as spaces; marks that nobody sees dropped, %2B unescaped."""
    plain = text if text.isascii() else "".join(map(_character, text))
    if "%" in plain:
        plain = unquote(plain)
    return plain.replace("\r", "\n").replace("\t", "  ")


def _character(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    if category in ("Zl", "Zp"):
        return "\n"
    if character == "＋":
        return "+"
    return "" if category in ("Cf", "Mn", "Me") else character


def only_numbers(text: str) -> str:
    """Return the text with `CUT` for everything that is known to be no number. text: as `plain_signs` gives it."""
    if "/" in text:
        text = _LINK.sub(lambda link: _number_of(link[0]), text)
    text = _MAIL.sub(CUT, text) if "@" in text else text
    text = _SPREADSHEET.sub("", _SCIENTIFIC.sub(_written_out, _DOMAIN.sub(CUT, text)))
    for pattern in _NO_NUMBERS:
        text = pattern.sub(CUT, text)
    return _other_endings(_LIST_MARK.sub(CUT, text))


def _other_endings(text: str) -> str:
    """Write out numbers that differ in their last two digits: 555-00-04/05 are two."""
    while (found := _OTHER_ENDING.search(text)) is not None:
        whole = f"{found['start']}{found['ending']}{CUT}{found['start']}{found['other']}"
        text = text[: found.start()] + whole + text[found.end() :]
    return text


def _written_out(found: re.Match[str]) -> str:
    """Return a spreadsheet's 7.9165550033E+10 as digits, where it has kept all of them."""
    first, rest, exponent = found.groups()
    return first + rest if len(rest) == int(exponent) else found[0]


def _number_of(link: str) -> str:
    """Return the number that a link calls or writes to; anything else of it may hold any digits."""
    if (call := _CALL_LINK.match(link)) is not None:
        return link[call.end() :]
    found = _CARRIES_NUMBER.search(link)
    return f"{CUT}+{found[1] or found[2]}{CUT}" if found else CUT
