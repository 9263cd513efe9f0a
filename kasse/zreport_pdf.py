"""The Z-report on paper: A4, one page on most days. The same report gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import Align, TableBordersLayout, TableCellFillMode
from fpdf.fonts import FontFace, TTFFont

from kasse.zreport import Table, ZReport

FONTS = Path(__file__).parent / "fonts"
MARGIN, NUMBER, LINE = 18.0, 28.0, 5.0
"""Millimetres: round the page, for a column of figures, for a line."""
TOGETHER = 25
"""Lines up to which a table is kept on one page."""
PAGES = "\x02"
"""Stands for the number of pages, and in no text: the font does not have it."""
NOT_IN_THE_FONT = "\N{REPLACEMENT CHARACTER}"
INK, QUIET, RULE = (20, 20, 20), (90, 90, 90), (190, 190, 190)


def pdf_of(report: ZReport) -> bytes:
    """The report as a PDF. Its letters are Latin, Greek and Cyrillic; any other is written as the sign for that."""
    sheet = _Sheet(report)
    sheet.add_page()
    sheet.write_head()
    for table in report.tables:
        sheet.write_table(table)
    sheet.write_signature()
    return bytes(sheet.output())


class _Sheet(FPDF):
    """A report being written."""

    def __init__(self, report: ZReport) -> None:
        super().__init__(format="A4")
        self.report = report
        for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
            self.add_font("DejaVu", style, FONTS / name)
        self.alias_nb_pages(PAGES)
        self.set_margin(MARGIN)
        self.set_auto_page_break(auto=True, margin=MARGIN)
        self.set_draw_color(*RULE)
        self.set_title(report.title)
        self.set_author(report.campground)
        self.set_lang(get_language() or "de")
        # Not when it is written, but when it became final: every copy is the same file.
        self.set_creation_date(report.closed_at)

    def footer(self) -> None:
        """The report's name on every page, and which of how many it is."""
        self.set_y(-MARGIN + 4)
        self._write(8, QUIET)
        rest = f" · {self.report.title} · {self.page_no()}/{PAGES}"
        self.cell(
            0,
            4,
            self._cut(self._in_font(self.report.campground), to=self.epw - self.get_string_width(rest)) + rest,
            align=Align.C,
        )

    def write_head(self) -> None:
        """Whose report it is, which, and of when."""
        self._write(10, QUIET)
        self.multi_cell(0, LINE, self._in_font(self.report.campground), new_x="LMARGIN", new_y="NEXT")
        self._write(17, INK, bold=True)
        self.multi_cell(0, 9, self.report.title, new_x="LMARGIN", new_y="NEXT")
        self.ln(2)
        for label, value in self.report.facts:
            self._write(9, QUIET)
            self.cell(48, LINE, label)
            self._write(9, INK)
            self.multi_cell(0, LINE, self._in_font(value), new_x="LMARGIN", new_y="NEXT")

    def write_table(self, table: Table) -> None:
        """A title and its rows; a short table stays on one page, a long one repeats its headings."""
        if self.will_page_break(LINE * min(len(table.rows) + 5, TOGETHER)):
            self.add_page()
        self.ln(4)
        self._write(11, INK, bold=True)
        self.cell(0, 7, table.title, new_x="LMARGIN", new_y="NEXT")
        self._write(9, INK)
        figures = len(table.columns) - 1
        with self.table(
            width=self.epw,
            col_widths=(self.epw - NUMBER * figures, *[NUMBER] * figures),
            text_align=(Align.L, *[Align.R] * figures),
            line_height=LINE,
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            cell_fill_mode=TableCellFillMode.NONE,
            first_row_as_headings=any(table.columns),
            headings_style=FontFace(emphasis="", color=QUIET),
        ) as lines:
            for row in (table.columns, *table.rows):
                # On one line: a name of eighty line ends would make a row that no page can hold.
                lines.row([self._in_font(" ".join(cell.split())) for cell in row])
            if table.foot:
                lines.row(table.foot, style=FontFace(emphasis="BOLD"))

    def write_signature(self) -> None:
        """Where somebody signs."""
        if self.will_page_break(LINE * 6):
            self.add_page()
        self.ln(14)
        self._write(9, QUIET)
        half = self.epw / 2 - 6
        for place in (self.l_margin, self.l_margin + self.epw - half):
            self.line(place, self.get_y(), place + half, self.get_y())
        self.cell(self.epw - half, LINE, _("Date"))
        self.cell(half, LINE, _("Signature"))

    def _write(self, size: int, colour: tuple[int, int, int], *, bold: bool = False) -> None:
        self.set_font("DejaVu", "B" if bold else "", size)
        self.set_text_color(*colour)

    def _cut(self, text: str, *, to: float) -> str:
        """The text, or as much of it as so many millimetres hold."""
        if self.get_string_width(text) <= to:
            return text
        while text and self.get_string_width(f"{text}…") > to:
            text = text[:-1]
        return f"{text}…"

    def _in_font(self, text: str) -> str:
        """The text with what the font cannot write marked; it would vanish without a word."""
        text = "\n".join(text.splitlines()).replace("\t", " ")
        known = cast(TTFFont, self.fonts["dejavu"]).cmap
        return "".join(letter if letter == "\n" or ord(letter) in known else NOT_IN_THE_FONT for letter in text)
