"""Our employees, indexed for the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict, Field

from routing.numbers.plans import without_mobile_nine


class Employee(BaseModel):
    """A person of ours. crm_user_id: None = not mapped to the CRM. is_active: as the CRM says of the mapped user.

    extensions: the first is the one that is rung. sip, numbers: other addresses on which they answer (numbers E.164).
    gets_missed_calls: whether a template gives them missed calls of callers who are nobody's yet.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    email: str = ""
    crm_user_id: str | None = None
    extensions: tuple[str, ...] = ()
    sip: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    is_active: bool = True
    is_senior: bool = False
    deputy_id: str | None = None
    group: str | None = None
    gets_missed_calls: bool = True


class Staff(BaseModel):
    """All employees of an account at one version, indexed for the rules. Build it with `Staff.of`.

    gone_users: CRM users who are deactivated or removed, employees of ours or not. admin_user: the CRM user who is there
    for what nobody else can be given, None = not known.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    version: int = 0
    employees: tuple[Employee, ...] = ()
    gone_users: tuple[str, ...] = ()
    admin_user: str | None = None
    by_id: Mapping[str, Employee] = Field(default_factory=dict, exclude=True, repr=False)
    by_crm_user: Mapping[str, Employee] = Field(default_factory=dict, exclude=True, repr=False)
    by_address: Mapping[str, Employee] = Field(default_factory=dict, exclude=True, repr=False)

    @classmethod
    def of(
        cls,
        employees: Iterable[Employee],
        version: int = 0,
        *,
        gone_users: Iterable[str] = (),
        admin_user: str | None = None,
    ) -> Staff:
        people = tuple(employees)
        by_address: dict[str, Employee] = {}
        for person in people:
            for address in (*person.extensions, *person.sip, *map(without_mobile_nine, person.numbers)):
                by_address.setdefault(address.lower(), person)
        by_address = {**_by_login(people), **by_address}
        return cls(
            version=version,
            employees=people,
            gone_users=tuple(sorted(gone_users)),
            admin_user=admin_user,
            by_id={p.id: p for p in people},
            by_crm_user={p.crm_user_id: p for p in people if p.crm_user_id},
            by_address=by_address,
        )

    @property
    def senior(self) -> Employee | None:
        return next((p for p in self.employees if p.is_senior), None)

    def can_be_given_work(self, person: Employee | None) -> bool:
        """Say whether the CRM takes them as responsible."""
        return person is not None and person.is_active and person.crm_user_id not in (None, *self.gone_users)

    def is_gone(self, person: Employee | None) -> bool:
        """Say whether the CRM is known to have switched them off. Of somebody just hired nothing is known yet."""
        return person is not None and person.crm_user_id in self.gone_users

    def stand_ins(self, person: Employee | None) -> tuple[tuple[str, str], ...]:
        """Who gets what cannot be given to this person: (CRM user, what they are), the best first.

        What they are: "deputy", "senior" or "admin". A deputy who cannot be given work either has a deputy, too.
        """
        found: dict[str, str] = {}
        for start, what in ((person, "deputy"), (self.senior, "senior")):
            if start is not None and what == "senior" and start.crm_user_id and self.can_be_given_work(start):
                found.setdefault(start.crm_user_id, what)
            for deputy in self._deputies(start):
                if deputy.crm_user_id and self.can_be_given_work(deputy):
                    found.setdefault(deputy.crm_user_id, "deputy")
        if self.admin_user is not None:
            found.setdefault(self.admin_user, "admin")
        return tuple((user, what) for user, what in found.items() if not person or user != person.crm_user_id)

    def users_instead_of(self, user_id: str) -> tuple[str, ...]:
        """CRM users who get what the CRM would not give to this one, the best first."""
        return tuple(user for user, _ in self.stand_ins(self.by_crm_user.get(user_id)) if user != user_id)

    def _deputies(self, person: Employee | None) -> Iterable[Employee]:
        """One after the other, each once, circles or not."""
        met = {person.id} if person else set()
        while person is not None and person.deputy_id is not None and person.deputy_id not in met:
            met.add(person.deputy_id)
            person = self.by_id.get(person.deputy_id)
            if person is not None:
                yield person

    def employee_at(self, address: str | None) -> Employee | None:
        """address: an extension, SIP login (`sip:` and the domain may be there) or an E.164 number. None when nobody's."""
        if not address:
            return None
        key = address.lower().removeprefix("sip:")
        user = without_mobile_nine(key.partition("@")[0])
        return self.by_address.get(key) or self.by_address.get(user)

    def employee_spelled(self, address: str | None, *, eight_is_plus_seven: bool) -> Employee | None:
        """As `employee_at`; numbers also as PBXs spell them, without plus or with 8 for +7."""
        found = self.employee_at(address)
        if found or not address or len(address) < 10:
            return found
        digits = "".join(c for c in address if c.isdigit())
        found = self.employee_at(f"+{digits}")
        if not found and len(digits) == 11 and digits[0] == "8" and eight_is_plus_seven:
            found = self.employee_at(f"+7{digits[1:]}")
        return found


def _by_login(people: Iterable[Employee]) -> dict[str, Employee]:
    """By what stands before the host of a SIP account, where that is one person's only."""
    found: dict[str, list[Employee]] = {}
    for person in people:
        for account in person.sip:
            login, at, _ = account.lower().removeprefix("sip:").partition("@")
            if at and person not in found.setdefault(login, []):
                found[login].append(person)
    return {login: owners[0] for login, owners in found.items() if len(owners) == 1}
