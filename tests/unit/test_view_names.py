"""Names for people: short where AWS made them long, and left alone where somebody chose them."""

from __future__ import annotations

import pytest

from lab.views.names import short


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/Orders", "Orders"),
        ("arn:aws:sns:eu-west-1:123456789012:orders", "orders"),
        ("Xray-Front0087DB4F-829031A2958D7", "Xray-Front"),
        ("Xray-Front0087DB4F-aB3dE6gH9jK2", "Xray-Front"),
        ("arn:aws:sns:eu-west-1:123456789012:Xray-OrderPlacedDB034628-995E3D6037772", "Xray-OrderPlaced"),
        ("Orders/v1", "Orders/v1"),
        ("order-front-2024", "order-front-2024"),
        ("api.example.com", "api.example.com"),
        ("\x1b[2J", " [2J"),
    ],
)
def test_a_name_is_as_short_as_people_say_it(name: str, said: str) -> None:
    assert short(name) == said
