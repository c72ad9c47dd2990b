"""What a tenant has in Superset, in words that hold in any Superset: UUIDs and user names, no numbers.

`describe` is what is exported, what an import restores, and what is compared after. What Superset's own export has of a thing is
in its file; what that leaves out is here: whose it is, for which roles, who changed it when, what it is a part of.
"""

from typing import Any

from sqlalchemy import or_
from sqlalchemy.orm import selectinload
from superset import db, security_manager
from superset.connectors.sqla.models import RowLevelSecurityFilter, SqlaTable
from superset.models.core import FavStar, FavStarClassName
from superset.models.dashboard import Dashboard
from superset.models.slice import Slice
from superset.models.sql_lab import SavedQuery

from superset_tenancy import names
from superset_tenancy.provisioning.databases import find_database
from superset_tenancy.provisioning.records import uuids_of_copies
from superset_tenancy.requests.ownership import tenants_of_dashboard

#: In the order in which they are made.
MODELS = {"dataset": SqlaTable, "chart": Slice, "dashboard": Dashboard, "query": SavedQuery}
TITLES = {"dataset": "table_name", "chart": "slice_name", "dashboard": "dashboard_title", "query": "label"}
FAVOURITES = {"chart": FavStarClassName.CHART, "dashboard": FavStarClassName.DASHBOARD}

Thing = SqlaTable | Slice | Dashboard | SavedQuery
Things = dict[str, list[Thing]]


def things_of(tenant: str) -> Things:
    """The datasets, charts and dashboards of a tenant, and the queries that its people saved: nobody else is shown those."""
    database = find_database(tenant)
    number = database.id if database else None
    datasets = db.session.query(SqlaTable).filter_by(database_id=number).order_by(SqlaTable.id).all()
    charts = (
        db.session.query(Slice)
        .options(selectinload(Slice.owners))
        .filter(Slice.datasource_type == "table", Slice.datasource_id.in_([dataset.id for dataset in datasets]))
        .order_by(Slice.id)
        .all()
    )
    people = [user.id for user in people_of(tenant)]
    queries = (
        db.session.query(SavedQuery)
        .filter(SavedQuery.db_id == number, SavedQuery.created_by_fk.in_(people))
        .order_by(SavedQuery.id)
        .all()
    )
    dashboards = [dashboard for dashboard in _dashboards(tenant, charts) if tenants_of_dashboard(dashboard) == {tenant}]
    return {"dataset": datasets, "chart": charts, "dashboard": dashboards, "query": queries}


def shared_with_others(tenant: str, things: Things) -> list[Dashboard]:
    """Dashboards that have to do with the tenant and with somebody else, too: a mistake, and nobody's to take along."""
    return [dashboard for dashboard in _dashboards(tenant, things["chart"]) if dashboard not in things["dashboard"]]


def _dashboards(tenant: str, charts: list[Slice]) -> list[Dashboard]:
    roles = [names.role_name(tenant, capability) for capability in names.CAPABILITIES]
    role, user = security_manager.role_model, security_manager.user_model
    return (
        db.session.query(Dashboard)
        .filter(
            or_(
                Dashboard.slices.any(Slice.id.in_([chart.id for chart in charts])),
                Dashboard.roles.any(role.name.in_(roles)),
                Dashboard.owners.any(user.roles.any(role.name.in_(roles))),
            )
        )
        .order_by(Dashboard.id)
        .all()
    )


def rules_of(things: Things) -> list[RowLevelSecurityFilter]:
    """Superset's own rules of row-level security for the tenant's datasets, which an operator has made."""
    numbers = [dataset.id for dataset in things["dataset"]]
    rule = RowLevelSecurityFilter
    return db.session.query(rule).filter(rule.tables.any(SqlaTable.id.in_(numbers))).order_by(rule.name).all()


def people_of(tenant: str) -> list:
    """All users with a role of the tenant, the deactivated ones too."""
    role, user = security_manager.role_model, security_manager.user_model
    roles = [names.role_name(tenant, capability) for capability in names.CAPABILITIES]
    return db.session.query(user).filter(user.roles.any(role.name.in_(roles))).order_by(user.id).all()


