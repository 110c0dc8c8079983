"""Which national numbers exist, in one expression per country code, taken from the metadata of phonenumbers.

The expression accepts exactly the numbers that `phonenumbers.is_valid_number` accepts, so that a well-formed number
need not be parsed while the phone rings.
"""

from __future__ import annotations

import re
from functools import cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberDesc

# Frequent callers first: alternatives are tried in this order.
_KINDS = (
    "mobile",
    "fixed_line",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)


def national_numbers(country_code: int, length: int) -> re.Pattern[str]:
    """Return an expression for `fullmatch`: the valid national numbers of a country code that have exactly this many digits."""
    regions, earlier = [], ""
    for region in COUNTRY_CODE_TO_REGION_CODE[country_code]:
        metadata = PhoneMetadata.metadata_for_region(region)
        if metadata is None:
            continue
        leading, shape = metadata.leading_digits, metadata.general_desc
        kinds = _patterns(metadata, length)
        if kinds and shape is not None and length in shape.possible_length:
            # A number belongs to the first region whose leading digits it has; later ones never get to see it.
            mine = f"(?={leading})" if leading else ""
            general = f"(?=(?:{shape.national_number_pattern})\\Z)"
            regions.append(f"{earlier}{mine}{general}(?:{kinds})")
        if leading:
            earlier += f"(?!{leading})"
    return re.compile("|".join(f"(?:{part})" for part in regions) or r"(?!)", re.ASCII)


def _patterns(metadata: PhoneMetadata, length: int) -> str:
    kinds: list[PhoneNumberDesc | None] = [getattr(metadata, kind) for kind in _KINDS]
    patterns = [k.national_number_pattern for k in kinds if k and length in k.possible_length]
    return "|".join(pattern for pattern in patterns if pattern)


@cache
def writes_810_abroad(region: str) -> bool:
    """Whether a call abroad begins with 8-10 there."""
    metadata = PhoneMetadata.metadata_for_region(region)
    return metadata is not None and metadata.international_prefix == "810"
