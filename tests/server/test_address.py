from __future__ import annotations

import socket

import pytest
from django.core.management.base import CommandError

from campone.management.commands.serve import require_free_address


class TestAnAddress:
    def test_in_use_is_refused(self) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as listening,
            pytest.raises(CommandError, match="Cannot listen on"),
        ):
            require_free_address("127.0.0.1", listening.getsockname()[1])

    def test_shared_with_a_stranger_who_would_share_is_refused_too(self) -> None:
        with (
            socket.create_server(("127.0.0.1", 0), reuse_port=True) as listening,
            pytest.raises(CommandError, match="Cannot listen on"),
        ):
            require_free_address("127.0.0.1", listening.getsockname()[1])

    def test_that_does_not_exist_is_refused_in_one_sentence(self) -> None:
        with pytest.raises(CommandError, match="Cannot listen on"):
            require_free_address("127.0.0.1", 99999)

    def test_that_is_free_may_be_served(self) -> None:
        require_free_address("127.0.0.1", 0)
