"""Loading a tenant: whatever dialect its server speaks, the roster is the same."""

import socket
import threading
from collections.abc import Iterator
from itertools import product

import pytest
import uvicorn
from dialects import dialect_values
from hypothesis import HealthCheck, given, settings
from pytest_httpserver import HTTPServer
from rosters import BUNDLES, assert_equal, bundle, rosters

import kimono_explore as kx
from kimono_explore.api.operations import LISTS
from kimono_explore.sandbox.server import BASE_PATH, Credentials, Service, make_app
from kimono_explore.sandbox.task_queue import TaskQueue

DIALECTS = [
    kx.Dialect(paging=paging, finds=finds, references=references, ids=ids, max_page_size=size, school_years=years)
    for (paging, finds, ids, size, years), references in product(
        [
            (True, "mixed", "sys", 1000, "integer"),
            (False, "bare", "top", 7, "integer"),
            (True, "wrapped", "sys", 50, "text"),
        ],
        ["mixed", "flat", "wrapped", "rolled_up", "membership"],
    )
]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: f"{d.references}-{d.finds}-{d.max_page_size}")
def test_a_served_roster_loads_equal_in_every_dialect(small_roster: kx.Roster, dialect: kx.Dialect) -> None:
    with kx.sandbox(small_roster, dialect=dialect) as box:
        loaded = kx.load_roster(box.client, progress=False)
        assert_equal(small_roster, loaded)
        assert loaded.problems.empty


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in dialect_values().items() for value in values if value != "none"],
)
def test_every_value_of_a_dialect_loads_equal(small_roster: kx.Roster, name: str, value: object) -> None:
    """But for rollups="none", which says of nobody where he is: see below."""
    with kx.sandbox(small_roster, dialect=kx.Dialect(**{name: value})) as box:
        loaded = kx.load_roster(box.client, progress=False)
    assert_equal(small_roster, loaded, without=("stated_by",) if name == "rollups" else ())
    assert loaded.problems.empty


def test_a_made_up_district_loads_equal_flaws_and_problems_included() -> None:
    with kx.sandbox(students=200, flaws=True) as box:
        loaded = kx.load_roster(box.client, progress=False)
        assert_equal(box.roster, loaded)
        bad = box.roster.problems.dropna(subset=["id"])
        assert len(bad) > 0
        assert set(bad[["id", "column", "value"]].itertuples(index=False, name=None)) <= set(
            loaded.problems[["id", "column", "value"]].itertuples(index=False, name=None)
        )


@pytest.mark.parametrize("name", BUNDLES)
def test_a_real_bundle_served_and_loaded_is_equal(name: str) -> None:
    roster = kx.read_oneroster(bundle(name))
    with kx.sandbox(roster) as box:
        assert_equal(roster, kx.load_roster(box.client, progress=False))


class ChangingServer:
    """One real server whose application can be changed: a property test needs hundreds of rosters."""

    def __init__(self) -> None:
        self.credentials = Credentials.random()
        self.app: object = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}{BASE_PATH}"
        config = uvicorn.Config(self._answer, log_level="error", access_log=False, lifespan="off", interface="asgi3")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        self.client = kx.connect(self.base_url, token=self.credentials.token)

    async def _answer(self, scope: object, receive: object, send: object) -> None:
        await self.app(scope, receive, send)

    def serve(self, roster: kx.Roster, dialect: kx.Dialect) -> kx.Client:
        self.app = make_app(Service(roster, TaskQueue([]), dialect, self.credentials, 3600), self.base_url)
        return self.client

    def close(self) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


@pytest.fixture(scope="module")
def changing_server() -> Iterator[ChangingServer]:
    server = ChangingServer()
    yield server
    server.close()


