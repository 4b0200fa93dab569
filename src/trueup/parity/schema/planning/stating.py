"""The statements of a plan with what they do, which of them are withheld, and which run together. Does no I/O."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from trueup.parity.schema.model import ObjectKey
from trueup.parity.schema.planning.hazards import DUPLICATES, LOSES, hazards
from trueup.parity.schema.planning.locking import ALONE, APART, Form, gentle
from trueup.parity.schema.planning.order import Action
from trueup.parity.schema.planning.plan import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Is one statement of a plan."""

    sql: str
    about: ObjectKey
    hazards: tuple[str, ...] = ()
    """`needs a duplicate check: select …` holds the query that finds the duplicates, `converts: …` the rule."""
    is_withheld: bool = False
    """Whether it is shown and not to be run: it loses data, or hangs on a statement that does."""

    @property
    def is_alone(self) -> bool:
        """Say whether it can't share a transaction with others."""
        return not {ALONE, APART}.isdisjoint(self.hazards)

    @property
    def is_slow(self) -> bool:
        """Say whether it waits until others are done, and lets them go on."""
        return ALONE in self.hazards and " CONCURRENTLY " in self.sql.upper()


def stated(found: Iterable[Step], *, allow_loss: bool) -> tuple[Statement, ...]:
    """Return the statements of a way with their hazards; what loses data is withheld unless that is allowed."""
    listed = [(step, tuple(forms(step))) for step in found]
    lost = {step.action for step, each in listed if any(LOSES in form.hazards for form in each)}
    held = frozenset() if allow_loss else withheld(lost, [step for step, _ in listed])
    return tuple(
        Statement(sql=form.sql, about=step.action.key, hazards=form.hazards, is_withheld=step.action in held)
        for step, each in listed
        for form in each
    )


def withheld(lost: Iterable[Action], found: Iterable[Step]) -> frozenset[Action]:
    """Return the actions that hang on one of the lost ones: they follow it, or only make room for what does."""
    listed = list(found)
    held = set(lost)
    before = -1
    while before != len(held):
        before = len(held)
        held |= {step.action for step in listed if not held.isdisjoint(step.follows)}
        again = {key for verb, key in held if verb == "make"}
        held |= {step.action for step in listed if step.action.verb == "drop" and step.action.key in again}
    return frozenset(held)


def forms(step: Step) -> Iterator[Form]:
    """Yield the statements of a step, in a form that lets others write where there is one."""
    dangers = tuple(dict.fromkeys(hazards(step)))
    found = gentle(step)
    if found is None:
        yield from (Form(sql, dangers) for sql in step.statements)
        return
    told = tuple(danger for danger in dangers if danger.startswith(DUPLICATES))
    for number, form in enumerate(found):
        yield Form(form.sql, (*form.hazards, *told)) if number == 0 else form


def transactions(statements: Iterable[Statement]) -> Iterator[tuple[Statement, ...]]:
    """Yield what runs together: all or nothing, but for those that can't share a transaction."""
    for is_alone, group in groupby(statements, key=lambda statement: statement.is_alone):
        members = tuple(group)
        yield from zip(members) if is_alone else (members,)
