"""What a password must be, wherever a person sets one. `superset tenancy add-users` takes what the operator gives."""

from flask import current_app, g, has_request_context, request
from flask_appbuilder.exceptions import PasswordComplexityValidationError

LEAST_LENGTH = 12
_MOST_LENGTH = 256
#: What is left of common passwords once they must be long: words that people repeat or count up from.
_COMMON = (
    "password",
    "passw0rd",
    "qwerty",
    "qwertz",
    "azerty",
    "letmein",
    "welcome",
    "iloveyou",
    "superset",
    "changeme",
    "admin",
)
_RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiop", "1q2w3e4r5t6y7u8i9o0p")


def check_policy(password: str) -> None:
    """FAB_PASSWORD_COMPLEXITY_VALIDATOR."""
    lowered = (password or "").lower()
    if len(lowered) < LEAST_LENGTH:
        _refuse(f"The password has {len(lowered)} characters; it needs at least {LEAST_LENGTH}.")
    if len(lowered) > _MOST_LENGTH:
        _refuse(f"The password has {len(lowered)} characters; at most {_MOST_LENGTH} are allowed.")
    if len(set(lowered)) < 5:
        _refuse("The password repeats a few characters; use at least 5 different ones.")
    rest = lowered
    for word in (*_COMMON, *_names()):
        rest = rest.replace(word, "")
    if any(lowered.startswith(run[: len(lowered)]) or lowered in run for run in _RUNS) or len(rest.strip("0123456789!.-_ ")) < 4:
        _refuse("The password is a common one, or your user name or e-mail address. Use several words that nobody would guess.")


def _names() -> list[str]:
    """The user's name and address, as far as the request says whose password it is."""
    if not has_request_context():
        return []
    body = request.form or (request.get_json(silent=True) if request.is_json else None) or {}
    given = [body.get("username"), body.get("email")] if hasattr(body, "get") else []
    if request.args.get("pk", "").isdigit():
        subject = current_app.appbuilder.sm.get_user_by_id(int(request.args["pk"]))
    else:
        subject = getattr(g, "user", None)
    given += [getattr(subject, "username", None), getattr(subject, "email", None)]
    texts = {text.lower() for text in given if isinstance(text, str)}
    return sorted(texts | {text.partition("@")[0] for text in texts}, key=len, reverse=True)


def _refuse(why: str) -> None:
    raise PasswordComplexityValidationError(why)
