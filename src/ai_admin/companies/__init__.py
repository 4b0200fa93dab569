"""Companies: the salons, which are the tenants."""

from ai_admin.companies.model import Company
from ai_admin.companies.repository import Companies

__all__ = ["Companies", "Company"]
