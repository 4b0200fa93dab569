"""The built wheel does the main job in a place that knows nothing of the checkout."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = shutil.which("uv")


def install(wheel: Path, place: Path) -> None:
    """Install a wheel and what it depends on in a place of its own; uv takes a second, pip a quarter of a minute."""
    environment = [UV, "venv", "--python", sys.executable] if UV else [sys.executable, "-m", "venv"]
    subprocess.run([*environment, place], check=True, capture_output=True)
    program = [UV, "pip", "install", "--python", place / "bin/python"] if UV else [place / "bin/pip", "install"]
    subprocess.run([*program, f"{wheel}[embedded]", "-c", ROOT / "constraints.txt"], check=True, capture_output=True)


def test_installed_wheel_verifies_away_from_the_checkout(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    install(wheel, tmp_path / "venv")
    place = tmp_path / "elsewhere"
    place.mkdir()

    done = subprocess.run(
        [tmp_path / "venv/bin/trueup", "verify", "--json"], cwd=place, capture_output=True, check=False
    )

    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert report["verdict"] == "passed"
    assert (place / "reports/report.html").exists()
