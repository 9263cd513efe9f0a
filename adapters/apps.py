"""Stock tills of known vendors: their words in, ours out."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AdaptersConfig(AppConfig):
    name = "adapters"
    verbose_name = _("Vendor adapters")

    def ready(self) -> None:
        """Put the card and the doors of the connections beside those of the bridge, our words beside the ledger's."""
        # All of these need the models.
        from adapters.card import CARD
        from adapters.door import DOOR
        from adapters.words import REMARKS
        from kasse import marks
        from pos_bridge.doors import DOORS
        from pos_bridge.pages.vendors import VENDOR_CARDS

        VENDOR_CARDS.append(CARD)
        DOORS.append(DOOR)
        for code, sentence in REMARKS.items():
            marks.REMARKS[code] = sentence  # type: ignore[assignment]  # a sentence, translated or still to be
