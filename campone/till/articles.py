"""The catalogue as a till keeps it: what can be sold, and for how much."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from campone.till.stopping import TillStopped


@dataclass(frozen=True, slots=True)
class Article:
    """One product of ``GET products/``; the price is gross, ``vat_rate`` the text the server gave."""

    sku: str
    name: str
    category: str
    unit_price: Decimal
    vat_rate: str
    currency: str


def articles_from(products: Iterable[Mapping[str, Any]]) -> list[Article]:
    """Everything on sale, in a stable order.

    Raises:
        TillStopped: nothing is on sale, so that there is nothing to sell.

    """
    articles = [
        Article(
            sku=product["sku"] or "",
            name=product["name"],
            category=product["category"] or "",
            unit_price=Decimal(product["unit_price"]),
            vat_rate=str(product["vat_rate"] or ""),
            currency=product["currency"],
        )
        for product in products
        if product["active"] and Decimal(product["unit_price"]) > 0
    ]
    if not articles:
        raise TillStopped("The catalogue has no active product with a price: there is nothing to sell.")
    return sorted(articles, key=lambda article: (article.name.casefold(), article.sku))


class PriceTags:
    """Gives any item name a price out of one catalogue, the same one every time."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self._by_name: dict[str, Article] = {}
        for article in articles:
            self._by_name.setdefault(article.name.casefold(), article)
        self._prices = sorted({article.unit_price for article in articles})

    def article_called(self, name: str) -> Article | None:
        """The product of that name, capitals or not."""
        return self._by_name.get(name.casefold())

    def price_of(self, name: str) -> Decimal:
        """The product's price; for a name the catalogue lacks, the price its hash points at.

        SHA-256 of the name in small letters, as a number, modulo the number of different catalogue
        prices, counted from the cheapest. So one name costs the same on every run and every computer,
        as long as the catalogue's prices stay.
        """
        if article := self.article_called(name):
            return article.unit_price
        digest = hashlib.sha256(name.casefold().encode()).digest()
        return self._prices[int.from_bytes(digest) % len(self._prices)]
