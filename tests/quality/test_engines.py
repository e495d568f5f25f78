"""Each engine brings tables in, keeps frames and gives back the library's dtypes."""

from pathlib import Path

import narwhals as nw
import pandas as pd
import pytest

from kimono_explore.errors import ConfigurationError
from kimono_explore.frames import frame
from kimono_explore.quality.engines import DuckDB, Engine, Polars, Spark, make_engine


@pytest.fixture(params=["duckdb", "polars"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return make_engine(request.param)


def links() -> pd.DataFrame:
    return frame(
        "links",
        {"source_id": ["b", "a", None], "relation": ["in_term", "child_of", "in_term"], "primary": [True, None, False]},
    )


def test_an_engine_is_found_by_its_name() -> None:
    engine = make_engine("duckdb")
    assert isinstance(engine, DuckDB)
    engine.close()
    assert isinstance(make_engine("polars"), Polars)
    assert (DuckDB.name, Polars.name, Spark.name) == ("duckdb", "polars", "spark")

    class Session:
        createDataFrame = None  # noqa: N815

    assert isinstance(make_engine(Session()), Spark)  # type: ignore[arg-type]
    with pytest.raises(
        ConfigurationError, match=r"^Unknown engine 'pandas'. Use engine=\"polars\", \"duckdb\" or a SparkSession.$"
    ):
        make_engine("pandas")
    with pytest.raises(
        ConfigurationError, match=r"memory='1GB' is a limit that only DuckDB supports: use engine=\"duckdb\"."
    ):
        make_engine("polars", memory="1GB")
    with pytest.raises(ConfigurationError, match=r"memory='much' is not an amount of memory. Write it as \"4GB\"."):
        make_engine("duckdb", memory="much")
    make_engine("duckdb", memory="1GB").close()


def test_a_table_comes_back_with_its_dtypes(engine: Engine) -> None:
    found = engine.collect(
        engine.bring("links", links()).sort("source_id", nulls_last=True).select("source_id", "relation", "primary")
    )
    assert found["source_id"].fillna("-").tolist() == ["a", "b", "-"]
    assert found["relation"].tolist() == ["child_of", "in_term", "in_term"]
    assert found["primary"].tolist() == [pd.NA, True, False]
    assert [str(dtype) for dtype in found.dtypes] == ["str", "str", "boolean"]
    engine.close()


def test_numbers_and_dates_come_back_with_their_dtypes(engine: Engine) -> None:
    df = frame("terms", {"id": ["a", "b"], "start_date": ["2026-08-17", None], "ext_n": [1, 2]})
    lazy = engine.bring("terms", df)
    total = engine.collect(lazy.select(nw.col("ext_n").sum()))
    assert (total["ext_n"].tolist(), str(total["ext_n"].dtype)) == ([3], "Int64")
    first = engine.collect(lazy.filter(nw.col("id") == "a").select("start_date"))
    assert first["start_date"].tolist() == [pd.Timestamp("2026-08-17")]
    engine.close()


def test_files_are_scanned(engine: Engine, tmp_path: Path) -> None:
    df = pd.DataFrame({"id": ["a", "b"]})
    df.to_parquet(tmp_path / "terms.parquet")
    assert engine.collect(engine.scan(tmp_path / "terms.parquet"))["id"].tolist() == ["a", "b"]
    (tmp_path / "orgs").mkdir()
    df.to_parquet(tmp_path / "orgs" / "0.parquet")
    assert engine.collect(engine.scan(tmp_path / "orgs"))["id"].tolist() == ["a", "b"]
    engine.close()


def test_small_tables_are_text_and_frames_are_kept(engine: Engine) -> None:
    small = engine.small({"a": ["x", None], "b": [None, None]})
    for made in (small, engine.keep(small), engine.keep(engine.keep(small))):
        found = engine.collect(made)
        assert found["a"].fillna("-").tolist() == ["x", "-"]
        assert found["b"].isna().tolist() == [True, True]
        assert [str(dtype) for dtype in found.dtypes] == ["str", "str"]
    engine.close()


def test_what_duckdb_spills_is_deleted() -> None:
    engine = DuckDB()
    folder = Path(engine._spill.name)
    assert folder.is_dir()
    engine.close()
    assert not folder.exists()
