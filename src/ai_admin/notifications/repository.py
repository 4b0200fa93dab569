"""The notifications of one salon."""

import datetime as dt
from collections.abc import Sequence

from ai_admin.columns import OF_TEST_COMPANY
from ai_admin.notifications.model import Notification
from trueup.tables import Repository, Table, TenantMissing, gte, in_

COUNT_BY_TYPE = """
    select notification_type, count(*)
    from booking_notifications
    where company_id = %s
      and sent_at >= %s
    group by notification_type
    order by count(*) desc, notification_type
"""


class Notifications(Repository[Notification]):
    """Reads and writes notifications; what was sent is never changed by sending it again."""

    table = Table(
        "public.booking_notifications",
        Notification,
        primary_key=("id",),
        conflict_key=("yclients_record_id", "notification_type", "company_id", "notification_date"),
        tenant="company_id",
        insert_only=("phone", "message", "sent_at", "status", "error_message", "created_at", "id"),
        marker=OF_TEST_COMPANY,
    )

    def create(self, notification: Notification) -> Notification | None:
        """Store a notification and return it; None if one of its kind about this booking was stored that day.

        Of two that do this at once, one gets None: whoever gets a row is the one to send.
        """
        done = self.upsert(notification)
        return done.row if done.status == "inserted" else None

    def recent(
        self, yclients_record_id: int, *, since: dt.datetime, types: Sequence[str] | None = None
    ) -> list[Notification]:
        """Return what was sent about a booking since then, the latest first; no types at all find nothing."""
        conditions: dict[str, object] = {"yclients_record_id": yclients_record_id, "sent_at": gte(since)}
        if types is not None:
            if not types:
                return []
            conditions["notification_type"] = in_(types)
        return self.find_many(conditions, order_by="-sent_at")

    def is_duplicate(self, yclients_record_id: int, notification_type: str, *, since: dt.datetime) -> bool:
        """Return whether a notification of the kind was sent about a booking since then."""
        return self.exists(
            yclients_record_id=yclients_record_id, notification_type=notification_type, sent_at=gte(since)
        )

    def on_day(
        self, yclients_record_id: int, day: dt.date, *, types: Sequence[str] | None = None
    ) -> list[Notification]:
        """Return what was sent about a booking on a day of the salon, the latest first; no types find nothing."""
        conditions: dict[str, object] = {"yclients_record_id": yclients_record_id, "notification_date": day}
        if types is not None:
            if not types:
                return []
            conditions["notification_type"] = in_(types)
        return self.find_many(conditions, order_by="-sent_at")

    def count_by_type(self, *, since: dt.datetime) -> dict[str, int]:
        """Return how many of each kind the salon has sent since then, the most frequent first.

        Raises:
            TenantMissing: the repository is bound to no salon.
        """
        if not self.tenant:
            raise TenantMissing(f"{self.table.name}: counting needs a repository that is bound to one company_id")
        with self.db.connection() as connection:
            return dict(connection.execute(COUNT_BY_TYPE, [self.tenant["company_id"], since]).fetchall())
