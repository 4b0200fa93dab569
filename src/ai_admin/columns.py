"""The types of columns that occur in many tables, each once."""

from decimal import Decimal
from typing import Annotated, Any

from trueup.tables import Sql

Money = Annotated[Decimal, Sql("numeric(12,2)")]
Percent = Annotated[Decimal, Sql("numeric(5,2)")]
Score = Annotated[Decimal, Sql("numeric(3,2)")]
Count = Annotated[int, Sql("integer")]
Seconds = Annotated[int, Sql("integer")]
Json = Annotated[Any, Sql("jsonb")]
