from datetime import UTC, datetime

import pytest

from trueup.parity.data import Resumption
from trueup.report.model import Section, Verdict
from trueup.verify.resuming import resumed_section

WHOLE = Section(check="data", title="Rows", compared={"tables": 2})


@pytest.mark.parametrize(("is_of_one_moment", "verdict"), [(True, Verdict.PASSED), (False, Verdict.INCONCLUSIVE)])
def test_what_is_not_of_one_moment_never_passes(is_of_one_moment: bool, verdict: Verdict) -> None:
    began_at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    how = Resumption(began_at=began_at, runs=2, is_of_one_moment=is_of_one_moment, taken=3)

    section = resumed_section(WHOLE, how)

    told = " ".join((*section.notes, *(finding.message for finding in section.findings)))
    assert section.verdict is verdict
    assert "3 tables or parts of tables had been compared since 2026-11-23 12:00:00 UTC" in told
