"""What roles permit, read at once for a request.

Superset and Flask-AppBuilder ask PostgreSQL for each permission apart, for some up to five times a request, and load all that the
role Public may before each of their routes.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from flask import has_request_context

from superset_tenancy.answered import once

#: Of a tenant's roles there are about a hundred. What has more, as the role Admin may, is asked for each permission.
MOST_PERMISSIONS = 2_000

Permitted = Mapping[str, set[str]]


class PermissionsOfRequest:
    """Goes in front of Superset's security manager."""

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        """Whether everybody may, without a sign-in."""
        of_public = self.role_model.name == self.auth_role_public
        public = once(("permitted to everybody",), lambda: self._permitted(of_public))
        return super().is_item_public(permission_name, view_name) if public is None else view_name in public[permission_name]

    def exist_permission_on_roles(self, view_name: str, permission_name: str, role_ids: list[int]) -> bool:
        """Whether one of the roles may."""
        permitted = self._of_roles(role_ids)
        if permitted is None:
            return super().exist_permission_on_roles(view_name, permission_name, role_ids)
        return view_name in permitted[permission_name]

    def user_view_menu_names(self, permission_name: str) -> set[str]:
        """What the user has this permission for: databases, schemas or datasets."""
        from superset_tenancy.identity import acting_user

        user = acting_user()
        # A guest has no number, and is permitted nothing of these.
        is_user = getattr(user, "id", None) is not None
        permitted = self._of_roles([role.id for role in self.get_user_roles(user)]) if is_user else None
        return super().user_view_menu_names(permission_name) if permitted is None else set(permitted[permission_name])

    def _of_roles(self, numbers: list[int]) -> Permitted | None:
        return once(("permitted", frozenset(numbers)), lambda: self._permitted(self.role_model.id.in_(numbers)))

    def _permitted(self, which_roles: Any) -> Permitted | None:
        """What the roles may, by permission; None if that is too much to read, or would be read for one question."""
        if not has_request_context():
            return None
        pairs = (
            self.session.query(self.permission_model.name, self.viewmenu_model.name)
            .select_from(self.role_model)
            .join(self.role_model.permissions)
            .join(self.permissionview_model.permission)
            .join(self.permissionview_model.view_menu)
            .filter(which_roles)
            .distinct()
            .limit(MOST_PERMISSIONS + 1)
            .all()
        )
        if len(pairs) > MOST_PERMISSIONS:
            return None
        permitted: defaultdict[str, set[str]] = defaultdict(set)
        for permission, view in pairs:
            permitted[permission].add(view)
        return permitted
