"""The picture in the documents is the view as it is today."""

import re

import pytest

from tests.unit.lab.watch.screenshot import DOCS, PICTURES, drawn, texts

PAGES = {"en": ("README.md", "docs/lab.md"), "ja": ("README.ja.md", "docs/lab.ja.md")}


@pytest.mark.parametrize("language", PICTURES)
def test_picture_shows_what_the_view_shows(language: str) -> None:
    kept = (DOCS / PICTURES[language][0]).read_text()
    assert texts(kept) == texts(drawn(language)), "the picture is old: run make pictures"


@pytest.mark.parametrize("language", PICTURES)
def test_picture_is_on_the_pages_of_its_language(language: str) -> None:
    file, _ = PICTURES[language]
    for page in PAGES[language]:
        path = file if page.startswith("docs/") else f"docs/{file}"
        assert re.search(rf"!\[[^\]]+\]\({path}\)", (DOCS.parent / page).read_text()), page


@pytest.mark.parametrize("language", PICTURES)
def test_picture_asks_no_server(language: str) -> None:
    kept = (DOCS / PICTURES[language][0]).read_text()
    assert re.findall(r"(?:url\(|href=)[\"']?(?!#)[^)\"']+", kept) == []
