import httpx
import pytest

from bihuan.http import Gateway, Refused


def _gateway(answer: httpx.Response, **jobs: list[dict[str, object]]) -> Gateway:
    states = iter(jobs.get("states", []))

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 300})
        if request.url.path.startswith("/v1/jobs/"):
            return httpx.Response(200, json=next(states))
        return answer

    return Gateway("http://suite", "importer", "secret", transport=httpx.MockTransport(handle))


def test_a_problem_is_told_in_its_own_words() -> None:
    problem = {
        "title": "Invalid",
        "status": 422,
        "code": "invalid",
        "detail": "The body does not fit",
        "errors": [{"pointer": "/party_type", "detail": "unknown"}],
    }
    headers = {"content-type": "application/problem+json"}
    gateway = _gateway(httpx.Response(422, json=problem, headers=headers))

    with pytest.raises(Refused) as refused:
        gateway.put("/v1/customers/1", {})

    assert (refused.value.status, refused.value.code) == (422, "invalid")
    assert str(refused.value) == (
        "PUT /v1/customers/1: 422 invalid: The body does not fit (/party_type: unknown)"
    )


def test_an_answer_that_is_no_problem_document_is_shown_as_it_is() -> None:
    with pytest.raises(Refused, match="502 Bad gateway"):
        _gateway(httpx.Response(502, text="Bad gateway")).get("/v1/me")


def test_nothing_to_say_is_an_empty_answer() -> None:
    assert _gateway(httpx.Response(204)).post("/v1/x") == {}


def test_a_job_is_followed_to_its_end_and_tells_how_far_it_is() -> None:
    states: list[dict[str, object]] = [
        {"state": "queued", "done": 0, "rows": 10},
        {"state": "running", "done": 4, "rows": 10},
        {"state": "completed", "done": 10, "rows": 10},
    ]
    told: list[tuple[int, int]] = []
    gateway = _gateway(httpx.Response(204), states=states)

    assert gateway.follow_job("j", lambda done, rows: told.append((done, rows))) == states[-1]
    assert told == [(0, 10), (4, 10), (10, 10)]


def test_a_failed_job_is_an_error_with_its_reason() -> None:
    state: dict[str, object] = {"state": "failed", "done": 0, "rows": 1, "error": "no space left"}

    with pytest.raises(Refused, match="no space left"):
        _gateway(httpx.Response(204), states=[state]).follow_job("j", lambda _d, _r: None)
