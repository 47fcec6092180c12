"""What a sentence states: a value that is so, now, of whom it is about; and who has which post."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.language.stated.assertion import Place
from interlayer.language.stated.job_titles import job_titles, titles_of_line


def place(text: str, value: str, label: str = "", answer: str = "") -> Place:
    start = text.index(value)
    return Place(text, start, start + len(value), label, answer)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("They have 42 vans.", "42 vans"),
        ("We have 42 vans, not 50.", "42 vans"),
        ("Not only Oslo but 42 vans.", "42 vans"),
        ("Do they know? They have 42 vans.", "42 vans"),
        ("They have 42 vans - any plans for more?", "42 vans"),
        ("They would like a demo, but the fleet is 42 vans.", "42 vans"),
        ("42 vans instead of 50.", "42 vans"),
        ("Der Fuhrpark umfasst 42 Wagen.", "42 Wagen"),
    ],
)
def test_what_is_said_plainly_is_stated(text: str, value: str) -> None:
    assert place(text, value).states()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("They do not have 42 vans.", "42 vans"),
        ("No 42 vans were bought.", "42 vans"),
        ("A fleet of 42 vans was not bought.", "42 vans"),
        ("Sie haben keine 42 Wagen.", "42 Wagen"),
        ("Ils n'ont pas 42 camions.", "42 camions"),
        ("No tienen 42 camiones.", "42 camiones"),
        ("Do they have 42 vans?", "42 vans"),
        ("¿Tienen 42 camiones?", "42 camiones"),
        ("If they grow, the fleet has 42 vans.", "42 vans"),
        ("42 vans if they grow.", "42 vans"),
        ("Wenn sie wachsen, sind es 42 Wagen.", "42 Wagen"),
        ("S'ils signent, il y aura 42 camions.", "42 camions"),
        ("Si crecen, serán 42 camiones.", "42 camiones"),
        ("They want 42 vans.", "42 vans"),
        ("Wir schlagen 42 Wagen vor.", "42 Wagen"),
        ("Nous proposons 42 camions.", "42 camions"),
        ("Quieren 42 camiones.", "42 camiones"),
        ("Their competitor has 42 vans.", "42 vans"),
        ("Der Wettbewerber hat 42 Wagen.", "42 Wagen"),
        ("Le concurrent a 42 camions.", "42 camions"),
        ("Su competidor tiene 42 camiones.", "42 camiones"),
        ("Northwind gives 42 vans away.", "42 vans"),
        ("For example, 42 vans.", "42 vans"),
        ("z. B. 42 Wagen", "42 Wagen"),
        ("50 vans instead of 42 vans.", "42 vans"),
        ("Jetzt 50 statt 42 Wagen.", "42 Wagen"),
        ("50 camions au lieu de 42 camions.", "42 camions"),
        ("50 en lugar de 42 camiones.", "42 camiones"),
        ("The fleet grew from 42 vans to 50 vans.", "42 vans"),
        ("42 vans -> 50 vans", "42 vans"),
        ("The 42 vans were dropped.", "42 vans"),
        ("1 in 42 vans fails.", "42 vans"),
    ],
)
def test_what_is_denied_asked_wished_foreign_or_old_is_not(text: str, value: str) -> None:
    assert not place(text, value).states()


def test_a_question_states_what_the_answer_affirms_and_what_it_takes_for_given() -> None:
    assert place("They have 42 vans, right?", "42 vans", answer="Yes, since May.").states()
    assert not place("They have 42 vans, right?", "42 vans", answer="I will ask.").states()
    asked = place("How do you serve a fleet of 42 vans?", "42 vans")
    assert asked.states(presupposed=True)
    assert not asked.states()
    assert not place("How about 42 vans?", "42 vans").states(presupposed=True)


def test_who_speaks_for_the_organization_says_nothing_of_the_customer() -> None:
    assert not place("We have 42 vans.", "42 vans", label="Kim (seller)").states()
    assert place("You have 42 vans.", "42 vans", label="Kim (seller)").states()
    assert place("We have 42 vans.", "42 vans", label="Lee (buyer)").states()


def test_a_wish_states_an_address() -> None:
    wish = place("They want invoices sent to a@b.example.", "a@b.example")
    assert wish.states(wishes_count=True)
    assert not wish.states()


@pytest.mark.parametrize(
    ("text", "title", "holder"),
    [
        ("I am the head of logistics at Northwind.", "head of logistics", "i"),
        ("Mara Voss, our VP Finance, signs.", "VP Finance", "Mara Voss"),
        ("He was appointed managing director in May.", "managing director", "he"),
        ("Ich bin Leiterin des Einkaufs bei der Firma.", "Leiterin des Einkaufs", "ich"),
        ("Je suis directrice des ventes.", "directrice des ventes", "je"),
        ("Pilar Soto, jefa de compras, llamó.", "jefa de compras", "Pilar Soto"),
        ("Soy directora de operaciones.", "directora de operaciones", ""),
        ("As Head of Research, I decide.", "Head of Research", "i"),
        ("I joined Northwind as product manager.", "product manager", "i"),
        ("Mara Voss is the CFO of Northwind Traders.", "CFO", "Mara Voss"),
        ("She is the medical director of Elm Park Clinics.", "medical director", "she"),
        ("Mara Voss is the head of Human Resources at Northwind.", "head of Human Resources", "Mara Voss"),
        ("Mara Voss (mara@n.example), head of laboratory services, signs.", "head of laboratory services", "Mara Voss"),
        ("Our new fleet manager is Mara Voss.", "fleet manager", "Mara Voss"),
        ("Mara Voss, who is our HSE manager, will call.", "HSE manager", "Mara Voss"),
        ("Mara Voss has taken over from Tom Birk as site manager.", "site manager", "Mara Voss"),
        ("Mara has been promoted to senior buyer.", "senior buyer", "Mara"),
        ("I'm Tom, the operations director here.", "operations director", "i"),
        ("Frau Voss ist seit Montag Werkstattleiterin.", "Werkstattleiterin", "Voss"),
        ("Mara Voss wird ab 1. Mai Geschäftsführerin.", "Geschäftsführerin", "Mara Voss"),
        ("Mara Voss wurde zur Einkaufsleiterin befördert.", "Einkaufsleiterin", "Mara Voss"),
        ("Unser Leiter Logistik, Herr Timo Brandt, ruft an.", "Leiter Logistik", "Timo Brandt"),
        ("Je suis directrice commerciale des Moulins Perret et je signe.", "directrice commerciale", "je"),
        ("Mme Voss est désormais directrice d'usine.", "directrice d'usine", "Voss"),
        ("Mara Voss a pris le poste de directrice technique.", "directrice technique", "Mara Voss"),
        ("Nuestra jefa de taller, Ana Gil, lo probará.", "jefa de taller", "Ana Gil"),
        ("Ana Gil ha sido nombrada directora general.", "directora general", "Ana Gil"),
        ("My new title is Group Operations Director.", "Group Operations Director", "my"),
        ("Soy Ana Gil, encargada de almacén en Luna.", "encargada de almacén", "Ana Gil"),
    ],
)
def test_a_job_title_has_a_holder(text: str, title: str, holder: str) -> None:
    assert (title, holder) in [(one.text, one.holder) for one in job_titles(text)]


@pytest.mark.parametrize(
    "text",
    [
        "I am not the manager.",
        "The manager called.",
        "I am glad.",
        "Mara Voss, 34, is in.",
        "Mara Voss stepped down as CFO.",
        "Er ist kein Leiter.",
        "Contact your account manager.",
        "My manager is Mara Voss.",
        "Mara Voss, formerly head of sales, called.",
        "Mara Voss, bisher Leiterin Einkauf, rief an.",
        "Mon responsable est désormais Mara Voss.",
    ],
)
def test_what_gives_nobody_a_post_is_no_title(text: str) -> None:
    assert not list(job_titles(text))


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("Head of Laboratory Services", "Head of Laboratory Services"),
        ("Managing Director, Norfolk Seeds Ltd", "Managing Director"),
        ("Norfolk Seeds | Plant Manager", "Plant Manager"),
        ("Founder & CEO", "Founder & CEO"),
        ("Leiter Einkauf & Logistik", "Leiter Einkauf & Logistik"),
        ("Praxismanagerin", "Praxismanagerin"),
        ("Responsable du service client", "Responsable du service client"),
        ("Directrice générale – Moulins Perret", "Directrice générale"),
        ("Jefe de almacén", "Jefe de almacén"),
    ],
)
def test_a_line_of_a_signature_may_be_a_title(line: str, title: str) -> None:
    assert list(titles_of_line(line)) == [title]


@pytest.mark.parametrize(
    "line",
    ["Tom Baker", "Kind regards", "Baker & Partner", "Norfolk Engineer GmbH", "T +44 1632 960 001", "Elm Vet Supply"],
)
def test_a_line_of_a_signature_with_a_name_is_no_title(line: str) -> None:
    assert not list(titles_of_line(line))


@given(st.text(max_size=80), st.integers(0, 80), st.integers(0, 80))
def test_any_place_of_any_text_is_judged(text: str, one: int, other: int) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    Place(text, start, end).states()
    for title in job_titles(text):
        assert text[title.start : title.end]
