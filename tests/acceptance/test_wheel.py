"""The built wheel does the main job in a place that knows nothing of the checkout."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_installed_wheel_verifies_away_from_the_checkout(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, capture_output=True)
    install = [tmp_path / "venv/bin/pip", "install", "-q", f"{wheel}[embedded]", "-c", ROOT / "constraints.txt"]
    subprocess.run(install, check=True, capture_output=True)
    place = tmp_path / "elsewhere"
    place.mkdir()

    done = subprocess.run(
        [tmp_path / "venv/bin/trueup", "verify", "--json"], cwd=place, capture_output=True, check=False
    )

    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert report["verdict"] == "passed"
    assert (place / "reports/report.html").exists()
