"""The staff of one salon."""

from collections.abc import Iterable

from ai_admin.columns import OF_TEST_COMPANY
from ai_admin.staff.model import StaffMember
from trueup.tables import Repository, Table, in_


class Staff(Repository[StaffMember]):
    """Reads and writes people, each recognised by their id at YClients."""

    table = Table(
        "public.staff",
        StaffMember,
        primary_key=("id",),
        conflict_key=("yclients_id", "company_id"),
        tenant="company_id",
        insert_only=("created_at",),
        touch="updated_at",
        marker=OF_TEST_COMPANY,
    )

    def active(self) -> list[StaffMember]:
        """Return who works there now, by name in the order of the database's collation."""
        return self.find_many(is_active=True, order_by="name")

    def all(self) -> list[StaffMember]:
        """Return everybody, those who have left included, in the order of `active`."""
        return self.find_many(order_by="name")

    def by_id(self, yclients_id: int) -> StaffMember | None:
        """Return the person with an id at YClients."""
        return self.find_one(yclients_id=yclients_id)

    def active_ids(self) -> list[int]:
        """Return the ids at YClients of who works there now, in their order."""
        return [member.yclients_id for member in self.find_many(is_active=True, order_by="yclients_id")]

    def names(self, yclients_ids: Iterable[int]) -> dict[int, str]:
        """Return the names of people by their ids at YClients; an id that is none is not among the keys."""
        ids = set(yclients_ids)
        found = self.find_many(yclients_id=in_(ids)) if ids else []
        return {member.yclients_id: member.name for member in found}
