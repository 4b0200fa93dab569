"""Reports as one self-contained HTML file. Imports jinja2, so only what renders imports this."""

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from trueup.report.model import Report
from trueup.report.page import (
    MOST_OF_A_NAME,
    development,
    explanation,
    groups,
    headline,
)
from trueup.report.site import MOST_FAILURES, Site
from trueup.report.text import printable
from trueup.report.wording import amounts, clip, duration, quantity

MOST_OPEN = 20
"""Findings up to which their details stand open: a short report is read whole, a long one is searched."""


def render(report: Report) -> str:
    """Return the page: one file without script that requests nothing, opens offline, prints, and fits a phone.

    It shows the worst findings of each check and counts the rest; it stays below 1.5 MB.
    """
    template = environment().get_template("report.html")
    return template.render(
        report=report,
        headline=headline(report),
        explanation=explanation(report),
        development=development(report),
        groups=groups(report),
        is_short=len(report.findings) <= MOST_OPEN,
        total_s=sum(seconds for _, seconds in report.phases),
        longest_s=max((seconds for _, seconds in report.phases), default=0.0),
    )


def render_site(site: Site) -> str:
    """Return the front page of a folder of reports: one file without script that requests nothing."""
    return environment().get_template("index.html").render(site=site, most_failures=MOST_FAILURES)


def breakable(text: str) -> Markup:
    """Return the text with places to break the line after the separators of names and addresses."""
    return Markup("<wbr>").join(re.split(r"(?<=[/@.:_])", printable(text)))


def name(text: str) -> Markup:
    """Return the name breakable, and cut to a size that can be read."""
    return breakable(clip(text, MOST_OF_A_NAME))


@cache
def environment() -> Environment:
    """Return what renders pages in the look of our reports."""
    found = Environment(
        loader=PackageLoader("trueup.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "amounts": amounts,
        "breakable": breakable,
        "clip": clip,
        "duration": duration,
        "name": name,
        "quantity": quantity,
    }
    return found


def _finalize(value: object) -> object:
    """Return what an expression of the template prints; markup is not text and stays as it is."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
