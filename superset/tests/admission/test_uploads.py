"""What a request brings is bounded: its body, a ZIP file, YAML, entries of the log."""

import io
import json
import zipfile

import pytest

METADATA = "version: 1.0.0\ntype: Dashboard\ntimestamp: '2026-11-26T00:00:00+00:00'\n"


def bundle(compression=zipfile.ZIP_STORED, **files):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", compression) as zipped:
        for name, text in {"metadata": METADATA, **files}.items():
            zipped.writestr(f"export/{name.replace('__', '/')}.yaml", text)
    archive.seek(0)
    return archive


def upload(me, archive, kind="dashboard"):
    """As the page for imports does."""
    return me.analyst.client.post(
        f"/api/v1/{kind}/import/",
        data={"formData": (archive, "export.zip"), "overwrite": "true"},
        headers=me.analyst.headers,
        content_type="multipart/form-data",
    )


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

REFUSED = {
    "aliases": (LAUGHS, "anchors and aliases"),
    "an anchor": ("dashboard_title: &a x\n", "anchors and aliases"),
    "a tag of Python": ("dashboard_title: !!python/object/apply:os.getcwd []\n", "the tag tag:yaml.org,2002:python"),
    "a tag of somebody": ("dashboard_title: !mine x\n", "the tag !mine"),
    "deep": ("a: " + "[" * 200 + "]" * 200 + "\n", "nested deeper than 50 levels"),
    "very deep": ("a: " + "[" * 100_000, "nested deeper than 50 levels"),
    "many values": ("a: [" + "1," * 300_000 + "]\n", "more than 200,000 values"),
    "long": ("a: '" + "xy" * 1_500_000 + "'\n", "longer than 2,097,152 characters"),
    "no YAML": ("a: [1, 2\nb: }\n", "line 2"),
}


class TestYaml:
    @pytest.mark.parametrize("case", REFUSED)
    def test_is_refused_with_the_reason(self, me, case):
        text, reason = REFUSED[case]
        answer = upload(me, bundle(dashboards__one=text))
        assert answer.status_code == 422, answer.text
        assert "A YAML file cannot be read" in answer.text and reason in answer.text

    def test_the_first_file_is_no_exception(self, me):
        answer = upload(me, bundle(metadata=LAUGHS))
        assert answer.status_code == 422 and "anchors and aliases" in answer.text, answer.text

    @pytest.mark.parametrize("kind", ["chart", "dataset", "dashboard", "saved_query"])
    def test_in_no_kind_of_import(self, me, kind):
        folder = {"chart": "charts", "dataset": "datasets", "dashboard": "dashboards", "saved_query": "queries"}[kind]
        answer = upload(me, bundle(**{f"{folder}__one": LAUGHS}), kind)
        assert answer.status_code == 403 or (answer.status_code == 422 and "anchors and aliases" in answer.text), answer.text

    def test_what_superset_exports_is_read(self, app, me):
        from superset import security_manager
        from superset.commands.dashboard.export import ExportDashboardsCommand
        from superset.utils.core import override_user

        from superset_tenancy import bounded_yaml

        with app.test_request_context(), override_user(security_manager.find_user(f"analyst-{me.id}")):
            exported = [read() for _, read in ExportDashboardsCommand([me.dashboard]).run()]
        assert len(exported) >= 4 and all(map(bounded_yaml.load, exported))


class TestZip:
    def test_bomb(self, me):
        answer = upload(me, bundle(zipfile.ZIP_DEFLATED, dashboards__one="a: " + "0" * 60_000_000))
        assert answer.status_code == 422 and "too large" in answer.text, answer.text

    def test_many_files(self, me):
        answer = upload(me, bundle(**{f"dashboards__{i}": "a: 1" for i in range(2001)}))
        assert answer.status_code == 422 and "at most 2,000 files" in answer.text, answer.text

    def test_nothing(self, me):
        archive = io.BytesIO()
        zipfile.ZipFile(archive, "w").close()
        archive.seek(0)
        answer = upload(me, archive)
        assert answer.status_code == 422 and "no files" in answer.text, answer.text


class TestBody:
    def test_over_the_bound(self, me):
        answer = me.analyst.client.post(
            "/api/v1/chart/data", data=b"x" * (11 * 1024 * 1024), headers=me.analyst.headers, content_type="application/json"
        )
        assert answer.status_code == 413 and "larger than 10 MiB" in answer.json["message"]

    def test_ten_thousand_values_of_a_filter_fit(self, me):
        values = [f"value {i} of a filter that is not that short" for i in range(10_000)]
        assert len(json.dumps(values)) < 1024 * 1024


class TestLog:
    @pytest.fixture
    def report(self, app, me):
        """What a page reports of itself; the entries that are kept."""
        from superset import db, security_manager
        from superset.models.core import Log
        from superset.utils.core import override_user

        def kept(events):
            body = {"events": json.dumps(events)}
            with app.test_request_context("/superset/log/?explode=events", method="POST", data=body):
                before = db.session.query(db.func.max(Log.id)).scalar() or 0
                with override_user(security_manager.find_user(f"viewer-{me.id}")):
                    app.config["EVENT_LOGGER"].log_with_context("log")
                return [log.json for log in db.session.query(Log).filter(Log.id > before)]

        return kept

    def test_as_many_entries_as_the_body_names_up_to_a_bound(self, report):
        assert len(report([{"event_name": f"e{i}"} for i in range(50)])) == 50
        assert len(report([{"event_name": f"e{i}"} for i in range(5000)])) == 100

    def test_a_long_entry_is_left_out(self, report):
        (kept,) = report([{"event_name": "x" * 100_000}])
        assert len(kept) < 1000 and "left_out" in kept

    def test_entries_that_are_none(self, report):
        assert len(report([1, None, "x"])) == 3
