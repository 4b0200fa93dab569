"""An address that no cluster can have: told by dask.distributed, which takes long to import."""

from threading import enumerate as living

import pytest

from trueup.errors import UsageError
from trueup.parity.data import open_cluster


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nowhere", "missing port"),
        ("nowhere:x", "invalid literal"),
        ("carrier-pigeon://nowhere:1", "unknown address scheme"),
    ],
)
def test_address_that_is_none_is_told_and_leaves_nothing_that_waits(address, said):
    before = {*living()}

    with pytest.raises(UsageError, match=said), open_cluster(address):
        pytest.fail("there is no cluster")

    assert {*living()} <= before
