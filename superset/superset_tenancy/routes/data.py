"""Routes for datasets, the tenant's Database, and SQL Lab."""

from superset_tenancy.routes.groups import DESIGNERS, DESIGNERS_OF_TENANT, group

DATA = (
    group(
        "Datasets",
        DESIGNERS,
        "Designers create, change and delete datasets over their tenant's Database.",
        """
        GET POST DELETE /api/v1/dataset/
        GET /api/v1/dataset/_info
        GET /api/v1/dataset/<id_or_uuid>
        GET /api/v1/dataset/<id_or_uuid>/related_objects
        GET /api/v1/dataset/<int:pk>/drill_info/
        PUT DELETE /api/v1/dataset/<pk>
        GET /api/v1/dataset/distinct/<column_name>
        POST /api/v1/dataset/duplicate
        GET /api/v1/dataset/related/<column_name>
        GET /tablemodelview/list/
        GET /dataset/add/
        GET /dataset/<pk>
        """,
    ),
    group(
        "A dataset's columns and rows",
        DESIGNERS_OF_TENANT,
        "Explore offers values to filter by, checks an expression, and shows rows to drill into.",
        """
        PUT /api/v1/dataset/<pk>/refresh
        POST /api/v1/dataset/get_or_create/
        GET /api/v1/datasource/<datasource_type>/<int:datasource_id>/column/<column_name>/values/
        POST /api/v1/datasource/<datasource_type>/<int:datasource_id>/validate_expression/
        POST /datasource/samples
        GET /datasource/external_metadata_by_name/
        GET /superset/fetch_datasource_metadata
        """,
    ),
    group(
        "The tenant's Database",
        DESIGNERS,
        "SQL Lab and the dataset editor list schemas, tables and columns.",
        """
        GET /api/v1/database/
        GET /api/v1/database/<int:pk>
        GET /api/v1/database/<int:pk>/function_names/
        GET /api/v1/database/<int:pk>/schemas/
        GET /api/v1/database/<int:pk>/table_metadata/
        GET /api/v1/database/<int:pk>/table_metadata/extra/
        GET /api/v1/database/<int:pk>/tables/
        """,
    ),
    group(
        "SQL Lab",
        DESIGNERS,
        "Pages of SQL Lab, its history, and saved queries.",
        """
        GET POST /sqllab/
        GET /sqllab/history/
        GET /sqllab/p/<string:permalink>/
        GET /savedqueryview/list/
        GET /api/v1/sqllab/
        POST /api/v1/sqllab/format_sql/
        POST /api/v1/sqllab/permalink
        GET /api/v1/sqllab/permalink/<string:key>
        GET /api/v1/query/
        GET /api/v1/query/<int:pk>
        GET /api/v1/query/distinct/<column_name>
        GET /api/v1/query/related/<column_name>
        POST /api/v1/query/stop
        GET /api/v1/query/updated_since
        GET POST DELETE /api/v1/saved_query/
        GET /api/v1/saved_query/_info
        GET /api/v1/saved_query/<int:pk>
        PUT DELETE /api/v1/saved_query/<pk>
        GET /api/v1/saved_query/distinct/<column_name>
        GET /api/v1/saved_query/related/<column_name>
        """,
    ),
    group(
        "Queries of SQL Lab",
        DESIGNERS_OF_TENANT,
        "Run queries; fetch and download their results.",
        """
        POST /api/v1/sqllab/execute/
        GET /api/v1/sqllab/results/
        GET /api/v1/sqllab/export/<string:client_id>/
        POST /api/v1/sqllab/export_streaming/
        """,
    ),
)
