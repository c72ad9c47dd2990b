"""What a tenant's people may do in Superset, permission by permission.

Each permission of the Superset version that we ship stands in exactly one of the groups below, so that none is given because
somebody forgot it, or because Superset gives it to its own roles. A permission lets somebody use a part of Superset; whose
things are found there is decided by `database_access`, which each tenant's analysts have for their own Database only.
"""

from typing import NamedTuple


class Permission(NamedTuple):
    """What may be done, and where: Superset's own words."""

    name: str
    view: str


def _permissions(text: str) -> frozenset[Permission]:
    """One view a line: its name, a colon, what may be done there."""
    lines = [line.partition(":") for line in text.strip().splitlines()]
    return frozenset(Permission(name, view.strip()) for view, _, names in lines for name in names.split())


#: Dashboards that the role was given, their charts' data, and its download. No dataset, no query of one's own.
SEE_DASHBOARDS = _permissions("""
    Dashboard: can_read can_view_chart_as_table
    Chart: can_read
    Superset: can_dashboard can_dashboard_permalink can_explore_json can_csv can_share_dashboard
    DashboardFilterStateRestApi: can_read can_write
    DashboardPermalinkRestApi: can_read can_write
    Api: can_time_range
    Dashboards: menu_access
""")

#: What every page of Superset asks for, and one's own account.
BE_SIGNED_IN = _permissions("""
    Home: menu_access
    SecurityRestApi: can_read
    CurrentUserRestApi: can_read can_write
    user: can_read
    UserDBModelView: can_userinfo resetmypassword
    ResetMyPasswordView: can_this_form_get can_this_form_post
    Superset: can_language_pack can_log
    Log: can_recent_activity
""")

#: Charts, dashboards and datasets of one's own, over the tenant's Database. The platform's themes and styles to choose from: no
#: tenant writes any.
DESIGN = _permissions("""
    Chart: can_write
    Charts: menu_access
    Dashboard: can_write can_drill can_view_query can_put_chart_customizations
    Dataset: can_read can_write can_duplicate can_get_drill_info can_get_or_create_dataset
    Datasets: menu_access
    Datasource: can_get can_samples can_get_column_values can_validate_expression
    Datasource: can_external_metadata can_external_metadata_by_name
    Database: can_read
    Explore: can_read
    ExploreFormDataRestApi: can_read can_write
    ExplorePermalinkRestApi: can_read can_write
    Superset: can_explore can_fetch_datasource_metadata can_slice can_share_chart
    Theme: can_read
    CssTemplate: can_read
""")

#: SQL of one's own, its results, and what one has run and saved.
SQL_LAB = _permissions("""
    SQLLab: can_read can_execute_sql_query can_get_results can_format_sql can_export_csv can_export_streaming_csv
    SqlLabPermalinkRestApi: can_read can_write
    Superset: can_sqllab can_sqllab_history
    Query: can_read
    SavedQuery: can_read can_write can_list
    SQL Lab: menu_access
    SQL Editor: menu_access
    Saved Queries: menu_access
    Query Search: menu_access
""")

#: A bundle of what the tenant may edit, to keep or to hand to the operator.
TAKE_OUT = _permissions("""
    Chart: can_export
    Dashboard: can_export
    Dataset: can_export
""")

CAPABILITY_PERMISSIONS = {
    "viewer": BE_SIGNED_IN | SEE_DASHBOARDS,
    "analyst": BE_SIGNED_IN | SEE_DASHBOARDS | DESIGN | SQL_LAB,
    # Edits the shared content as its owner.
    "admin": BE_SIGNED_IN | SEE_DASHBOARDS | DESIGN | SQL_LAB | TAKE_OUT,
}
#: What is taken away while a tenant is moved: whatever changes what is moved.
WRITE = _permissions("""
    Chart: can_write
    Dashboard: can_write can_put_chart_customizations
    Dataset: can_write can_duplicate can_get_or_create_dataset
    SavedQuery: can_write
    CurrentUserRestApi: can_write
    UserDBModelView: resetmypassword
    ResetMyPasswordView: can_this_form_get can_this_form_post
""")

#: Whose roles may query the tenant's Database.
QUERYING_CAPABILITIES = ("analyst", "admin")

#: What no role of a tenant has, by reason.
NOT_FOR_TENANTS = {
    "reads or writes what is shared by all tenants": _permissions("""
        Annotation: can_read can_write
        Annotation Layers: menu_access
        CSS Templates: menu_access
        CssTemplate: can_write
        Chart: can_tag
        Dashboard: can_tag
        Tag: can_read can_write can_bulk_create
        TagView: can_tags
        Tags: can_list menu_access
        Theme: can_write can_export
        Themes: menu_access
    """),
    "gives access to the data of all": _permissions("""
        all_database_access: all_database_access
        all_datasource_access: all_datasource_access
        all_query_access: all_query_access
    """),
    "answers without asking whose it is": _permissions("""
        Api: can_query_form_data can_query
        CacheRestApi: can_invalidate
        TabStateView: can_get can_post can_put can_delete can_activate can_delete_query can_migrate_query
        TableSchemaView: can_post can_delete can_expanded
    """),
    "decides who sees what, which is the operator's": _permissions("""
        Row Level Security: can_read can_write menu_access
        RowLevelSecurity: can_read
        Security: menu_access
        SecurityRestApi: can_grant_guest_token
        Dashboard: can_get_embedded can_set_embedded can_delete_embedded
        EmbeddedDashboard: can_read
        List Users: menu_access
        List Roles: menu_access
        List Groups: menu_access
        User Registrations: menu_access
        security: can_read
        ResetPasswordView: can_this_form_get can_this_form_post
        RoleModelView: can_add can_delete can_download can_edit can_list can_show copyrole
        RoleRestAPI: can_list_roles
        UserDBModelView: can_add can_delete can_download can_edit can_list can_show resetpasswords userinfoedit
        UserGroupModelView: can_add can_delete can_download can_edit can_list can_show
        UserInfoEditView: can_this_form_get can_this_form_post
        UserRegistrationsRestAPI: can_add can_delete can_edit can_list can_show
    """),
    "makes Databases, fills them, or brings content in": _permissions("""
        Data: menu_access
        Database: can_write can_upload can_export
        Databases: menu_access
        Datasource: can_save
        ImportExportRestApi: can_export can_import_
        SavedQuery: can_export
        Dashboard: can_export_as_example
        Superset: can_file_handler
    """),
    "works for somebody who is not there": _permissions("""
        Alerts & Report: menu_access
        ReportSchedule: can_read can_write
        Chart: can_warm_up_cache
        Dataset: can_warm_up_cache
        Superset: can_warm_up_cache
        Dashboard: can_cache_dashboard_screenshot
        Task: can_read
        Tasks: menu_access
        AsyncEventsRestApi: can_list
    """),
    "tells about the server": _permissions("""
        Action Log: menu_access
        Log: can_read can_write
        OpenApi: can_get
        SwaggerView: can_show
        MenuApi: can_get
        Manage: menu_access
        SQLLab: can_estimate_query_cost
        AvailableDomains: can_read
        AdvancedDataType: can_read
    """),
    "adds code to Superset": _permissions("""
        DynamicPlugin: can_add can_download can_edit can_list can_show can_write
        Plugins: menu_access
        Extensions: can_read menu_access
    """),
}
