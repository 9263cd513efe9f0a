"""Secrets at rest: opened by whoever sealed them, for what they were sealed for, and by nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from tenants.sealing import SealBroken, seal, unseal

OLD, NEW = "old-" + "a1B2c3D4e5F6g7H8" * 4, "new-" + "z9Y8x7W6v5U4t3S2" * 4


class TestASealedText:
    @given(text=st.text(max_size=200))
    def test_opens_for_its_purpose(self, text: str) -> None:
        assert unseal(seal(text, purpose="sap:1"), purpose="sap:1") == text

    def test_shows_nothing_and_is_never_the_same_twice(self) -> None:
        first, second = seal("Kies und Tannen", purpose="sap:1"), seal("Kies und Tannen", purpose="sap:1")

        assert "Kies" not in first
        assert first != second

    @pytest.mark.parametrize("purpose", ["sap:2", "", "zettle:1"])
    def test_does_not_open_for_another(self, purpose: str) -> None:
        with pytest.raises(SealBroken) as broken:
            unseal(seal("Kies und Tannen", purpose="sap:1"), purpose=purpose)

        assert "Kies" not in str(broken.value)

    @pytest.mark.parametrize("damage", [lambda text: text[:-4], lambda text: "A" + text, lambda text: "", str.swapcase])
    def test_does_not_open_when_it_was_tampered_with(self, damage: object) -> None:
        sealed = seal("Kies und Tannen", purpose="sap:1")
        with pytest.raises(SealBroken):
            unseal(damage(sealed), purpose="sap:1")  # type: ignore[operator]

    def test_outlives_a_secret_key_that_stands_among_the_fallbacks(self, settings: Settings) -> None:
        settings.SECRET_KEY = OLD
        sealed = seal("Kies und Tannen", purpose="sap:1")
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]

        assert unseal(sealed, purpose="sap:1") == "Kies und Tannen"
        renewed = seal("Kies und Tannen", purpose="sap:1")
        settings.SECRET_KEY_FALLBACKS = []
        assert unseal(renewed, purpose="sap:1") == "Kies und Tannen"
        with pytest.raises(SealBroken):
            unseal(sealed, purpose="sap:1")
