"""Where a database is and how to log in, with the password kept apart.

The driver, which takes long to import, is imported when a text is read or made: a server is started meanwhile.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self
from urllib.parse import quote

from trueup.errors import UsageError


class Secret:
    """Holds a text that is shown by nothing but `reveal`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not serialised")

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def hide_in(self, text: str) -> str:
        """Return `text` with every appearance of the secret, plain or percent-encoded, replaced by `…`."""
        forms = sorted({self._text, quote(self._text, safe="")} - {""}, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, forms)), "…", text) if forms else text


SECRET_PARAMETERS = frozenset({"password", "sslpassword", "oauth_client_secret"})


@dataclass(frozen=True, slots=True)
class ConnInfo:
    """Names a database by libpq's connection parameters; its text and repr show no secret.

    Source: PostgreSQL manual, "Connection Strings" and "Parameter Key Words".
    """

    parameters: Mapping[str, str]
    secrets: Mapping[str, Secret] = field(default_factory=lambda: MappingProxyType({}))
    label: str = ""
    """What people call it, where that says more than its address: the file that it was built from."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a libpq URI (`postgresql://…`) or a conninfo string (`host=… dbname=…`).

        Raises:
            UsageError: libpq can't read it. The message doesn't repeat the text, because it may hold a password.
        """
        from psycopg import ProgrammingError  # noqa: PLC0415  See above.
        from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415

        try:
            found = {name: str(value) for name, value in conninfo_to_dict(text).items() if value is not None}
        except ProgrammingError:
            raise UsageError(
                "not a PostgreSQL connection string (its text is not shown, it may hold a password); expected"
                " postgresql://USER@HOST:PORT/DATABASE or 'host=… port=… dbname=… user=…', with special characters"
                " of a URI percent-encoded"
            ) from None
        return cls(
            MappingProxyType({name: value for name, value in found.items() if name not in SECRET_PARAMETERS}),
            MappingProxyType({name: Secret(value) for name, value in found.items() if name in SECRET_PARAMETERS}),
        )

    def with_parameters(self, **changes: str) -> "ConnInfo":
        """Return the same connection with some parameters set otherwise."""
        return ConnInfo(MappingProxyType({**self.parameters, **changes}), self.secrets, self.label)

    def labelled(self, label: str) -> "ConnInfo":
        """Return the same connection under the name that people know it by."""
        return ConnInfo(self.parameters, self.secrets, label)

    def reveal(self) -> str:
        """Return the libpq conninfo string, secrets included: for the driver, never for people."""
        from psycopg.conninfo import make_conninfo  # noqa: PLC0415  See above.

        return make_conninfo("", **self.parameters, **{name: secret.reveal() for name, secret in self.secrets.items()})

    def hide_secrets(self, text: str) -> str:
        """Return `text` without this connection's secrets."""
        for secret in self.secrets.values():
            text = secret.hide_in(text)
        return text

    def __str__(self) -> str:
        """Return its label, or else its address: `postgresql://user@host:port/database` or `service=name`."""
        if self.label:
            return self.label
        if "service" in self.parameters and "dbname" not in self.parameters:
            return f"service={self.parameters['service']}"
        user, host = self.parameters.get("user"), self.parameters.get("host", "")
        port, database = self.parameters.get("port"), self.parameters.get("dbname", "")
        if host.startswith("/"):
            return f"postgresql:///{database} at socket {host}" + (f", port {port}" if port else "")
        authority = (f"{user}@" if user else "") + host + (f":{port}" if port else "")
        return f"postgresql://{authority}/{database}"

    def __repr__(self) -> str:
        return f"ConnInfo({str(self)!r})"
