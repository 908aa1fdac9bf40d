from collections.abc import Iterator

import pytest
from processes import Processes


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    pool = Processes(limit=4)
    yield pool
    pool.close()
