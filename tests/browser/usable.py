"""Whether everybody can use a page: what axe finds on it, and whether it fits the screen."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def violations(page: Page) -> list[Any]:
    """What axe finds against WCAG 2.2 AA and good practice: rule, and where."""
    found = Axe().run(page).response["violations"]
    return [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found]


def violations_in_both_lights(page: Page) -> list[Any]:
    """The same, light and dark."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [(scheme, *each) for each in violations(page)]
    return found


def beyond_the_edge(page: Page) -> int:
    """The pixels by which the page is wider than its window, once its stylesheet is there.

    Without the wait a page fresh from a form is measured bare: a click comes back when the answer arrives.
    """
    page.wait_for_load_state("load")
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
