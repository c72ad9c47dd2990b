"""Routes that every page needs: health, files, sign-in, and the caller's account."""

from superset_tenancy.routes.groups import AT_WORK, AT_WORK_AND_GUESTS, EVERYONE, SIGNED_IN, group

EVERYDAY = (
    group(
        "Health checks",
        EVERYONE,
        "The load balancer asks without a session. They answer OK and nothing else.",
        """
        GET /health
        GET /healthcheck
        GET /ping
        """,
    ),
    group(
        "Files of the user interface",
        EVERYONE,
        "The same files for all: scripts, styles and pictures of Superset's package.",
        """
        GET /static/<path:filename>
        GET /static/appbuilder/<path:filename>
        """,
    ),
    group(
        "Sign-in and sign-out",
        EVERYONE,
        "Needed before there is a user. The token endpoints serve scripts.",
        """
        GET /
        GET POST /login/
        GET /logout/
        POST /api/v1/security/login
        POST /api/v1/security/refresh
        """,
    ),
    group(
        "Page of an embedded dashboard",
        EVERYONE,
        "A browser loads the page before it has the guest token. The page holds no data.",
        """
        GET /embedded/<uuid>
        """,
    ),
    group(
        "Session and translations",
        EVERYONE - {"anonymous"},
        "Every page asks for its user's name and roles, the token that forms carry, and the words of its language.",
        """
        GET /api/v1/me/roles/
        GET /api/v1/security/csrf_token/
        GET /superset/language_pack/<lang>/
        """,
    ),
    group(
        "Own account",
        SIGNED_IN,
        "A user sees and changes their own name and password.",
        """
        GET PUT /api/v1/me/
        GET /user_info/
        GET POST /resetmypassword/form
        """,
    ),
    group(
        "Home",
        AT_WORK,
        "The first page after sign-in, with what the user opened last.",
        """
        GET /superset/welcome/
        GET /api/v1/log/recent_activity/
        """,
    ),
    group(
        "Report of what was opened",
        AT_WORK_AND_GUESTS,
        "Pages report that a dashboard or chart was opened, which the home page lists. Other events are not stored.",
        """
        POST /superset/log/
        """,
    ),
)
