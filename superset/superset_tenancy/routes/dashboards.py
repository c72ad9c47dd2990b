"""Routes for dashboards and charts: what is needed to look at them, and what is needed to make them."""

from superset_tenancy.routes.groups import AT_WORK, AT_WORK_AND_GUESTS, DESIGNERS, EXPORTERS, group

DASHBOARDS = (
    group(
        "A dashboard's parts and data",
        AT_WORK_AND_GUESTS,
        "Layout, charts, datasets and rows of a dashboard, and the state of its filters to share. "
        "explore_json serves chart types that have no newer interface.",
        """
        GET /api/v1/dashboard/<id_or_slug>
        GET /api/v1/dashboard/<id_or_slug>/charts
        GET /api/v1/dashboard/<id_or_slug>/datasets
        GET /api/v1/dashboard/<id_or_slug>/tabs
        POST /api/v1/dashboard/<int:pk>/filter_state
        GET PUT DELETE /api/v1/dashboard/<int:pk>/filter_state/<string:key>
        POST /api/v1/dashboard/<pk>/permalink
        GET /api/v1/dashboard/permalink/<string:key>
        POST /api/v1/chart/data
        GET /api/v1/time_range/
        POST /superset/explore_json/
        """,
    ),
    group(
        "Dashboard and chart lists",
        AT_WORK,
        "Lists, their filters, favourites, a chart's definition, and the rows of a saved chart.",
        """
        GET /api/v1/dashboard/
        GET /api/v1/dashboard/_info
        GET /api/v1/dashboard/favorite_status/
        POST DELETE /api/v1/dashboard/<pk>/favorites/
        GET /api/v1/dashboard/related/<column_name>
        GET /api/v1/chart/
        GET /api/v1/chart/_info
        GET /api/v1/chart/<id_or_uuid>
        GET /api/v1/chart/<int:pk>/data/
        GET /api/v1/chart/favorite_status/
        POST DELETE /api/v1/chart/<pk>/favorites/
        GET /api/v1/chart/related/<column_name>
        """,
    ),
    group(
        "Pages of dashboards and lists",
        AT_WORK,
        "The pages that show the above.",
        """
        GET /dashboard/list/
        GET /chart/list/
        GET /superset/dashboard/<dashboard_id_or_slug>/
        GET /superset/dashboard/p/<key>/
        """,
    ),
    group(
        "Writing dashboards",
        DESIGNERS,
        "Designers create, change, copy and delete dashboards; the styles and themes to choose from are the platform's.",
        """
        POST DELETE /api/v1/dashboard/
        PUT DELETE /api/v1/dashboard/<pk>
        POST /api/v1/dashboard/<id_or_slug>/copy/
        PUT /api/v1/dashboard/<pk>/chart_customizations
        PUT /api/v1/dashboard/<pk>/colors
        PUT /api/v1/dashboard/<pk>/filters
        GET /dashboard/new/
        GET /api/v1/css_template/
        GET /api/v1/theme/
        GET /api/v1/theme/<int:pk>
        """,
    ),
    group(
        "Writing charts",
        DESIGNERS,
        "Explore: charts, their unsaved state, and links to it.",
        """
        POST DELETE /api/v1/chart/
        PUT DELETE /api/v1/chart/<pk>
        GET /chart/add
        GET /explore/
        GET /api/v1/explore/
        POST /api/v1/explore/form_data
        GET PUT DELETE /api/v1/explore/form_data/<string:key>
        POST /api/v1/explore/permalink
        GET /api/v1/explore/permalink/<string:key>
        GET /superset/explore/p/<key>/
        """,
    ),
    group(
        "Export of content",
        EXPORTERS,
        "A tenant's administrators export definitions, without rows, to keep them or to pass them to the operator.",
        """
        GET /api/v1/chart/export/
        GET /api/v1/dashboard/export/
        GET /api/v1/dataset/export/
        """,
    ),
)
