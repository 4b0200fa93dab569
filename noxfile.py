"""The only entry point: `nox` runs the default sessions, `nox -s NAME` one of them, `nox -l` lists them."""

import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "unit", "integration", "repositories", "coverage", "docs"]

PYPROJECT = nox.project.load_toml("pyproject.toml")
UNUSED = ("-p", "no:anyio", "-p", "no:pytest_cov", "-p", "no:faker", "-p", "no:rerunfailures")
"""Plugins that unit tests don't use, and that each process would import."""
UNIT = ("pytest", "tests/unit", *UNUSED)
MEASURED = ("unit", "integration", "repositories")
COVERAGE = Path(".nox/measured").absolute()
REPORTS = Path("reports").absolute()
CORES = os.cpu_count() or 2
WORKERS = str(CORES + 1)
"""One more than there are cores: tests wait for servers."""
LEAST_NOTICED = 0.85
"""The share of planted defects that tests have to notice."""
BYTECODE = Path(".nox/bytecode").absolute()
"""Where compiled modules are, also in an environment that says PYTHONDONTWRITEBYTECODE: uv compiles nothing, and a test
process would compile for seconds."""


def install(session: nox.Session, *groups: str, extras: str = "embedded,health,salon") -> None:
    """Install the checkout, editable, and dependency groups, by constraints.txt; nothing where nothing has changed."""
    session.env.update(UV_SYSTEM_CERTS="1", UV_PYTHON_DOWNLOADS="never")
    session.env.update(PYTHONDONTWRITEBYTECODE="", PYTHONPYCACHEPREFIX=str(BYTECODE))
    requirements = nox.project.dependency_groups(PYPROJECT, *groups)
    sources = [Path(name).read_text() for name in ("pyproject.toml", "constraints.txt")]
    wanted = json.dumps([str(Path.cwd()), extras, requirements, sources])
    installed = Path(session.virtualenv.location, "installed.json")
    if installed.exists() and installed.read_text() == wanted:
        return
    installed.unlink(missing_ok=True)
    session.install("-q", "-e", f".[{extras}]", *requirements, "-c", "constraints.txt")
    installed.write_text(wanted)


def report_of(name: str) -> str:
    """Return the option that keeps a JUnit report for later sessions."""
    return f"--junitxml={REPORTS / 'tests' / name}.xml"


@contextmanager
def measured(session: nox.Session, name: str) -> Iterator[tuple[str, ...]]:
    """Give the words that run a module so that its coverage is kept under a name, for the session that combines it."""
    COVERAGE.mkdir(parents=True, exist_ok=True)
    for old in COVERAGE.glob(f"data.{name}*"):
        old.unlink()
    session.env["COVERAGE_FILE"] = str(COVERAGE / f"data.{name}")
    # By coverage and not by pytest-cov, which begins after pytest has imported our plugin, and with it parts of trueup.
    yield "coverage", "run", "-m"
    session.run("coverage", "combine", "-q")
    # A process that a test killed may have left a file that it had begun.
    for begun in COVERAGE.glob(f"data.{name}.*"):
        begun.unlink()


def run_in_shares(session: nox.Session, *command: str) -> None:
    """Run the unit tests in a process for each core, with its share of them; keep their JUnit reports as one.

    Side by side and not by xdist, where every process collects all tests, and sends each result to another one.
    """
    with TemporaryDirectory() as folder:
        parts = [Path(folder, f"{number}.xml") for number in range(1, CORES + 1)]
        shares = [(*command, "-q", f"--share={part.stem}/{CORES}", f"--junitxml={part}") for part in parts]
        try:
            run_side_by_side(session, *shares)
        finally:
            join(parts, REPORTS / "tests/unit.xml")


def run_side_by_side(session: nox.Session, *commands: tuple[str, ...]) -> None:
    """Run commands at the same time, and show what they print when all have ended; fail where one does."""

    def run(command: tuple[str, ...]) -> str | bool | None:
        return session.run(*command, silent=True)

    with ThreadPoolExecutor(len(commands)) as pool:
        runs = [pool.submit(run, command) for command in commands]
    for each in runs:
        session.log(each.result())


def join(parts: list[Path], whole: Path) -> None:
    """Write the test suites of JUnit reports into one; none where one is missing, since its tests weren't run."""
    whole.unlink(missing_ok=True)
    if all(part.exists() for part in parts):
        root = ET.Element("testsuites")
        root.extend(suite for part in parts for suite in ET.parse(part).getroot())  # noqa: S314 — our own
        whole.parent.mkdir(parents=True, exist_ok=True)
        ET.ElementTree(root).write(whole, encoding="utf-8", xml_declaration=True)


def heed_refusal(session: nox.Session) -> None:
    """Skip a session that starts servers where RUN_INTEGRATION_TESTS says no; neither yes nor no is an error."""
    word = os.environ.get("RUN_INTEGRATION_TESTS", "true").strip().lower()  # noqa: TID251 — no Settings here
    if word in {"false", "no", "off", "0"}:
        session.skip(f"RUN_INTEGRATION_TESTS is {word}")
    if word not in {"true", "yes", "on", "1", ""}:
        session.error("RUN_INTEGRATION_TESTS must be true or false")


