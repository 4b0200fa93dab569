"""Staff."""

from ai_admin.staff.model import StaffMember
from ai_admin.staff.repository import Staff

__all__ = ["Staff", "StaffMember"]
