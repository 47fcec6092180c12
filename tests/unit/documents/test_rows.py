"""Tables, CSV, JSON and HTML: a row is one statement with the names of its columns, nothing is torn or raw."""

from interlayer.documents.reader import read


def said(content: str) -> list[str]:
    return [piece.said for piece in read(content).statements]


def test_a_row_of_csv_names_its_columns() -> None:
    assert said('Imported today.\n\nname,city,seats\n"Roe, Ann",Graz,12\nBen Cox,Linz,\n') == [
        "Imported today.",
        "name: Roe, Ann, city: Graz, seats: 12",
        "name: Ben Cox, city: Linz",
    ]
    assert said("Artikel;Preis;Menge\nPumpe;12,50;3\n") == ["Artikel: Pumpe, Preis: 12,50, Menge: 3"]


def test_lines_with_commas_are_no_csv() -> None:
    content = "Dear Tim, thanks\nWe want pumps, valves, pipes\nThey come in May, June, July"
    assert not any("Dear Tim:" in one for one in said(content))


def test_a_row_of_a_table_names_its_columns() -> None:
    content = "| Name | Role |\n|------|:----:|\n| Ann | **CFO** |\n| Ben | a \\| b |\n"
    assert said(content) == ["Name: Ann, Role: CFO", "Name: Ben, Role: a | b"]


def test_an_object_of_json_is_one_statement_under_its_path() -> None:
    content = (
        '{"deal": {"amount": 12500.0, "won": true, "notes": "She said: \\"yes\\".", "tags": ["a", "b"],'
        ' "who": [{"name": "Ann"}]}}'
    )
    whole = 'deal: amount: 12500.0, won: true, notes: She said: "yes"., tags: a; b'
    assert said(content) == [whole, "deal who: name: Ann"]
    assert said('{"a": 1}\n{"a": 2}\n') == ["a: 1", "a: 2"]


def test_of_html_only_what_a_reader_sees_is_said() -> None:
    source = (
        "<html><head><title>x</title><style>p{}</style></head><body><p>We have <b>320</b>&nbsp;seats.</p><!-- no -->"
        "<ul><li>Ann pays</li><li>Ben signs</li></ul><table><tr><td>City</td><td>Graz</td></tr></table></body></html>"
    )
    document = read(source)
    found = {piece.text: source[piece.start : piece.end] for piece in document.statements}
    assert found["We have 320 seats."] == "We have <b>320</b>&nbsp;seats."
    assert {"Ann pays", "Ben signs"} < set(found)
    assert any("Graz" in text for text in found)
    assert not any("<" in text or text == "no" for text in found)


def test_an_item_keeps_what_leads_in_to_its_list() -> None:
    content = (
        "They need the following by March:\n- an audit log\n- SSO\n\n## Stack\n- Kafka\n- they also run a large cluster"
    )
    assert said(content) == [
        "They need the following by March:",
        "They need the following by March: an audit log",
        "They need the following by March: SSO",
        "Stack: Kafka",
        "they also run a large cluster",
    ]


def test_an_open_box_is_not_done() -> None:
    assert said("- [x] Offer sent to Graz\n- [ ] Contract signed by Ann") == [
        "[x] Offer sent to Graz",
        "[ ] Contract signed by Ann",
    ]
