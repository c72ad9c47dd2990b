"""Each field of Superset that looks like an identifier is known: it is resolved, or it identifies nothing of another tenant."""

import re

from superset_tenancy.requests.fields import IDENTIFIES, OPAQUE, PATH_PARTS, SCHEMAS

LOOKS_LIKE = re.compile(
    r"(^|_)(ids?|uuids?|fk|owners?|roles?|users?|datasources?|datasets?|databases?|dashboards?|charts?|slices?|schema|layers?)$"
    r"|(Id|Ids|Uuid)$"
)
KNOWN = {*IDENTIFIES, *OPAQUE, *PATH_PARTS, *SCHEMAS}

#: By the reason.
IDENTIFIES_NOTHING = {
    name: reason
    for reason, names in {
        "read with the thing that it is part of": "column_id metric_id id ids",
        "read with its source, layer by layer": "annotation_layers",
        "of routes that no tenant may use": """annotation_id channel_id job_id log_id object_id permission_ids tab_id tab_state_id
            tab_state_ids table_schema_id""",
        "for all tenants": "theme_id theme_uuid",
        "of the browser": "client_id serverId sqlEditorId sql_editor_id",
        "a setting of a dashboard about its own charts": "duplicate_slices expanded_slices remote_id timed_refresh_immune_slices",
        "of answers, and of Databases, which no tenant writes": "impersonate_user parameters_schema referred_schema",
    }.items()
    for name in names.split()
}


def names_of_schemas(app) -> set[str]:
    import superset.initialization  # noqa: F401
    from marshmallow import class_registry

    found = [schema for entry in class_registry._registry.values() for schema in (entry if isinstance(entry, list) else [entry])]
    return {
        field.data_key or name
        for schema in found
        if schema.__module__.startswith("superset.")
        for name, field in schema._declared_fields.items()
    }


def names_of_paths(app) -> set[str]:
    return {argument for rule in app.url_map.iter_rules() for argument in rule.arguments}


def test_each_field_that_looks_like_an_identifier(app):
    names = {name for name in names_of_schemas(app) | names_of_paths(app) if LOOKS_LIKE.search(name)}
    assert len(names) > 40
    unknown = " ".join(sorted(names - KNOWN - IDENTIFIES_NOTHING.keys()))
    assert not unknown, unknown
