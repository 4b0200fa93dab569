"""Who test data is: companies and phone numbers that no real person or salon can have.

A phone number begins with +7000. In the numbering plan of +7 the three digits behind it are a region or an operator,
and none of these begins with 0. The prefix is that of the stored form, in E.164, and every way of writing such a number
(`8 (000) …`, `7000…`) is stored with it.

A company has a negative id: YClients gives none. An address is at example.test, a domain that is never registered.

Source: phonenumbers' metadata of RU and KZ; RFC 2606 and RFC 6761 for the domain.
"""

from functools import cache
from pathlib import Path
from typing import Final

from ai_admin.phones import Phone
from trueup.settings import Settings

PHONE_PREFIX: Final = "+7000"
HALF: Final = 5_000_000
"""How many numbers factories have, counted by the database; as many are left for `test_phone`."""
FIRST_COMPANY: Final = -1_000_000_000
"""Below it are the companies of factories; those that a test numbers by hand are above."""


def company_id(number: int) -> int:
    """Return the id of a factory's company."""
    return FIRST_COMPANY - number


def phone(number: int) -> str:
    """Return the phone number of a factory's row."""
    return f"{PHONE_PREFIX}{number % HALF:07}"


def test_phone() -> Phone:
    """Return a number that no factory gives, and no other call: in this worker, another one, or a later run.

    Calls of one user of a machine are counted; after five million the first number comes again.
    """
    return Phone(f"{PHONE_PREFIX}{HALF + next_number(place()) % HALF:07}")


test_phone.__test__ = False  # type: ignore[attr-defined]  # For pytest, which takes it for a test by its name.


def next_number(file: Path) -> int:
    """Return a number that no other process gets from a file: its length, after one more byte.

    Each write goes to the end of the file, whoever else writes, and says where it ended.
    """
    with file.open("ab", buffering=0) as counter:
        counter.write(b".")
        return counter.tell()


@cache
def place() -> Path:
    """Return the file that counts the calls of `test_phone`."""
    folder = Settings.load().cache_folder
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "test-phones"
