"""The seed of a run, and that of each test: the same data again, whatever runs before it and in whichever process."""

import os
from hashlib import blake2b

import pytest

SEED = pytest.StashKey[int]()


def read_seed(config: pytest.Config) -> int:
    """Return the seed of the run: as given, as the controller of xdist has it, or a new one."""
    given = config.getoption("--trueup-seed")
    if given is not None:
        return int(given)
    return int(getattr(config, "workerinput", {}).get("trueup_seed", int.from_bytes(os.urandom(4))))


def seed_of(run_seed: int, node: str) -> int:
    """Return the seed of a test: 64 bits that depend on the run's seed and the test's id alone."""
    digest = blake2b(f"{run_seed} {node}".encode(), digest_size=8).digest()
    return int.from_bytes(digest)
