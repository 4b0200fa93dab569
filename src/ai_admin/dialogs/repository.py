"""The dialogs of one salon."""

import datetime as dt
from collections.abc import Sequence

from ai_admin.columns import OF_TEST_COMPANY
from ai_admin.dialogs.model import Dialog
from trueup.tables import Repository, Table, Upserted


class Dialogs(Repository[Dialog]):
    """Reads and writes dialogs, each recognised by its user; the same user may talk to several salons."""

    table = Table(
        "public.dialog_contexts",
        Dialog,
        primary_key=("id",),
        conflict_key=("user_id", "company_id"),
        tenant="company_id",
        insert_only=("created_at",),
        touch="updated_at",
        marker=OF_TEST_COMPANY,
    )

    def of_user(self, user_id: str) -> Dialog | None:
        """Return the dialog with a user."""
        return self.find_one(user_id=user_id)

    def save_messages(
        self, user_id: str, messages: Sequence[object], *, last_command: str | None, now: dt.datetime
    ) -> Upserted[Dialog]:
        """Store what was said, and the last command; the rest of the dialog stays as it is."""
        return self.upsert(
            {
                "user_id": user_id,
                "messages": list(messages),
                "message_count": len(messages),
                "last_command": last_command,
                "last_activity": now,
            }
        )
