"""The tables of docs/security/routes.md are those of the code."""

from servers import REPOSITORY
from superset_tenancy.routes.page import with_tables
from superset_tenancy.routes.table import GROUP_OF


def test_the_page_is_current():
    page = (REPOSITORY / "docs" / "security" / "routes.md").read_text()
    assert page == with_tables(page), "run PYTHONPATH=superset python3 -m superset_tenancy.routes.page docs/security/routes.md"
    assert f"has {len(GROUP_OF)} routes" in page