RANDOM_DIALECTS = (
    kx.Dialect(),
    kx.Dialect(references="wrapped", paging=False, max_page_size=2, ids="top"),
    kx.Dialect(references="rolled_up", max_page_size=3),
    kx.Dialect(references="membership"),
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(roster=rosters())
@pytest.mark.parametrize("dialect", RANDOM_DIALECTS, ids=lambda d: d.references)
def test_a_random_roster_served_and_loaded_is_equal(
    changing_server: ChangingServer, dialect: kx.Dialect, roster: kx.Roster
) -> None:
    client = changing_server.serve(roster, dialect)
    assert_equal(roster, kx.load_roster(client, progress=False))


SIDES = {
    "source": {"source"},
    "target": {"target"},
    "both": {"both"},
}


@pytest.mark.parametrize("rollups", SIDES)
def test_memberships_are_the_union_of_what_either_side_says(small_roster: kx.Roster, rollups: str) -> None:
    with kx.sandbox(small_roster, dialect=kx.Dialect(rollups=rollups)) as box:
        loaded = kx.load_roster(box.client, progress=False)
    assert_equal(small_roster, loaded, without=("stated_by",))
    members = loaded.links[loaded.links["relation"].isin(["member_of", "student_in", "teacher_in"])]
    assert set(members["stated_by"].astype(str)) == SIDES[rollups]


def test_where_no_side_says_who_is_where_the_roster_says_what_it_cannot_know(small_roster: kx.Roster) -> None:
    with kx.sandbox(small_roster, dialect=kx.Dialect(rollups="none")) as box:
        loaded = kx.load_roster(box.client, progress=False)
    assert not loaded.links["relation"].isin(["member_of", "student_in", "teacher_in"]).any()
    assert "persons.$sections" not in loaded.rollups
    told = loaded.problems["problem"].tolist()
    assert [text.split(" is unknown")[0] for text in told] == ["who is in which section", "who belongs to which school"]


def test_two_sides_that_differ_are_both_told() -> None:
    from test_decode import roster_of

    roster = roster_of(
        persons=[
            {
                "id": "p1",
                "person_type": "student",
                "$schools": [],
                "$sections": [
                    {"id": "s1", "$membership": {"id": "m1", "start_date": "2026-08-17"}},
                    {"id": "s2"},
                ],
            }
        ],
        sections=[
            {
                "id": "s1",
                "$students": [
                    {"id": "p1", "$membership": {"id": "m1", "start_date": "2026-09-01", "status": "Active"}},
                    {"id": "p2"},
                ],
            }
        ],
    )
    links = roster.links.set_index(["source_id", "target_id"])
    assert links["stated_by"].to_dict() == {("p1", "s1"): "both", ("p1", "s2"): "source", ("p2", "s1"): "target"}
    assert links.loc[("p1", "s1"), "status"] == "Active"
    assert str(links.loc[("p1", "s1"), "start_date"].date()) == "2026-08-17"
    differ = roster.problems[roster.problems["column"] == "start_date"]
    assert differ[["table", "id", "value"]].values.tolist() == [["persons", "p1", "2026-09-01"]]


def test_a_person_twice_in_a_section_keeps_both_memberships() -> None:
    from test_decode import roster_of

    def at(*names: str) -> list[dict[str, object]]:
        return [{"id": "X", "$membership": {"id": name}} for name in names]

    def named(id: str, references: list[dict[str, object]]) -> list[dict[str, object]]:
        return [{**reference, "id": id} for reference in references]

    roster = roster_of(
        persons=[{"id": "p1", "person_type": "student", "$schools": [], "$sections": named("s1", at("m1", "m2"))}],
        sections=[{"id": "s1", "$students": named("p1", at("m2", "m3"))}],
    )
    assert dict(zip(roster.links["membership_id"], roster.links["stated_by"].astype(str), strict=True)) == {
        "m1": "source",
        "m2": "both",
        "m3": "target",
    }


@pytest.mark.parametrize(("list", "below"), LISTS)
def test_every_list_loads_as_a_table(small_sandbox: kx.Sandbox, list: str, below: bool) -> None:
    roster = small_sandbox.roster
    school = roster.orgs.loc[roster.orgs["org_type"] == "school", "id"].iloc[0]
    df = kx.load(small_sandbox.client, list, org_id=school if below else None, progress=False)
    links = roster.links
    here = links[links["target_id"] == school]
    people = roster.persons.set_index("id")["person_type"]
    held = here.loc[here["relation"] == "held_at", "source_id"]
    members = here.loc[here["relation"] == "member_of", "source_id"]
    expected = {
        ("leas", False): roster.orgs.loc[roster.orgs["org_type"] == "lea", "id"],
        ("schools", False): roster.orgs.loc[roster.orgs["org_type"] == "school", "id"],
        ("students", False): people.index[people == "student"],
        ("teachers", False): people.index[people != "student"],
        ("students", True): members[members.map(people) == "student"],
        ("teachers", True): members[members.map(people) != "student"],
        ("courses", True): here.loc[here["relation"] == "offered_by", "source_id"],
        ("sections", True): held,
        ("terms", True): links.loc[
            (links["relation"] == "in_term") & links["source_id"].isin(held), "target_id"
        ].unique(),
        **{(name, False): df["id"] for name, df in roster.tables.items()},
    }[list, below]
    assert len(df) > 0
    assert sorted(df["id"]) == sorted(expected)


def test_a_list_that_does_not_exist_is_named(small_sandbox: kx.Sandbox) -> None:
    with pytest.raises(ValueError, match=r"Unknown list 'pupils'\. Choose one of: courses"):
        kx.load(small_sandbox.client, "pupils")
    with pytest.raises(ValueError, match="Unknown list 'schools' below an org"):
        kx.load(small_sandbox.client, "schools", org_id="1")
    with pytest.raises(kx.NotFoundError, match=r"rostering/orgs/no%20such/students \(page 0\): No org"):
        kx.load(small_sandbox.client, "students", org_id="no such")


def test_values_that_do_not_fit_are_warned_of(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/odd/rostering/terms").respond_with_json(
        {"data": [{"id": "1", "start_date": "soon"}], "paging": {}}
    )
    with (
        kx.connect(httpserver.url_for("/odd"), token="t") as client,
        pytest.warns(kx.KimonoWarning, match=r'1 problems in terms, in attrs\["problems"\]; the first: not a date'),
    ):
        df = kx.load(client, "terms", progress=False)
    assert [(p.id, p.value) for p in df.copy().attrs["problems"]] == [("1", "soon")]


@pytest.mark.parametrize("status", [403, 404])
def test_a_list_that_is_refused_does_not_sink_the_rest(httpserver: HTTPServer, status: int) -> None:
    base = f"/refused-{status}"
    for name in ("orgs", "terms", "courses", "sections"):
        httpserver.expect_request(f"{base}/rostering/{name}").respond_with_json({"data": [{"id": name}], "paging": {}})
    httpserver.expect_request(f"{base}/rostering/persons").respond_with_json(
        {"error": {"message": "No"}}, status=status
    )
    httpserver.expect_request(f"{base}/grades/categories").respond_with_json({"data": [{"id": "g"}], "paging": {}})
    missing = {"error": {"message": "No such path"}}
    httpserver.expect_request(f"{base}/grades/gradingCategories").respond_with_json(missing, status=404)
    with kx.connect(httpserver.url_for(base), token="t", retries=0) as client:
        roster = kx.load_roster(client, progress=False)
    assert roster.orgs["id"].tolist() == ["orgs"]
    assert len(roster.persons) == 0
    assert roster.grading_categories["id"].tolist() == ["g"]  # from the path of older documents
    refused = roster.problems[roster.problems["table"] == "persons"]
    assert refused["value"].tolist() == [str(status)]
    assert refused["problem"].str.contains(f"the list was refused: {status} from rostering/persons").all()


def test_each_object_is_read_once(httpserver: HTTPServer) -> None:
    for path in ("orgs", "terms", "courses", "sections", "persons"):
        httpserver.expect_request(f"/once/rostering/{path}").respond_with_json(
            {"data": [{"id": "1"}], "paging": {"next": None}}
        )
    httpserver.expect_request("/once/grades/gradingCategories").respond_with_json(
        {"data": [{"id": "1"}], "paging": {"next": None}}
    )
    with kx.connect(httpserver.url_for("/once"), token="t") as client:
        kx.load_roster(client, progress=False, heal=False)
    asked = [request.path.rsplit("/", 1)[-1] for request, _ in httpserver.log if request.path.startswith("/once")]
    assert sorted(asked) == ["courses", "gradingCategories", "orgs", "persons", "sections", "terms"]
