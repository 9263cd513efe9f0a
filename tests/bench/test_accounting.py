"""The kernel's books."""

from __future__ import annotations

import os
import time

from bench.accounting import Process, cpu_seconds, memory_mib, read_proportional, read_stat, tree_of

STAT = "4711 (till (2) worker) S 42 4711 4711 0 -1 4194560 900 0 0 0 120 30 7 3 20 0 1 0 8000 1000000 250 1844"


class TestReadStat:
    def test_adds_own_time_and_that_of_children_that_have_ended(self) -> None:
        assert read_stat(STAT) == Process(pid=4711, parent=42, ticks=120 + 30 + 7 + 3)


class TestTreeOf:
    def test_is_the_root_with_all_its_descendants(self) -> None:
        server, worker, its_child, stranger = (
            Process(pid, parent, 1) for pid, parent in ((1, 0), (2, 1), (3, 2), (9, 0))
        )

        assert tree_of(1, [its_child, stranger, server, worker]) == [server, worker, its_child]

    def test_of_a_process_that_has_ended_is_empty(self) -> None:
        assert tree_of(7, [Process(8, 7, 1)]) == []


class TestCpuSeconds:
    def test_grow_with_work(self) -> None:
        before, until = cpu_seconds(os.getpid()), time.process_time() + 0.05

        while time.process_time() < until:
            pass

        assert cpu_seconds(os.getpid()) - before >= 0.03


class TestMemory:
    def test_reads_the_share_of_shared_pages(self) -> None:
        assert read_proportional("Rss:   9000 kB\nPss:   1234 kB\nPss_Dirty:  10 kB\n") == 1234 * 1024

    def test_of_this_process_is_some(self) -> None:
        assert memory_mib(os.getpid()) > 5
