"""``import_sales --tenant SLUG FILE``: past sales of a till out of a file, through the same door as every other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from apikeys.models import ApiKey
from pos_bridge.importing.columns import Column, Layout, NotEnough, check_layout
from pos_bridge.importing.laying_out import below_line, changed, columns_named, letters_of
from pos_bridge.importing.models import ImportState, SalesImport
from pos_bridge.importing.report import faulty, report_row
from pos_bridge.importing.staging import as_json, layout_of, open_import, rows_of, stage
from pos_bridge.importing.tables import MOST_BYTES, FileRefused
from pos_bridge.importing.words import FILES, LAYOUTS
from pos_bridge.importing.working import work
from tenants.fence import within
from tenants.management.campgrounds import campground_named
from tenants.models import Tenant

MOST_TOLD = 200


class Command(BaseCommand):
    help = (
        "Import past sales from a CSV file or an Excel workbook. The columns are guessed from the words of the header; "
        "--map puts them right. Importing a file again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would become of each receipt; store nothing"
        )
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="COLUMN=TITLE",
            help=f"which column holds what, by its title, letter or number: {', '.join(Column)}",
        )
        parser.add_argument(
            "--payment", action="append", default=[], metavar="WORD=METHOD", help="what a word for payments means"
        )
        parser.add_argument("--key", metavar="PREFIX", help="the key whose till this was; it may be revoked")
        parser.add_argument("--header", type=int, metavar="ROW", help="the row of the titles; 0 if there is none")
        parser.add_argument("--prefix", default="", help="how references begin; import")
        parser.add_argument("file", type=Path)

    @no_translations
    def handle(self, *args: Any, tenant: str, file: Path, **options: Any) -> None:
        """Import it to its end, and name every receipt that was not taken."""
        found = campground_named(tenant)
        with within(found):
            made = self._open(found, file, options)
            stage(made, dry_run=options["dry_run"], at=timezone.now())
            self._run(made)
            self._report(made)

    def _open(self, tenant: Tenant, file: Path, options: dict[str, Any]) -> SalesImport:
        key = _key_of(tenant, options["key"])
        try:
            with file.open("rb") as opened:
                content = opened.read(MOST_BYTES + 1)
            made = open_import(tenant=tenant, name=file.name, content=content, by=None, at=timezone.now())
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error}") from None
        except FileRefused as refused:
            raise CommandError(str(FILES[refused.code])) from None
        try:
            made.layout = as_json(_laid_out(made, options))
        except NotEnough as lacking:
            layout = layout_of(made)
            made.delete()
            raise CommandError(f"{LAYOUTS[lacking.code]}\n{_told(layout)}") from None
        made.api_key = key
        made.save(update_fields=["layout", "api_key"])
        self.stderr.write(_told(layout_of(made)))
        return made

    def _run(self, made: SalesImport) -> None:
        """Piece by piece, with one line that tells how far it is."""
        while made.state == ImportState.RUNNING:
            work(made, at=timezone.now())
            made.refresh_from_db()
            self.stderr.write(f"\r{made.done} of {made.receipts}", ending="")
        self.stderr.write("")

    def _report(self, made: SalesImport) -> None:
        rows = list(faulty(made)[: MOST_TOLD + 1])
        for receipt in rows[:MOST_TOLD]:
            for fault in report_row(receipt, made).faults:
                column = f", {fault.column}" if fault.column else ""
                detail = f" ({fault.detail})" if fault.detail else ""
                self.stderr.write(f"row {fault.line}{column}: {fault.sentence}{detail}")
        if len(rows) > MOST_TOLD:
            self.stderr.write("… and more; the page of the import has all of them.")
        would = "would be " if made.is_dry_run else ""
        self.stdout.write(
            f"{would}created: {made.created}, already there: {made.replayed}, "
            f"in conflict: {made.conflict}, invalid: {made.invalid}"
        )


def _key_of(tenant: Tenant, prefix: str | None) -> ApiKey | None:
    if prefix is None:
        return None
    key = ApiKey.objects.of(tenant).filter(prefix=prefix).first()
    if key is None:
        raise CommandError(f"There is no key {prefix!r} at this campground.")
    return key


def _laid_out(made: SalesImport, options: dict[str, Any]) -> Layout:
    layout = layout_of(made)
    if options["header"] is not None:
        layout = below_line(layout, rows_of(made), options["header"], currency=made.tenant.currency)
    payments = dict(_pair(each) for each in options["payment"])
    columns = columns_named(layout, options["map"])
    layout = changed(layout, columns=columns, payments=payments, prefix=options["prefix"])
    check_layout(layout)
    return layout


def _pair(text: str) -> tuple[str, str]:
    word, _, method = text.rpartition("=")
    return word, method


def _told(layout: Layout) -> str:
    """The columns as they are understood."""
    titles = dict(enumerate(layout.titles))
    known = (f"{column}={titles.get(place) or letters_of(place)}" for column, place in layout.columns.items())
    return f"Columns: {', '.join(known) or 'none known'}. The file has: {', '.join(layout.titles)}."
