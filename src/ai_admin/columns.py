"""What many tables have in common, each once: the types of columns, and what marks the rows of tests."""

from decimal import Decimal
from typing import Annotated, Any

from trueup.tables import Follows, Sql

Money = Annotated[Decimal, Sql("numeric(12,2)")]
Percent = Annotated[Decimal, Sql("numeric(5,2)")]
Score = Annotated[Decimal, Sql("numeric(3,2)")]
Count = Annotated[int, Sql("integer")]
Seconds = Annotated[int, Sql("integer")]
Json = Annotated[Any, Sql("jsonb")]

OF_TEST_COMPANY = Follows("public.companies", {"company_id": "company_id"})
"""Marks the rows of a company that a test made, whatever they hold and whoever wrote them."""
