"""The structure of a database as the server's own pg_dump tells it."""

import subprocess
from pathlib import Path

from trueup.conninfo import ConnInfo
from trueup.errors import Unverifiable
from trueup.servers import installations
from trueup.servers.wheel import REMEDY

PATIENCE_S = 120
RANDOM = ("\\restrict", "\\unrestrict", "--")
"""How lines begin that say nothing about the structure; a dump has another key each time."""


def dump_program(server_version: int) -> Path:
    """Return the pg_dump for a server of that major version, or a newer one.

    Raises:
        Unverifiable: none is here.
    """
    found = [each for each in installations() if each.version >= server_version]
    if not found:
        raise Unverifiable(f"there is no pg_dump for PostgreSQL {server_version} here: {REMEDY}")
    return Path(found[-1].program("pg_dump"))


def dump_structure(database: ConnInfo, program: Path) -> str:
    """Return the statements that make the structure of a database, without the table of migrations.

    Raises:
        Unverifiable: pg_dump failed; with what it said.
    """
    secrets = {name: secret.reveal() for name, secret in database.secrets.items()}
    address = ConnInfo(database.parameters).reveal()
    done = subprocess.run(
        [program, "--schema-only", "--no-password", "--exclude-table=*.schema_migrations", f"--dbname={address}"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
        env={"PATH": "/usr/bin:/bin"} | ({"PGPASSWORD": secrets["password"]} if "password" in secrets else {}),
    )
    if done.returncode != 0:
        raise Unverifiable(f"pg_dump of {database} failed: {database.hide_secrets(done.stderr).strip()}")
    return "".join(f"{line}\n" for line in done.stdout.splitlines() if line and not line.startswith(RANDOM))