def run_on_servers(session: nox.Session, name: str) -> None:
    """Run the tests below tests/NAME; one that lost a race with the clock runs once more, and is named."""
    heed_refusal(session)
    install(session, "test", "browser")
    options = [f"tests/{name}", report_of(name), "--reruns=1", "-rR"]
    with measured(session, name) as run:
        session.run(*run, "pytest", *options, *(session.posargs or ["-n", WORKERS]))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and layers."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-cache")
    session.run("zizmor", "--offline", "--no-progress", "--persona=pedantic", ".github")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, strictly."""
    install(session, "types")
    session.run("mypy")
    if any(Path("tests/typing").glob("*.py")):
        session.run("mypy", "tests/typing")


@nox.session
def unit(session: nox.Session) -> None:
    """Run the tests that need no server, and can't reach one, in seconds: the session coverage measures them."""
    install(session, "test", "browser")
    if session.posargs:
        session.run(*UNIT, report_of("unit"), *session.posargs)
    else:
        run_in_shares(session, *UNIT)


@nox.session
def integration(session: nox.Session) -> None:
    """Run the tests on real PostgreSQL servers."""
    run_on_servers(session, "integration")


@nox.session
def repositories(session: nox.Session) -> None:
    """Run the tests of ai_admin's repositories."""
    run_on_servers(session, "repositories")


@nox.session(requires=["unit", "integration", "repositories"])
def coverage(session: nox.Session) -> None:
    """Measure the unit tests, combine their coverage with the others'; fail below the limit; write reports/coverage."""
    heed_refusal(session)
    install(session, "test", "browser")
    with measured(session, "unit") as run:
        run_in_shares(session, *run, *UNIT)
    session.env["COVERAGE_FILE"] = str(COVERAGE / "combined")
    session.run("coverage", "combine", "--keep", *(str(COVERAGE / f"data.{name}") for name in MEASURED))
    pages = ("coverage", "html", "-d", str(REPORTS / "coverage"), "--fail-under=0")
    try:
        run_side_by_side(session, pages, ("coverage", "report"))
    finally:
        session.run("trueup", "report", "--report", str(REPORTS))


@nox.session
def docs(session: nox.Session) -> None:
    """Run the documentation's examples and check that it tells the truth."""
    install(session, "test")
    session.run("pytest", "tests/acceptance", *(session.posargs or ["-n", WORKERS]))


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Print measured ratios; posargs choose benchmarks by name, numbers and options among them are theirs."""
    install(session, "test", "bench")
    options = [word for word in session.posargs if word.isdecimal() or word.startswith("-")]
    names = [word for word in session.posargs if word not in options]
    for script in sorted(Path("tests/benchmarks").glob("bench_*.py")):
        if not names or any(name in script.stem for name in names):
            session.run("python", str(script), *options)


@nox.session(default=False)
def long(session: nox.Session) -> None:
    """Run what takes minutes: 50,000 transactions under faults, 10,000 cut commits, 1,000 kills, all flights."""
    install(session, "test")
    session.install("-q", "pip")
    session.run("pytest", "tests/integration", "tests/repositories", "-m", "long or whole_year", "-s", *session.posargs)


@nox.session(default=False)
def live(session: nox.Session) -> None:
    """Verify a live database by the nightly profile; it is only read, so a role with SELECT alone is enough."""
    given = {role: f"TRUEUP_LIVE_{role.upper()}" for role in ("target", "source")}
    named = {role: name for role, name in given.items() if os.environ.get(name)}  # noqa: TID251 — no Settings here
    if "target" not in named:
        session.skip(
            "no live database is named: set TRUEUP_LIVE_TARGET to the connection string of a role that may only read,"
            " and TRUEUP_LIVE_SOURCE to what it is held against, if anything"
        )
    install(session)
    words = [word for role, name in named.items() for word in (f"--{role}", f"env:{name}")]
    session.run("trueup", "verify", "--profile", "nightly", *words, "--report", str(REPORTS), *session.posargs)


@nox.session(default=False)
def mutation(session: nox.Session) -> None:
    """Plant defects in the modules of [tool.mutmut], one at a time; list those that no unit test notices."""
    install(session, "test", "mutation")
    shutil.rmtree("mutants", ignore_errors=True)
    log = Path(session.create_tmp(), "mutmut.log")
    with log.open("w") as progress:
        session.run("mutmut", "run", *session.posargs, stdout=progress)
    session.run("mutmut", "results")
    session.run("mutmut", "export-cicd-stats", silent=True)
    counts = json.loads(Path("mutants/mutmut-cicd-stats.json").read_text())
    noticed = counts["killed"] + counts["timeout"]
    planted = noticed + counts["survived"] + counts["no_tests"] + counts["suspicious"]
    session.log(f"{noticed} of {planted} planted defects were noticed: {noticed / planted:.1%}")
    if noticed < LEAST_NOTICED * planted:
        session.error(f"less than {LEAST_NOTICED:.0%}: write a test for those above")


@nox.session(default=False)
def matrix(session: nox.Session) -> None:
    """Try the PostgreSQL of servers that are given to tests for good: nox -s matrix -- postgresql://ADMIN@HOST/postgres."""
    if not session.posargs:
        session.skip("no server to try: nox -s matrix -- postgresql://ADMIN@127.0.0.1/postgres")
    install(session, "test")
    for server in session.posargs:
        given = session.run("python", "scripts/give_test_server.py", server, silent=True)
        session.run("pytest", "tests/acceptance/test_supported_version.py", f"--trueup-server={str(given).strip()}")
