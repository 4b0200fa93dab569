"""The clients of one salon."""

from ai_admin.clients.model import Client
from ai_admin.columns import OF_TEST_COMPANY
from ai_admin.phones import Phone
from trueup.tables import Repository, Table, contains


class Clients(Repository[Client]):
    """Reads and writes clients, each recognised by its id at YClients."""

    table = Table(
        "public.clients",
        Client,
        primary_key=("id",),
        conflict_key=("yclients_id", "company_id"),
        tenant="company_id",
        insert_only=("created_at", "created_by_ai"),
        touch="updated_at",
        marker=OF_TEST_COMPANY,
    )

    def by_phone(self, phone: Phone) -> Client | None:
        """Return the client with a number; of several the one who came last."""
        return self.find_one(phone=phone, order_by="-last_visit_date")

    def by_raw_phone(self, raw_phone: str) -> Client | None:
        """Return the client whose number the salon wrote exactly so; of several the one who came last."""
        return self.find_one(raw_phone=raw_phone, order_by="-last_visit_date")

    def by_id(self, yclients_id: int) -> Client | None:
        """Return the client with an id at YClients."""
        return self.find_one(yclients_id=yclients_id)

    def page(self, *, limit: int, after: Client | None = None) -> list[Client]:
        """Return the next clients in the order of their ids at YClients."""
        return self.find_many(order_by="yclients_id", limit=limit, after=after)

    def search(self, name: str, *, limit: int, after: Client | None = None) -> list[Client]:
        """Return clients with `name` anywhere in their name, whatever the case: who came last first."""
        return self.find_many(name=contains(name), order_by="-last_visit_date", limit=limit, after=after)
