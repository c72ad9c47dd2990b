"""No text of a tenant reaches Jinja while template processing is off.

Superset then leaves a text as it is where it runs it, but renders it where it asks which tables it reads: in SQL Lab's access
check, and for each saved query of a list. A template of one line takes gigabytes of memory and minutes, with no bound.
"""

from typing import Any

from jinja2.sandbox import SandboxedEnvironment
from superset import jinja_context
from superset.sql import parse

from superset_tenancy.refusals.refusal import TenancyRefusal
from superset_tenancy.sql.rebinding import rebind


class NoTemplates(SandboxedEnvironment):
    """An environment that renders nothing."""

    def from_string(self, *_arguments: Any, **_options: Any) -> Any:
        raise TenancyRefusal("Jinja templates are not allowed here. Write the SQL without {{ }} and {% %}.")

    parse = compile = get_template = select_template = from_string


def keep_templates_out() -> None:
    """Texts are parsed as they are, and the processor of a text that is no template has no template engine."""
    original = jinja_context.NoOpTemplateProcessor.__init__

    def without_templates(self: Any, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        self.env = NoTemplates()

    if original.__name__ != without_templates.__name__:
        jinja_context.NoOpTemplateProcessor.__init__ = without_templates
    rebind(parse.process_jinja_sql, _tables_of_plain_sql)


def _tables_of_plain_sql(sql: str, database: Any, template_params: dict[str, Any] | None = None) -> parse.JinjaSQLResult:
    """Stands in for `process_jinja_sql`."""
    processor = jinja_context.get_template_processor(database)
    script = parse.SQLScript(processor.process_template(sql, **(template_params or {})), engine=database.db_engine_spec.engine)
    return parse.JinjaSQLResult(script=script, tables=set().union(*(statement.tables for statement in script.statements)))
