"""What one decision of the matrix has ordered so far; later actions of a cell refer to what earlier ones create."""

from __future__ import annotations

from collections.abc import Mapping

from routing.client import Client, ClientEntity, EntityKind, Ref
from routing.conditions import all_hold
from routing.decision import Fact, Step
from routing.effects import Effect, Order
from routing.matrix.by_template.turns import BookedTurn, template_named
from routing.matrix.model import Matrix
from routing.matrix.responsible import Chosen, closed_deal, first_of, open_deal, responsible
from routing.matrix.situation import Situation, facts_of
from routing.matrix.variables import rendered
from routing.orders import needs_of


class Plan:
    """The orders of one decision while it is made. client: as known, plus what has been ordered here."""

    def __init__(self, matrix: Matrix, situation: Situation, cell: str) -> None:
        self.matrix = matrix
        self.s = situation
        self.cell = cell
        self.client: Client = situation.client
        self.effects: list[Effect] = []
        self.steps: list[Step] = []
        self.rule = cell
        self.index = 0
        self.turns: dict[str, BookedTurn] = {}
        self.asked_templates: set[str] = set()
        self._people: dict[str, Chosen] = {}
        self._asked: Chosen | None = None
        self._shown: list[Chosen] = []
        self._keys = set(situation.ordered)
        self._deal: Ref | None = None

    def begin(self, index: int, what: str) -> None:
        """Begin with the action at `index` of the cell."""
        self.index, self.rule = index, f"{self.cell}#{index + 1}:{what}"
        self._asked = None

    def key(self, kind: str) -> str:
        """Return the key, with a number where those before came to nothing."""
        first = key = f"{self.s.call_id}:{kind}"
        again = 1
        while key in self.s.gone:
            again += 1
            key = f"{first}~{again}"
        return key

    def own_key(self, kind: str) -> str:
        """Return a key for actions of which a call may have several: by the cell's moment and the action's place in it."""
        return self.key(f"{kind}:{self.s.moment.value}:{self.index + 1}")

    def is_ordered(self, key: str) -> bool:
        return key in self._keys

    def skip(self, because: str, **facts: Fact) -> None:
        self.steps.append(Step(self.rule, "excluded", because, facts))

    def order(self, key: str, order: Order, because: str = "ordered", **facts: Fact) -> bool:
        """Order it; False when this call has ordered it already."""
        if self.is_ordered(key):
            self.skip("already_ordered", effect=key)
            return False
        self._keys.add(key)
        self._use_turn(key)
        self.effects.append(Effect(key=key, order=order, after=needs_of(order)))
        self.steps.append(Step(self.rule, "passed", because, {"effect": key, **facts}))
        return True

    def _use_turn(self, key: str) -> None:
        """Show how a template chose, where it did, and book its turn: for the first order that goes to that person."""
        asked = self._asked
        if asked is None:
            return
        if asked.steps and asked not in self._shown:
            self._shown.append(asked)
            self.steps += [
                step._replace(verdict="passed") if step.verdict == "decided" else step for step in asked.steps
            ]
        if asked.turn is not None:
            turn = self.turns.get(asked.turn.template, asked.turn)
            self.turns[turn.template] = turn.model_copy(update={"effects": (*turn.effects, key)})

    def promise(self, ref: Ref, name: str, owner: str | None) -> None:
        entity = ClientEntity(ref=ref, name=name, owner_id=owner)
        self.client = Client(number=self.client.number, entities=(*self.client.entities, entity))

    def use_deal(self, ref: Ref) -> None:
        self._deal = ref

    def deal(self) -> Ref | None:
        """Return the deal that this call is about: chosen or made by it, else the client's open one."""
        if self._deal:
            return self._deal
        ours = self.key("deal")
        if any(e.ref.effect == ours for e in self.client.entities):
            return Ref(kind="deal", effect=ours)
        found = open_deal(self.client)
        return found.ref if found else None

    def target(self, choice: str = "auto") -> Ref | None:
        """choice: "deal" and "contact" fall back to what there is. Open deal, contact, company, lead, closed deal."""
        deal = None if choice == "contact" else self.deal()
        if deal:
            return deal
        found = first_of(self.client, "contact", "company", "deal", "lead") or closed_deal(self.client)
        return found.ref if found else self._made_before()

    def _made_before(self) -> Ref | None:
        """Return what an earlier moment of this call ordered, where nobody has told us of it as an entity."""
        kinds: tuple[EntityKind, ...] = ("deal", "contact", "lead")
        made = (Ref(kind=kind, effect=self.key(kind)) for kind in kinds)
        return next((ref for ref in made if ref.effect in self.s.ordered), None)

    def person(self, choice: str) -> Chosen:
        """Owners may change with what is ordered, everybody else is looked for once."""
        if template := template_named(choice):
            self.asked_templates.add(template)
        chosen = self._people.get(choice)
        if chosen is None:
            chosen = responsible(choice, self.s, self.client)
            if not choice.startswith("owner"):
                self._people[choice] = chosen
        self._asked = chosen
        return chosen

    def text(self, source: str) -> str:
        return rendered(source, self.s)

    def tags(self, sources: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(tag for source in sources if (tag := self.text(source)))

    def fields(self, entity: str, own: Mapping[str, str], *, with_parameters: bool = True) -> dict[str, str]:
        """Values by CRM field; empty ones are left out. What the action says goes before a mapped parameter."""
        values: dict[str, str] = {}
        if with_parameters and self.matrix.parameters:
            facts = facts_of(self.s)
            for p in self.matrix.parameters:
                if p.entity == entity and (value := facts.get(p.parameter.lower())):
                    values[p.field] = value
        for field, source in own.items():
            if value := self.text(source):
                values[field] = value
        return values

    def pipeline(
        self, pipeline_id: str | None, stage_id: str | None, ignores_rules: bool
    ) -> tuple[str | None, str | None, str]:
        """(pipeline, stage, name of what decided): rule, action, matrix default, account default, the CRM's main one."""
        if self.matrix.pipeline_rules and not ignores_rules:
            facts = facts_of(self.s)
            for number, rule in enumerate(self.matrix.pipeline_rules, start=1):
                if all_hold(rule.when, facts):
                    return rule.pipeline_id, rule.stage_id, f"rule {number} {rule.name}".strip()
        if pipeline_id or stage_id:
            return pipeline_id, stage_id, "action"
        if self.matrix.default_pipeline_id:
            return self.matrix.default_pipeline_id, self.matrix.default_stage_id, "default"
        return self.s.settings.default_pipeline_id, None, "account"
