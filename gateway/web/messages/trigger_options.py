"""What the form of a trigger offers: places, events, conditions, and what its action names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from campaigns.states import takes_members
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.store.campaigns.campaigns import campaigns_of
from gateway.store.sms.connections import sms_connections
from gateway.web.matrix.choosers import ChooserOptions, Choosers, Option, OptionGroup, place_value
from gateway.web.messages.known_names import KnownNames
from gateway.web.messages.trigger_typed import TypedTrigger
from gateway.web.words.sorting import by_name
from routing.matrix.catalogue import Catalogue, CataloguePipeline, CatalogueStage
from routing.texts.catalogue import Texts
from routing.triggers.model import CAUSE_KINDS, CONDITION_TESTS
from routing.triggers.problems import NOT_TOLD
from runtime.database.pool import Conn
from sms.recipients import why_not_offered
from sms.templates import MACROS

_OF_DEALS = ("price", "tags", "responsible", "name", "pipeline", "stage", "contact.name")
_MACRO_OF = {"deal": "deal", "contact": "maincontact", "company": "company"}
_MACRO_GROUPS = (("maincontact", "contact"), ("deal", "deal"), ("user", ""), ("company", "company"))


class OfferedEmployee(NamedTuple):
    """why: they get nothing; shown only where they were chosen before."""

    id: str
    name: str
    is_chosen: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownToForm:
    """What an account has that a trigger names. campaigns: those that take numbers."""

    catalogue: Catalogue
    names: KnownNames
    providers: Sequence[str]
    senders: Sequence[str]
    campaigns: Sequence[str]


async def known_to_form(conn: Conn, account_id: str, hidden: Iterable[str] = ()) -> KnownToForm:
    """hidden: campaigns that the person does not see."""
    catalogue = await catalogue_of(conn, account_id)
    providers = await sms_connections(conn, account_id)
    campaigns = await campaigns_of(conn, account_id)
    out = set(hidden)
    return KnownToForm(
        catalogue=catalogue,
        names=KnownNames.of(catalogue),
        providers=[one.name for one in providers],
        senders=sorted({one.sender for one in providers if one.sender}),
        campaigns=[one.name for one in campaigns if takes_members(one.state) and one.name not in out],
    )


class TriggerOptions:
    """Of one form. given: what is chosen stays among the options though it is gone."""

    def __init__(self, texts: Texts, known: KnownToForm, given: TypedTrigger) -> None:
        self._texts, self._known, self._given = texts, known, given
        self._choose = Choosers(texts, known.catalogue)

    @property
    def places(self) -> ChooserOptions:
        found: list[Option | OptionGroup] = [("", self._texts.say("messages.trigger.choose_place"))]
        found += [self._pipeline(one) for one in self._known.catalogue.pipelines if not one.is_archived]
        return self._with(found, self._given.form.place)

    def _pipeline(self, one: CataloguePipeline) -> OptionGroup:
        anywhere = (place_value(one.id, None), self._texts.say("messages.trigger.any_stage", name=one.name))
        return one.name, [anywhere, *(self._stage(one, s) for s in one.stages)]

    def _stage(self, of: CataloguePipeline, one: CatalogueStage) -> Option:
        said = self._texts.say("messages.trigger.stage", pipeline=of.name, stage=one.name)
        return place_value(of.id, one.id), said

    def stages(self, chosen: str) -> ChooserOptions:
        """Where a deal goes afterwards."""
        return self._choose.places(
            chosen, unset=self._texts.say("messages.trigger.stage_stays"), needs_stage=True
        )

    def events(self, chosen: str) -> ChooserOptions:
        found = [(one, self._texts.word("trigger.on", one)) for one in CAUSE_KINDS if one not in NOT_TOLD]
        return self._with([("", self._texts.say("messages.trigger.no_event")), *found], chosen)

    def conditions(self, chosen: str) -> ChooserOptions:
        say, names = self._texts.say, self._known.names
        found: list[Option | OptionGroup] = [("", say("messages.trigger.no_condition"))]
        found.append((say("messages.trigger.of_deal"), [(of, say(f"messages.of.{of}")) for of in _OF_DEALS]))
        for entity in ("deal", "contact"):
            fields = [(id, name) for id, name in names.fields.items() if id.startswith(f"{entity}.")]
            if fields:
                found.append((say(f"messages.trigger.fields_{entity}"), sorted(fields, key=_by_text)))
        return self._with(found, chosen)

    @property
    def tests(self) -> Sequence[Option]:
        return [(test, self._texts.word("trigger.test", test)) for test in CONDITION_TESTS]

    @property
    def providers(self) -> ChooserOptions:
        return self._named(self._known.providers, self._given.form.provider)

    @property
    def campaigns(self) -> ChooserOptions:
        return self._named(self._known.campaigns, self._given.form.campaign)

    @property
    def connections(self) -> ChooserOptions:
        return self._named(self._known.catalogue.connections, self._given.form.connection)

    @property
    def targets(self) -> ChooserOptions:
        return targets(self._texts, self._known.catalogue, self._given.form.target)

    @property
    def employees(self) -> Sequence[OfferedEmployee]:
        """Those who can get a text; one who cannot any more stands there with the reason while they are chosen."""
        chosen, found = set(self._given.form.employees), []
        for person in sorted(self._known.catalogue.staff.employees, key=lambda p: by_name(p.name)):
            why = why_not_offered(person)
            if why is None or person.id in chosen:
                said = self._texts.word("sms.skip", why) if why else ""
                found.append(OfferedEmployee(person.id, person.name, person.id in chosen, said))
        return found

    @property
    def macros(self) -> Sequence[tuple[str, Sequence[Option]]]:
        """By whose they are; custom fields after the others."""
        groups = []
        for prefix, entity in _MACRO_GROUPS:
            own = [(m, self._texts.say(f"messages.macro.{m}")) for m in MACROS if m.startswith(f"{prefix}.")]
            fields = [f for f in self._known.catalogue.fields if f.entity == entity and f.name]
            more = sorted(((f"{prefix}.cf_{f.id}", f.name) for f in fields), key=_by_text)
            groups.append((self._texts.say(f"messages.macros.{prefix}"), [*own, *more]))
        return groups

    def macro(self, name: str) -> str:
        """Return what stands for it, in words."""
        return macro_said(self._texts, self._known.catalogue, name)

    def _named(self, names: Iterable[str], chosen: str) -> ChooserOptions:
        return self._with(
            [("", self._texts.say("messages.trigger.choose")), *((n, n) for n in names)], chosen
        )

    def _with(self, options: Sequence[Option | OptionGroup], chosen: str) -> ChooserOptions:
        return with_gone(self._texts, options, chosen)


def targets(texts: Texts, catalogue: Catalogue, chosen: str) -> ChooserOptions:
    """Who talks: the responsible, people with an extension, groups, templates."""
    staff = [p for p in catalogue.staff.employees if p.extensions and p.crm_user_id]
    people = sorted(((f"employee:{p.id}", p.name) for p in staff), key=_by_text)
    groups = sorted({p.group for p in catalogue.staff.employees if p.group})
    found: list[Option | OptionGroup] = [("responsible", texts.say("messages.target.responsible"))]
    if people:
        found.append((texts.say("messages.target.employees"), people))
    if groups:
        found.append((texts.say("messages.target.groups"), [(f"group:{g}", g) for g in groups]))
    if catalogue.templates:
        named = [(f"template:{name}", name) for name in catalogue.templates]
        found.append((texts.say("messages.target.templates"), named))
    return with_gone(texts, found, chosen or "responsible")


def with_gone(texts: Texts, options: Sequence[Option | OptionGroup], chosen: str) -> ChooserOptions:
    """Add what is chosen and stands nowhere: it is never replaced silently."""
    values = {value for value, text in options if isinstance(text, str)}
    values |= {value for _, inner in options if not isinstance(inner, str) for value, _ in inner}
    if not chosen or chosen in values:
        return options
    return [(chosen, texts.say("messages.trigger.gone", name=chosen)), *options]


def macro_said(texts: Texts, catalogue: Catalogue, name: str) -> str:
    if f"sms.macro.{name}" in texts.sentences:
        return texts.say(f"sms.macro.{name}")
    prefix, _, id = name.partition(".cf_")
    known = {(_MACRO_OF[f.entity], f.id): f.name for f in catalogue.fields}
    return known.get((prefix, id)) or name


def _by_text(option: Option) -> str:
    return by_name(option[1])
