"""Every notebook executed once for all tests of the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mcost.report.notebooks import execute, sources


@pytest.fixture(scope="session")
def books() -> Iterator[dict[str, Any]]:
    yield execute(list(sources()))
