"""How long the sender waits before it tries again."""

from __future__ import annotations

from lambda_src.message_sender.runtime import sender


def test_pauses_double_up_to_five_seconds_and_differ_between_workers() -> None:
    runs = [list(sender._backoff()) for _ in range(50)]
    for first, *pauses in runs:
        assert first == 0
        for pause, longest in zip(pauses, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5], strict=True):
            assert longest / 2 <= pause <= longest
    assert len({tuple(pauses) for pauses in runs}) == 50


def test_all_pauses_together_outlast_a_restart_and_are_over_in_twelve_seconds() -> None:
    assert all(5 < sum(sender._backoff()) < 12 for _ in range(50))
