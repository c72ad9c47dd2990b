"""Answers to requests that are refused before their view runs: JSON for programs, a page for people."""

from flask import Response, jsonify, make_response, request
from markupsafe import escape

_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><p>{text}</p><p><a href="{link}">{words}</a></p>'
)


def answer_too_many(seconds: int) -> Response:
    answer = _answer(429, "Too many attempts", waiting(seconds), "/login/", "Back to the sign-in page")
    answer.headers["Retry-After"] = str(seconds)
    return answer


def ask_before_sign_out() -> Response:
    """A link on this page is a request of this site, which signs out."""
    text = "Another page has asked to sign you out. You are still signed in."
    return _answer(403, "Sign out?", text, "/logout/", "Sign out")


def bad_request(message: str) -> Response:
    return make_response(jsonify(message=message), 400)


def _answer(status: int, title: str, text: str, link: str, words: str) -> Response:
    if request.is_json:
        return make_response(jsonify(message=text), status)
    page = _PAGE.format(title=escape(title), text=escape(text), link=link, words=escape(words))
    answer = make_response(page, status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def waiting(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return f"Too many failed attempts to sign in. Try again in {minutes} minute{'' if minutes == 1 else 's'}."
