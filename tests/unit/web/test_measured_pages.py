"""A page that is added is measured, or it is said here that it is not."""

from gateway.web.all_pages import PAGES
from tests.bench.page_addresses import NOT_MEASURED, unmeasured


def test_pages_are_measured_or_said_not_to_be() -> None:
    assert unmeasured(page.path for page in PAGES if page.method == "GET") == NOT_MEASURED
