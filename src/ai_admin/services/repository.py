"""The services of one salon."""

from collections.abc import Iterable

from ai_admin.columns import OF_TEST_COMPANY
from ai_admin.services.model import Service
from trueup.tables import Repository, Table, in_

BY_WEIGHT = ("-weight", "title")


class Services(Repository[Service]):
    """Reads and writes services, each recognised by its id at YClients."""

    table = Table(
        "public.services",
        Service,
        primary_key=("id",),
        conflict_key=("yclients_id", "company_id"),
        tenant="company_id",
        insert_only=("created_at",),
        touch="updated_at",
        marker=OF_TEST_COMPANY,
    )

    def active(self) -> list[Service]:
        """Return the services that are offered, the weightiest first, then by title."""
        return self.find_many(is_active=True, order_by=BY_WEIGHT)

    def all(self) -> list[Service]:
        """Return the services, those no longer offered included, in the order of `active`."""
        return self.find_many(order_by=BY_WEIGHT)

    def by_id(self, yclients_id: int) -> Service | None:
        """Return the service with an id at YClients."""
        return self.find_one(yclients_id=yclients_id)

    def in_category(self, category_id: int) -> list[Service]:
        """Return the services of a category that are offered, in the order of `active`."""
        return self.find_many(category_id=category_id, is_active=True, order_by=BY_WEIGHT)

    def titles(self, yclients_ids: Iterable[int]) -> dict[int, str]:
        """Return the titles of services by their ids at YClients; an id that is none is not among the keys."""
        ids = set(yclients_ids)
        found = self.find_many(yclients_id=in_(ids)) if ids else []
        return {service.yclients_id: service.title for service in found}
