"""The salons."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from ai_admin.companies.model import Company
from ai_admin.errors import CompanyMissing
from ai_admin.zones import zone_named
from trueup.tables import Ends, Repository, Table


class Companies(Repository[Company]):
    """Reads and writes salons; a salon is a tenant, so every call names which one."""

    table = Table(
        "public.companies",
        Company,
        primary_key=("id",),
        conflict_key=("company_id",),
        insert_only=("created_at",),
        touch="updated_at",
        marker=Ends("marketplace_user_email", "@example.test"),
    )

    def by_id(self, company_id: int) -> Company | None:
        """Return a salon."""
        return self.find_one(company_id=company_id)

    def change(self, company_id: int, changes: Mapping[str, object]) -> Company:
        """Change columns of a salon and return it as it is stored.

        Raises:
            CompanyMissing: there is no such salon.
        """
        changed = self.update(changes, company_id=company_id)
        if not changed:
            raise missing(company_id)
        return changed[0]

    def zone(self, company_id: int) -> ZoneInfo:
        """Return where a salon's days begin and end.

        Raises:
            CompanyMissing: there is no such salon.
            UnknownZone: this machine doesn't know its time zone.
        """
        company = self.by_id(company_id)
        if company is None:
            raise missing(company_id)
        return zone_named(company.timezone)

    def ids_to_sync(self) -> list[int]:
        """Return the ids of the salons that are connected and to be synced, in their order."""
        found = self.find_many(sync_enabled=True, disconnected_at=None, order_by="company_id")
        return [company.company_id for company in found]

    def count_connected(self) -> int:
        """Return how many salons WhatsApp is connected for."""
        return self.count(whatsapp_connected=True)


def missing(company_id: int) -> CompanyMissing:
    """Return the error for a salon that is not there."""
    return CompanyMissing(f"there is no company {company_id}: sync it first")
