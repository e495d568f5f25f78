"""Text folded for comparison."""

import pandas as pd
import pytest

from kimono_explore.roster.text import fold, fold_all, plain_texts


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Ana \t SILVA ", "ana silva"),
        ("Núñez", "nunez"),
        ("Strauß", "strauss"),
        ("Łukasz Øre", "lukasz ore"),
        ("Þórr Ðuro đ", "thorr duro d"),
        ("Æsir œuvre", "aesir oeuvre"),
        ("ıI", "ii"),
        ("O’Neil", "o'neil"),
        ("ﬁn", "fin"),
        ("", ""),
    ],
)
def test_case_accents_and_spaces_make_no_difference(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_a_column_is_folded_as_its_texts_are() -> None:
    texts = pd.Series(["Ana  B", "Núñez", None, "Núñez", "Øre"], dtype="str")
    assert fold_all(texts).to_pylist() == ["ana  b", "nunez", "", "nunez", "ore"]
    assert fold_all(plain_texts(texts)).to_pylist() == ["ana  b", "nunez", "", "nunez", "ore"]
    assert fold_all(pd.Series(["A", None], dtype="str")).to_pylist() == ["a", ""]
    assert fold_all(pd.Series([], dtype="str")).to_pylist() == []


def test_a_column_of_several_pieces_is_one_text() -> None:
    texts = pd.concat([pd.Series(["A"], dtype="str"), pd.Series([None, "b"], dtype="str")])
    assert plain_texts(texts).to_pylist() == ["A", "", "b"]
