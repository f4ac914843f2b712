"""What tests share."""

import pytest

from service import CONFORMANCE, Service, running


@pytest.fixture(scope="module")
def service() -> Service:
    """The testbed, empty at first."""
    with running() as service:
        yield service


@pytest.fixture(scope="module")
def conformance() -> Service:
    """The second service."""
    with running(CONFORMANCE) as service:
        yield service
