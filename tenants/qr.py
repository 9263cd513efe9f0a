"""QR codes for tills that scan: an SVG in the page, without a style of its own."""

from __future__ import annotations

from django.utils.safestring import SafeString, mark_safe
from segno import make_qr


def qr_code(text: str) -> SafeString:
    """Dark on white in either appearance, as scanners want it; holds nothing but the pattern."""
    svg = make_qr(text, error="m").svg_inline(
        scale=4, border=4, omitsize=True, light="#fff", svgclass="qr", lineclass=None
    )
    return mark_safe(svg)  # noqa: S308 (numbers and paths made by segno; the text itself does not stand in it)
