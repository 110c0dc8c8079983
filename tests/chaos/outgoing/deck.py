"""Faults dealt from a shuffled deck: each comes at least once in every round, and where depends on the seed alone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from typing import Generic, TypeVar

Card = TypeVar("Card")


class Deck(Generic[Card]):
    """cards: how many of each are in it. dealt: how many were, of each."""

    def __init__(self, seed: str, cards: Mapping[Card, int]) -> None:
        self._random, self._cards = random.Random(seed), cards
        self._left: list[Card] = []
        self.dealt: Counter[Card] = Counter()

    def deal(self) -> Card:
        if not self._left:
            self._left = [card for card, count in self._cards.items() for _ in range(count)]
            self._random.shuffle(self._left)
        card = self._left.pop()
        self.dealt[card] += 1
        return card

    @property
    def missing(self) -> list[Card]:
        """Those that have not come yet."""
        return [card for card in self._cards if not self.dealt[card]]
