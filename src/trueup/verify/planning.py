"""The plan that makes a target like its source, and what came of its proof."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from trueup.parity.schema.planning import Plan, Proof, planned, prove, scratch_version
from trueup.report.model import Finding, Verdict
from trueup.servers import EmbeddedServer
from trueup.verify.structure import schema_section
from trueup.verify.structure_pair import StructurePair


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """Is a plan with its proof."""

    pair: StructurePair
    plan: Plan
    proof: Proof | None
    """None: there was nothing to prove, or nobody wanted it."""

    @property
    def is_empty(self) -> bool:
        """Say whether nothing differs."""
        return not (self.plan.up or self.plan.down)

    @property
    def is_proved(self) -> bool:
        """Say whether everything that was planned was seen to work; nothing planned needs no proof."""
        return self.is_empty or (self.proof is not None and not self.proof.failures)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return what the proof could not try, and what differs after it that no statement changes."""
        return self.proof.remarks if self.proof else ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return why nothing is proved, or that nothing was there to compare."""
        if self.is_empty:
            return schema_section(self.pair.mine, self.pair.theirs, ()).findings
        reasons = self.proof.failures if self.proof else ("it was not run on a scratch server (--no-prove)",)
        return tuple(
            Finding(check="plan", verdict=Verdict.INCONCLUSIVE, severity=None, object="plan", message=reason)
            for reason in reasons
        )

    @property
    def verdict(self) -> Verdict:
        """Return `passed` where nothing differs or the plan is proved."""
        return Verdict.INCONCLUSIVE if self.findings else Verdict.PASSED

    @property
    def summary(self) -> Iterator[str]:
        """Yield what people want to know first."""
        source, target = self.pair.names
        if self.is_empty:
            yield f"{target} needs nothing to be like {source}: no difference was found."
        else:
            yield f"Makes {target}"
            yield f"like  {source}."
        if self.proof and not self.proof.failures:
            yield ""
            yield f"Proved on PostgreSQL {self.proof.version}: up leads to the source, and back to the start."
        for finding in self.findings:
            yield ""
            yield f"NOT PROVED: {finding.message}"
        for remark in self.remarks:
            yield f"Yet {remark}."
        if self.proof and self.proof.version != self.target_version:
            yield f"The target runs on PostgreSQL {self.target_version}, of which no scratch server is here."

    @property
    def target_version(self) -> int:
        """Return the major version of the target's server."""
        return self.pair.target.server_version // 10000


def plan_pair(pair: StructurePair, *, cache_folder: Path | None, announce: Callable[[str], None]) -> Planning:
    """Plan what makes the target like the source; proved on a scratch server where there is a folder for it."""
    announce("planning")
    source, target = pair.with_needs()
    maker = pair.target.user
    plan = planned(source, target, maker)
    if cache_folder is None or not (plan.up or plan.down):
        return Planning(pair=pair, plan=plan, proof=None)
    announce("proving the plan")
    version = scratch_version(pair.target.server_version // 10000)
    with EmbeddedServer(version, cache_folder=cache_folder) as server:
        proof = prove(plan, source, target, maker=maker, server=server)
    return Planning(pair=pair, plan=plan, proof=proof)
