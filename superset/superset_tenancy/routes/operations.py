"""Routes that only operators of the platform use."""

from superset_tenancy.routes.groups import PLATFORM, group

OPERATIONS = (
    group(
        "Users, roles and groups",
        PLATFORM,
        "Roles decide which tenant a user belongs to.",
        """
        GET /users/
        GET /users/list/
        GET /users/show/<pk>
        GET POST /users/add
        GET POST /users/edit/<pk>
        GET POST /users/delete/<pk>
        GET POST /users/action/<string:name>/<pk>
        POST /users/action_post
        GET POST /resetpassword/form
        GET /roles/
        GET /roles/list/
        GET /roles/show/<pk>
        GET POST /roles/add
        GET POST /roles/edit/<pk>
        GET POST /roles/delete/<pk>
        POST /roles/action_post
        GET /api/v1/security/roles/search/
        GET /list_groups/
        GET /groups/list/
        GET /groups/show/<pk>
        GET POST /groups/add
        GET POST /groups/edit/<pk>
        GET POST /groups/delete/<pk>
        POST /groups/action_post
        GET /back
        """,
    ),
    group(
        "Embedding",
        PLATFORM,
        "Opens a dashboard for embedding, and signs tokens for its guests.",
        """
        GET POST PUT DELETE /api/v1/dashboard/<id_or_slug>/embedded
        POST /api/v1/security/guest_token/
        """,
    ),
    group(
        "Row filters",
        PLATFORM,
        "Superset's row-level security rules narrow what a role sees, in addition to PostgreSQL's policies.",
        """
        GET /rowlevelsecurity/list/
        GET POST DELETE /api/v1/rowlevelsecurity/
        GET /api/v1/rowlevelsecurity/_info
        GET PUT /api/v1/rowlevelsecurity/<int:pk>
        DELETE /api/v1/rowlevelsecurity/<pk>
        GET /api/v1/rowlevelsecurity/related/<column_name>
        """,
    ),
    group(
        "Shared styles",
        PLATFORM,
        "CSS templates and themes are the same for all tenants.",
        """
        GET /csstemplatemodelview/list/
        POST DELETE /api/v1/css_template/
        GET /api/v1/css_template/_info
        GET /api/v1/css_template/<int:pk>
        PUT DELETE /api/v1/css_template/<pk>
        GET /api/v1/css_template/related/<column_name>
        GET /theme/list/
        GET /api/v1/theme/_info
        GET /api/v1/theme/related/<column_name>
        """,
    ),
    group(
        "List of Databases",
        PLATFORM,
        "Operators look at what `superset tenancy apply` has made.",
        """
        GET /databaseview/list/
        GET /api/v1/database/_info
        GET /api/v1/database/related/<column_name>
        GET /api/v1/database/<int:pk>/related_objects/
        """,
    ),
    group(
        "Action log",
        PLATFORM,
        "Superset's log of requests, of all tenants.",
        """
        GET /actionlog/list
        GET /api/v1/log/
        GET /api/v1/log/<int:pk>
        """,
    ),
)
