"""How a newer statement stands to an older one: merged only if all of it is known, replacing only if that is sure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.language.comparison.judgement import compare
from interlayer.language.comparison.restatement import restate_in_parts
from interlayer.language.comparison.statement import Statement
from interlayer.language.comparison.verdict import Verdict
from interlayer.models.local import static_vectors

YEAR_S = 365 * 86_400.0
NAMES = ["Zeta", "Quorum", "Halden", "Norvia", "Kelt", "Brandt"]
FRAMES = [
    "{name} delivers {number} pumps to {other}.",
    "The contract between {name} and {other} covers {number} sites.",
    "{name} liefert {number} Pumpen an {other}.",
    "{name} livre {number} pompes à {other}.",
    "{name} vende {number} bombas a {other}.",
]


def judge(newer: str, older: str, later_s: float = YEAR_S) -> Verdict:
    one, other = static_vectors([newer, older])
    own = frozenset({"acm"})
    return compare(Statement.of(newer), Statement.of(older), float(one @ other), later_s, own)


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("The audit takes place in Bergen", "The audit takes place in Bergen."),
        ("HR system: Personio.", "Their HR system is Personio."),
        ("Mia Olsen, head of procurement.", "Mia Olsen is head of procurement at Bergland."),
        ("The tender starts in July.", "The tender was won and starts in July."),
        ("Expiry 30 June 2027.", "The expiry date of the licence is 30 June 2027."),
        ("The committee meets with Paul Reed, the COO.", "The committee meets with the COO, Paul Reed."),
        ("The demo is on June 4, 2026.", "The demo is on 4 June 2026."),
        ("They have 12 branches.", "They have twelve branches."),
        ("Herr Falk, Leiter IT.", "Herr Falk ist Leiter IT bei Norden."),
        ("Paul Roux, directeur commercial.", "Paul Roux est directeur commercial chez Altis."),
        ("Ana Gil, jefa de ventas.", "Ana Gil es jefa de ventas en Marola."),
        ("Ils ont 12 agences.", "Ils ont douze agences."),
        ("Deal value ~$72K", "The budget for the rollout is allocated at $72,000"),
    ],
)
def test_what_is_met_word_for_word_is_the_same(newer: str, older: str) -> None:
    assert judge(newer, older) is Verdict.SAME


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("The fee is €7.", "The fee is $7."),
        ("Balance: -40 EUR.", "Balance: 40 EUR."),
        ("They want to leave.", "They want to leave Norvia if prices rise."),
        ("They use Okta.", "They plan to use Okta."),
        ("She was the treasurer.", "She is the treasurer."),
        ("At most 8 users need access.", "At least 8 users need access."),
        ("Delivery is free.", "Delivery is free for orders over $90."),
        ("They migrated from Azure to AWS.", "They migrated from AWS to Azure."),
        ("They prefer Adyen over Stripe.", "They prefer Stripe over Adyen."),
        ("Kelt bought Norvia.", "Norvia bought Kelt."),
        ("Usan 4 licencias de Pro y 9 de Basic.", "Usan 9 licencias de Pro y 4 de Basic."),
        ("Status: ❌ audit", "Status: ✅ audit"),
        ("Version 3.10 is installed.", "Version 3.1 is installed."),
        ("预算为六百万元。", "预算为四百万元。"),
        ("他们不喜欢电话。", "他们喜欢电话。"),
        ("担当者は佐藤さんです。", "担当者は田中さんです。"),
        ("입금이 확인되지 않았습니다.", "입금이 확인되었습니다."),
        ("Umowa nie została podpisana.", "Umowa została podpisana."),
        ("Smlouva nebyla podepsána.", "Smlouva byla podepsána."),
        ("Sözleşme imzalanmadı.", "Sözleşme imzalandı."),
        ("العقد غير موقع.", "العقد موقع."),
        ("החוזה לא נחתם.", "החוזה נחתם."),
        ("अनुबंध पर हस्ताक्षर नहीं हुए।", "अनुबंध पर हस्ताक्षर हुए।"),
        ("Договор не подписан.", "Договор подписан."),
    ],
)
def test_what_says_anything_else_is_never_the_same(newer: str, older: str) -> None:
    assert judge(newer, older) is not Verdict.SAME
    assert judge(older, newer) is not Verdict.SAME or len(older) < len(newer)


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("Their payroll provider is Rippling.", "Their payroll provider is Gusto."),
        ("The warranty lasts 36 months.", "The warranty lasts 24 months."),
        ("Payment terms are net 45.", "Payment terms are net 30."),
        ("The training was postponed to 2 April.", "The training is scheduled for 14 March."),
        ("The discount is 12%, not 10%.", "The discount is 10%."),
        ("They moved from Jira to Linear.", "They use Jira."),
        ("Lena Fuchs replaced Omar Said as technical contact.", "The technical contact is Omar Said."),
        ("They no longer accept cheques.", "They accept cheques."),
        ("Tom Hale resigned as COO.", "Tom Hale is the COO."),
        ("The rollout in Spain was cancelled.", "The customer plans a rollout in Spain."),
        ("The invoice was paid on 3 May.", "The invoice is outstanding."),
        ("The contract has been signed.", "The contract is unsigned."),
        ("Backups run weekly.", "Backups run daily."),
        ("Die Kündigungsfrist beträgt sechs Monate.", "Die Kündigungsfrist beträgt drei Monate."),
        ("Das Zahlungsziel ist jetzt 14 Tage, nicht mehr 30.", "Das Zahlungsziel ist 30 Tage."),
        ("Sie setzen Asana statt Jira ein.", "Sie setzen Jira ein."),
        ("Frau Berg hat Halden verlassen.", "Frau Berg arbeitet bei Halden."),
        ("Ils ont 95 licences au lieu de 70.", "Ils ont 70 licences."),
        ("Leur outil n'est plus Sellsy mais Teamleader.", "Leur outil est Sellsy."),
        ("Ils ne livrent plus le samedi.", "Ils livrent le samedi."),
        ("La factura está pagada.", "La factura está pendiente."),
        ("El pedido es de 180 mesas, no de 200.", "El pedido es de 200 mesas."),
        ("Ya no entregan los sábados.", "Entregan los sábados."),
        ("We only need 30 crates, not 45.", "We need 45 crates of the tall kind by May."),
        ("Make it 15 rooms instead of 12.", "We would like 12 rooms near the station for the crew."),
        ("Wir brauchen doch nur 18 Helme statt 25.", "Wir brauchen 25 Helme der neuen Serie bis Mai."),
        ("Finalement, 18 tables au lieu de 25.", "Nous voulons 25 tables du modèle Rivage."),
        ("Al final queremos 18 sillas en lugar de 25.", "Queremos 25 sillas del modelo Costa."),
        ("Our repair fund is only €25,000 now, not €40,000.", "Our repair fund is €40,000."),
        ("The fleet grew to 72 ferries.", "They operate 60 ferries."),
        ("Die Flotte ist auf 72 Busse gewachsen.", "Sie betreiben 60 Busse."),
        ("La flotte est passée à 72 bus.", "Ils exploitent 60 bus."),
        ("Some use slates now, so paper only is no longer true.", "The crews write on paper only."),
        ("Correction: she is not at sea from June but from August.", "She is at sea from June."),
        ("Our shop moved: the new address is Bridge Road 77, Leeds.", "Our shop is Mill Lane 4, Leeds."),
        ("New contact for billing is Mr Aoki.", "The contact for billing is Ms Ruiz."),
        ("Neue Ansprechpartnerin für Rechnungen ist Frau Aydin.", "Ansprechpartner für Rechnungen ist Herr Wolf."),
        ("Severity: minor.", "Severity: major."),
        ("The rent is due on the 5th, not the 1st.", "Hello again, the rent is due on the 1st."),
        ("Nora Lind called about the order: they have 42 docks, not 24.", "They have 24 docks."),
    ],
)
def test_another_value_an_end_and_a_correction_replace(newer: str, older: str) -> None:
    assert judge(newer, older) is Verdict.REPLACED


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("They use Miro.", "They use Trello."),
        ("The Bergen team has 5 people.", "The Oslo team has 8 people."),
        ("The Pro plan costs 50 dollars.", "The Basic plan costs 20 dollars."),
        ("The COO is Sven Dahl.", "The CFO is Nora Lind."),
        ("The right valve leaks.", "The left valve leaks."),
        ("In May they closed 9 deals.", "In April they closed 7 deals."),
        ("One of the partners is KPMG.", "One of the partners is Deloitte."),
        ("Ticket 91 is open.", "Ticket 88 is resolved."),
        ("Works with Ramboll.", "Works with Arup."),
        ("They are happy with the support.", "They are unhappy with the billing."),
        ("Frau Kurz spielt Tennis.", "Frau Kurz spielt Geige."),
        ("Ils vendent en Suisse.", "Ils vendent en Belgique."),
        ("La oficina de Gijón tiene 9 puestos.", "La oficina de Vigo tiene 6 puestos."),
        ("Do they have 90 users?", "They have 60 users."),
        ("The Tromsø depot has 15 rooms instead of 12.", "The Bodø depot has 12 rooms."),
        ("The monthly support fee is $450, not $600.", "The setup fee is $600."),
        ("In Lyon we want 40 crates, not 30.", "We have 30 crates in Paris."),
        ("My sister has 4 boats, not 3.", "I have 3 boats."),
        ("The Bergen crew grew to 45 sensors.", "They use 30 sensors in Oslo."),
        ("We grew to 15 chairs of the other model.", "We ordered 12 chairs."),
        ("Our repair budget is now $20,000.", "Our budget is $50,000."),
        ("The office in Milan moved: the new address is Via Alba 8.", "The office in Rome is Via Nera 3."),
        ("New contact for finance is Mr Aoki.", "Contact for staff is Ms Ruiz."),
        ("Phase 3 takes 45 days, not 30.", "Phase 2 takes 30 days."),
        ("Severity: major.", "Priority: major."),
    ],
)
def test_what_holds_beside_the_other_is_kept(newer: str, older: str) -> None:
    assert judge(newer, older) in {Verdict.DISTINCT, Verdict.LIKELY}


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        (
            "They have 75 crews, not 90.",
            "They have 90 crews on the Gale plan at €19 per crew and look at the Storm plan.",
        ),
        (
            "A crew costs €21, not €19.",
            "They have 90 crews on the Gale plan at €19 per crew and look at the Storm plan.",
        ),
        ("New contact for staff is Mr Aoki.", "Contact for staff is Ms Ruiz, for finance Mr Bell."),
        ("They do not need a label printer.", "We roast coffee and need a label printer."),
    ],
)
def test_what_is_outdated_in_a_part_is_kept_and_known_to_be(newer: str, older: str) -> None:
    assert judge(newer, older) is Verdict.PARTLY


def test_an_outdated_clause_is_linked_and_the_rest_of_the_fact_kept() -> None:
    older = "The budget is $40,000 and the kickoff is in Ghent."
    assert judge("The budget is $55,000.", older) is Verdict.PARTLY


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("Ada Berg works in the town of Ghent.", "Ada Berg reports to Tom Hart."),
        ("The main office of Kelm Pumps is located in the town of Ghent.", "Ada Berg works in the town of Ghent."),
        ("The main buyer of Kelm Pumps is Ost Foods.", "The main buyer of Ulm Paper is Kelm Pumps."),
        ("Kelm Pumps runs its bookkeeping with Ledgerly.", "Ost Foods runs its bookkeeping with Ledgerly."),
        ("Ost Foods runs its bookkeeping with Ledgerly.", "The main buyer of Kelm Pumps is Ost Foods."),
    ],
)
def test_a_name_in_common_links_no_two_things(newer: str, older: str) -> None:
    assert judge(newer, older) is Verdict.DISTINCT
    assert judge(older, newer) is Verdict.DISTINCT


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("The backend switched to FastAPI.", "The backend uses Django."),
        ("Tom Hart is the contact for the plant.", "The contact for the plant is Ada Berg."),
    ],
)
def test_another_name_for_one_attribute_is_linked(newer: str, older: str) -> None:
    assert judge(newer, older) is Verdict.LIKELY


def test_figures_of_one_moment_are_a_list() -> None:
    assert judge("The hall holds 90 chairs.", "The hall holds 70 chairs.", later_s=5) is Verdict.DISTINCT


def test_what_two_speakers_say_of_themselves_is_of_two_people() -> None:
    assert judge("Boris: My budget is 900 euros.", "Anna: My budget is 700 euros.") is Verdict.DISTINCT


@given(st.text(min_size=1, max_size=80))
def test_a_statement_is_the_same_as_itself(text: str) -> None:
    stated = Statement.of(f"Note {text}")
    assert compare(stated, stated, 1.0, YEAR_S, frozenset()) is Verdict.SAME


@given(st.sampled_from(FRAMES), st.permutations(NAMES), st.integers(2, 9_999), st.integers(2, 9_999))
def test_another_number_or_two_names_exchanged_are_never_the_same(
    frame: str, names: list[str], number: int, other: int
) -> None:
    told = frame.format(name=names[0], other=names[1], number=number)
    swapped = frame.format(name=names[1], other=names[0], number=number)
    assert judge(swapped, told) is not Verdict.SAME
    if number != other:
        assert judge(frame.format(name=names[0], other=names[1], number=other), told) is not Verdict.SAME


@pytest.mark.parametrize(
    ("frame", "denial"),
    [
        ("{name} is {no}a customer.", "not "),
        ("{name} ist {no}zufrieden.", "nicht "),
        ("{name} est {no}satisfait.", "pas "),
        ("{name} {no}quiere renovar.", "no "),
        ("{name} {no}jest zadowolony.", "nie "),
    ],
)
@given(name=st.sampled_from(NAMES))
def test_a_denial_is_never_the_same(frame: str, denial: str, name: str) -> None:
    told, denied = frame.format(name=name, no=""), frame.format(name=name, no=denial)
    assert judge(denied, told) is not Verdict.SAME
    assert judge(told, denied) is not Verdict.SAME


def test_a_figure_that_is_another_thing_s_name_there_makes_no_change() -> None:
    newer, older = "The seal with number 8 stands in hall 2.", "The seal with number 2 stands in hall 0."
    assert compare(Statement.of(newer), Statement.of(older), 0.95, 86_400, frozenset()) is Verdict.DISTINCT


def test_claims_in_a_row_are_known_only_claim_by_claim() -> None:
    known = [Statement.of("The office runs on Azure."), Statement.of("They plan a rewrite in Rust.")]
    assert restate_in_parts(Statement.of("on Azure, plan a rewrite in Rust"), known)
    swapped = Statement.of("Uses 10 licences of Pro and 5 of Basic.")
    assert not restate_in_parts(swapped, [Statement.of("Uses 5 licences of Pro and 10 of Basic.")])


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("We have moved away from Xero.", "Their accounting is done in Xero."),
        ("Wir haben Okta durch Entra ID ersetzt.", "Die Anmeldung läuft über Okta."),
        ("Nous avons remplacé Okta par Entra ID.", "L'authentification passe par Okta."),
        ("Hemos cambiado Okta por Entra ID.", "El inicio de sesión va por Okta."),
        ("Den Offline-Modus brauchen wir nicht mehr.", "Sie braucht unbedingt einen Offline-Modus."),
        ("Le mode hors ligne n'est plus nécessaire.", "Elle demande un mode hors ligne pour les ateliers."),
        ("Ya no hace falta la exportación a Excel.", "Necesitan una exportación a Excel cada semana."),
        ("The error in the invoice export has been resolved.", "The invoice export ends with an error."),
        ("Der Export nach Excel funktioniert seit heute wieder.", "Der Export nach Excel bricht ab."),
        ("Le lancement est repoussé au 12 avril.", "La mise en service est prévue le 1 mars."),
        ("Desde hoy pagamos a 60 días en vez de 30.", "Las facturas se pagan a 30 días."),
        ("Wir haben jetzt 70.000 Euro statt 85.000 Euro.", "Der Vorstand hat 85.000 Euro bereitgestellt."),
    ],
)
def test_what_is_given_up_or_changed_in_other_words_is_outdated(newer: str, older: str) -> None:
    assert judge(newer, older) in {Verdict.REPLACED, Verdict.PARTLY}


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("The go-live of the payroll module has slipped to 3 May.", "The rostering module goes live on 1 April."),
        ("The notice period is 60 days instead of 45.", "Our invoices are paid within 45 days."),
        ("We dropped the idea of a call centre in Oban.", "Their ships leave from Oban."),
        ("We dropped Xero for the Lyon branch.", "The Paris branch uses Xero."),
        ("The printer in hall 3 works again.", "The printer in hall 2 is broken."),
        ("The import is fixed since this morning.", "The import runs every night."),
        ("They no longer need the test system.", "They need the production system by May."),
        ("The crash on iPads is fixed.", "The app crashes on Android."),
    ],
)
def test_what_is_given_up_of_another_thing_leaves_this_one(newer: str, older: str) -> None:
    assert judge(newer, older) in {Verdict.DISTINCT, Verdict.LIKELY}