def describe_people(tenant: str) -> list[dict[str, Any]]:
    """With the hash of each password: people keep theirs. Roles of others, and of the platform, are not the tenant's."""
    return [
        {
            "username": user.username,
            "email": user.email,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "active": bool(user.active),
            "password": user.password,
            "roles": sorted(role.name for role in user.roles if names.tenant_of_role(role.name) == tenant),
        }
        for user in people_of(tenant)
    ]


def describe_rules(tenant: str, things: Things) -> list[dict[str, Any]]:
    """As far as they are about the tenant's datasets."""
    return [
        {
            "name": rule.name,
            "description": rule.description,
            "filter_type": rule.filter_type,
            "group_key": rule.group_key,
            "clause": rule.clause,
            "roles": sorted(role.name for role in rule.roles if names.tenant_of_role(role.name) in (None, tenant)),
            "datasets": sorted(str(dataset.uuid) for dataset in rule.tables if dataset in things["dataset"]),
        }
        for rule in rules_of(things)
    ]


def called(thing: dict[str, Any]) -> str:
    """A thing, as it is described, in words."""
    return f'{thing["kind"]} "{thing["title"]}" ({thing["uuid"]})'


def counted(kinds: list[str]) -> str:
    """So many of each kind."""
    return ", ".join(f"{kinds.count(kind)} {'saved queries' if kind == 'query' else f'{kind}s'}" for kind in MODELS)


def given_to(tenant: str) -> set[str]:
    """UUIDs of the tenant's copies of the content that this environment gives to all."""
    return set(map(str, uuids_of_copies(tenant)))


def describe(tenant: str, things: Things) -> list[dict[str, Any]]:
    """Each thing of the tenant. Somebody who is not of the tenant is nobody elsewhere."""
    known = {user.id: user.username for user in people_of(tenant)}
    favourites = _favourites(known)
    return [
        {
            "kind": kind,
            "uuid": str(thing.uuid),
            "title": getattr(thing, TITLES[kind]),
            "created_on": _time(thing.created_on),
            "created_by": known.get(thing.created_by_fk),
            "changed_on": _time(thing.changed_on),
            "changed_by": known.get(thing.changed_by_fk),
            **_DETAILS[kind](thing, known),
            **({"favourites": sorted(favourites.get((FAVOURITES[kind], thing.id), []))} if kind in FAVOURITES else {}),
        }
        for kind in MODELS
        for thing in things[kind]
    ]


def _dataset(dataset: SqlaTable, known: dict[int, str]) -> dict[str, Any]:
    return {
        "owners": _owners(dataset, known),
        "columns": sorted(column.column_name for column in dataset.columns),
        "metrics": sorted(metric.metric_name for metric in dataset.metrics),
    }


def _chart(chart: Slice, known: dict[int, str]) -> dict[str, Any]:
    return {
        "owners": _owners(chart, known),
        "dataset": str(chart.table.uuid),
        "last_saved_at": _time(chart.last_saved_at),
        "last_saved_by": known.get(chart.last_saved_by_fk),
    }


def _dashboard(dashboard: Dashboard, known: dict[int, str]) -> dict[str, Any]:
    return {
        "owners": _owners(dashboard, known),
        "roles": sorted(role.name for role in dashboard.roles if names.tenant_of_role(role.name)),
        "charts": sorted(str(chart.uuid) for chart in dashboard.slices),
        "slug": dashboard.slug,
        "published": bool(dashboard.published),
        "embedded": sorted([str(embedded.uuid), embedded.allow_domain_list or ""] for embedded in dashboard.embedded),
    }


def _query(query: SavedQuery, known: dict[int, str]) -> dict[str, Any]:
    return {"user": known.get(query.user_id), "template_parameters": query.template_parameters}


_DETAILS = {"dataset": _dataset, "chart": _chart, "dashboard": _dashboard, "query": _query}


def _owners(thing: Any, known: dict[int, str]) -> list[str]:
    return sorted(known[owner.id] for owner in thing.owners if owner.id in known)


def _favourites(known: dict[int, str]) -> dict[tuple[str, int], list[str]]:
    found: dict[tuple[str, int], list[str]] = {}
    for star in db.session.query(FavStar).filter(FavStar.user_id.in_(known)):
        found.setdefault((star.class_name, star.obj_id), []).append(known[star.user_id])
    return found


def _time(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
