"""Storage quantities: the whole grammar of Kubernetes, and the sizes that EBS has."""

from fractions import Fraction

import pytest

from components.settings.quantity import GIB, check_storage, parse_quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("1", 1),
        ("+1", 1),
        ("-1", -1),
        ("1.5Gi", GIB * 3 // 2),
        (".5Ki", 512),
        ("1.Ki", 1024),
        ("1Ki", 2**10),
        ("1Mi", 2**20),
        ("1Gi", 2**30),
        ("1Ti", 2**40),
        ("1Pi", 2**50),
        ("1Ei", 2**60),
        ("1n", Fraction(1, 10**9)),
        ("1u", Fraction(1, 10**6)),
        ("1m", Fraction(1, 1000)),
        ("1k", 10**3),
        ("1M", 10**6),
        ("1G", 10**9),
        ("1T", 10**12),
        ("1P", 10**15),
        ("1E", 10**18),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1e+3", 1000),
        ("5e-1", Fraction(1, 2)),
        ("0.1e10", 10**9),
    ],
)
def test_a_quantity_of_the_grammar_has_its_value(text: str, value: Fraction) -> None:
    assert parse_quantity(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Gi",
        "1 Gi",
        " 1Gi",
        "1Gi ",
        "1Gi\n",
        "1GB",
        "1gi",
        "1GI",
        "1g",
        "1K",
        "1KiB",
        "1.2.3Gi",
        "--1",
        "+-1",
        "1e",
        "1e1.5",
        "1e3Gi",
        "e3",
        ".",
        "1,5Gi",
        "0x10",
        "1_000",
        "inf",
        "nan",
        "one",
        "\u0661Gi",
        "1e1000000",
        "9" * 65,
    ],
)
def test_what_is_not_of_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a Kubernetes quantity"):
        parse_quantity(text)


@pytest.mark.parametrize("text", ["1Gi", "1024Mi", "1073741824", "1.1G", "2e9", "16Ti", "16384Gi", "17e12"])
def test_a_size_that_ebs_has_is_accepted_as_it_is(text: str) -> None:
    assert check_storage(text) == text


@pytest.mark.parametrize("text", ["0", "-1Gi", "1023Mi", "1G", "1073741823", "500m", "0.9Gi"])
def test_less_than_a_gibibyte_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"less than the smallest EBS volume; accepted is .* from 1Gi to 16Ti"):
        check_storage(text)


@pytest.mark.parametrize("text", ["16385Gi", "16.1Ti", "1Pi", "18e12", "1E"])
def test_more_than_16_tebibytes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="more than the largest EBS volume"):
        check_storage(text)
