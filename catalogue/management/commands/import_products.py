"""``import_products --tenant SLUG FILE.csv``: fill a campground's catalogue, all rows or none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from catalogue.importing import ImportRefused, import_products
from tenants.fence import within
from tenants.management.campgrounds import campground_named


class Command(BaseCommand):
    help = (
        "Create or change products from a CSV file with the columns sku, name, category, unit_price, vat_rate, active."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("file", type=Path)

    @no_translations
    def handle(self, *args: Any, tenant: str, file: Path, **options: Any) -> None:
        """Import it, or name every bad row."""
        found = campground_named(tenant)
        try:
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
            with within(found):
                imported = import_products(tenant=found, lines=lines)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The file cannot be read: {error}") from None
        except ImportRefused as refused:
            report = "\n".join(f"  line {row.line}: {row.reason}" for row in refused.rows)
            raise CommandError(f"Nothing was imported.\n{report}") from None
        self.stdout.write(f"{imported.created} created, {imported.updated} updated, {imported.unchanged} unchanged")
