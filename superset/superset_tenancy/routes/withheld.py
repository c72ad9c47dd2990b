"""Routes that nobody gets, by reason. Each answers 404, as a path does that Superset does not have."""

from superset_tenancy.routes.groups import WITHHELD, group

WITHHELD_ROUTES = (
    group(
        "Legacy chart data and Explore",
        WITHHELD,
        "The user interface has newer routes. These read objects by number without asking whose they are, "
        "and GET stores results under a key without the user.",
        """
        GET /superset/explore_json/
        GET POST /superset/explore_json/<datasource_type>/<int:datasource_id>/
        GET /superset/explore_json/data/<cache_key>
        GET POST /superset/explore/
        GET POST /superset/explore/<datasource_type>/<int:datasource_id>/
        GET /superset/slice/<int:slice_id>/
        GET /superset/sqllab/history/
        GET /api/v1/form_data/
        POST /api/v1/query/
        GET /datasource/get/<datasource_type>/<datasource_id>/
        GET /datasource/external_metadata/<datasource_type>/<datasource_id>/
        POST /datasource/save/
        GET /api/v1/database/<int:pk>/table/<path:table_name>/<schema_name>/
        GET /api/v1/database/<int:pk>/table_extra/<path:table_name>/<schema_name>/
        GET /api/v1/database/<int:pk>/select_star/<path:table_name>/
        GET /api/v1/database/<int:pk>/select_star/<path:table_name>/<schema_name>/
        DELETE /api/v1/dataset/<int:pk>/column/<int:column_id>
        DELETE /api/v1/dataset/<int:pk>/metric/<int:metric_id>
        """,
    ),
    group(
        "Imports",
        WITHHELD,
        "An import makes the caller the owner of what it overwrites. Operators deliver content by the shared bundle.",
        """
        POST /api/v1/assets/import/
        POST /api/v1/chart/import/
        POST /api/v1/dashboard/import/
        POST /api/v1/database/import/
        POST /api/v1/dataset/import/
        POST /api/v1/saved_query/import/
        POST /api/v1/theme/import/
        """,
    ),
    group(
        "Exports of more than definitions",
        WITHHELD,
        "They hold rows, connections, or everything at once.",
        """
        GET /api/v1/assets/export/
        GET /api/v1/dashboard/<pk>/export_as_example/
        GET /api/v1/database/export/
        GET /api/v1/saved_query/export/
        GET /api/v1/theme/export/
        """,
    ),
    group(
        "Databases by hand",
        WITHHELD,
        "Databases are made by `superset tenancy apply`; one made by hand gets no connection. Rows are loaded by the operator.",
        """
        POST /api/v1/database/
        PUT DELETE /api/v1/database/<int:pk>
        GET /api/v1/database/<int:pk>/connection
        GET /api/v1/database/<int:pk>/schemas_access_for_file_upload/
        POST /api/v1/database/<int:pk>/sync_permissions/
        POST /api/v1/database/<int:pk>/upload/
        POST /api/v1/database/<int:pk>/validate_sql/
        GET /api/v1/database/available/
        GET /api/v1/database/oauth2/
        POST /api/v1/database/test_connection/
        POST /api/v1/database/upload_metadata/
        POST /api/v1/database/validate_parameters/
        GET /superset/file-handler
        """,
    ),
    group(
        "SQL Lab's tabs on the server",
        WITHHELD,
        "They are found by number without asking whose they are. Tabs stay in the browser.",
        """
        POST /tableschemaview/
        DELETE /tableschemaview/<int:table_schema_id>
        POST /tableschemaview/<int:table_schema_id>/expanded
        POST /tabstateview/
        GET PUT DELETE /tabstateview/<int:tab_state_id>
        POST /tabstateview/<int:tab_state_id>/activate
        POST /tabstateview/<int:tab_state_id>/migrate_query
        DELETE /tabstateview/<int:tab_state_id>/query/<client_id>
        """,
    ),
    group(
        "Tags",
        WITHHELD,
        "Tags are not in use; a tag lists the objects of all tenants.",
        """
        GET POST DELETE /api/v1/tag/
        GET /api/v1/tag/_info
        POST /api/v1/tag/<int:object_type>/<int:object_id>/
        DELETE /api/v1/tag/<int:object_type>/<int:object_id>/<tag>/
        GET /api/v1/tag/<int:pk>
        PUT DELETE /api/v1/tag/<pk>
        POST DELETE /api/v1/tag/<pk>/favorites/
        POST /api/v1/tag/bulk_create
        GET /api/v1/tag/favorite_status/
        GET /api/v1/tag/get_objects/
        GET /api/v1/tag/related/<column_name>
        GET /tagview/tags/
        GET /superset/tags/
        GET /superset/all_entities/
        """,
    ),
    group(
        "Annotation layers",
        WITHHELD,
        "Superset keeps one list for all tenants.",
        """
        GET POST DELETE /api/v1/annotation_layer/
        GET /api/v1/annotation_layer/_info
        GET PUT DELETE /api/v1/annotation_layer/<int:pk>
        GET POST DELETE /api/v1/annotation_layer/<int:pk>/annotation/
        GET PUT DELETE /api/v1/annotation_layer/<int:pk>/annotation/<int:annotation_id>
        GET /api/v1/annotation_layer/related/<column_name>
        GET /annotationlayer/list/
        GET /annotationlayer/<int:pk>/annotation
        """,
    ),
    group(
        "Theme editor",
        WITHHELD,
        "Themes come with the environment's brand; the editor is off.",
        """
        POST DELETE /api/v1/theme/
        PUT DELETE /api/v1/theme/<int:pk>
        PUT /api/v1/theme/<int:pk>/set_system_dark
        PUT /api/v1/theme/<int:pk>/set_system_default
        DELETE /api/v1/theme/unset_system_dark
        DELETE /api/v1/theme/unset_system_default
        """,
    ),
    group(
        "Alerts, reports, screenshots and background tasks",
        WITHHELD,
        "They run queries without a user's request. They are off.",
        """
        GET /alert/list/
        GET /alert/<pk>/log/
        GET /report/list/
        GET /report/<pk>/log/
        GET POST DELETE /api/v1/report/
        GET /api/v1/report/_info
        GET PUT DELETE /api/v1/report/<int:pk>
        GET /api/v1/report/<int:pk>/log/
        GET /api/v1/report/<int:pk>/log/<int:log_id>
        GET /api/v1/report/related/<column_name>
        GET /api/v1/report/slack_channels/
        GET /api/v1/chart/<pk>/cache_screenshot/
        GET /api/v1/chart/<pk>/screenshot/<digest>/
        GET /api/v1/chart/<pk>/thumbnail/<digest>/
        POST /api/v1/dashboard/<pk>/cache_dashboard_screenshot/
        GET /api/v1/dashboard/<pk>/screenshot/<digest>/
        GET /api/v1/dashboard/<pk>/thumbnail/<digest>/
        PUT /api/v1/chart/warm_up_cache
        PUT /api/v1/dataset/warm_up_cache
        GET /superset/warm_up_cache/
        GET /api/v1/chart/data/<cache_key>
        GET /api/v1/async_event/
        GET /tasks/list/
        """,
    ),
    group(
        "Accounts by request",
        WITHHELD,
        "Users are made by the operator.",
        """
        GET /register/
        GET /register/activation/<string:activation_hash>
        GET /registrations/
        GET POST /api/v1/security/user_registrations/
        GET /api/v1/security/user_registrations/_info
        GET /api/v1/security/user_registrations/<int:pk>
        PUT DELETE /api/v1/security/user_registrations/<pk>
        GET /api/v1/security/user_registrations/distinct/<column_name>
        GET /api/v1/security/user_registrations/related/<column_name>
        """,
    ),
    group(
        "Second ways to the same",
        WITHHELD,
        "The user interface has another route for each; some of these change the session by a link.",
        """
        GET /login/logout/
        GET /dashboard/<dashboard_id_or_slug>/embedded
        GET /api/v1/embedded_dashboard/<uuid>
        GET /lang/<string:locale>
        GET /redirect/
        GET /users/userinfo/
        GET POST /userinfoeditview/form
        GET /users/download/<string:filename>
        GET /roles/download/<string:filename>
        GET /groups/download/<string:filename>
        GET POST /groups/action/<string:name>/<pk>
        GET POST /roles/action/<string:name>/<pk>
        GET /api/v1/user/<int:user_id>/avatar.png
        POST /api/v1/log/
        """,
    ),
    group(
        "About the server, and code for it",
        WITHHELD,
        "The user interface does not ask for them.",
        """
        GET /version
        GET /api/v1/database/<int:pk>/catalogs/
        GET /api/<version>/_openapi
        GET /swagger/<version>
        GET /api/v1/menu/
        GET /api/v1/available_domains/
        GET /api/v1/advanced_data_type/convert
        GET /api/v1/advanced_data_type/types
        POST /api/v1/cachekey/invalidate
        POST /api/v1/sqllab/estimate/
        GET /extensions/list/
        GET /dynamic-plugins/list/
        GET /dynamic-plugins/show/<pk>
        GET POST /dynamic-plugins/add
        GET POST /dynamic-plugins/edit/<pk>
        GET POST /dynamic-plugins/delete/<pk>
        GET /dynamic-plugins/download/<string:filename>
        GET POST /dynamic-plugins/action/<string:name>/<pk>
        POST /dynamic-plugins/action_post
        """,
    ),
)
