"""What a bank does to its customers, told to the real services."""

from typing import Any

from tests.contract.suite import EVERY_SCOPE, Suite
from tests.kit import bearer


async def write(suite: Suite, customer_id: str, path: str, **body: Any) -> Any:
    """PUT something of a customer to profile."""
    return await suite.call("PUT", f"/customers/{customer_id}{path}", body)


async def person(suite: Suite, customer_id: str = "c1", **facts: Any) -> None:
    """Bring in a person with an account and 90,000 CNY on it."""
    usual = {"party_type": "person", "birth_date": "1988-05-01", "org_path": "bank/east"}
    await write(suite, customer_id, "", **{**usual, **facts})
    await write(suite, customer_id, f"/accounts/a-{customer_id}", opened_at="2025-12-20")
    await write(
        suite,
        customer_id,
        f"/holdings/h-{customer_id}",
        category="demand_deposit",
        opened_at="2025-12-20",
        account_id=f"a-{customer_id}",
        balance={"amount": "90000.00", "currency": "CNY"},
        balance_at="2026-01-10T00:00:00Z",
    )


async def consent(suite: Suite, state: str, customer_id: str = "c1", **more: Any) -> None:
    """Let a customer grant or withdraw marketing."""
    said = {"state": state, "text_version": "2026-01", "evidence": "app-17", **more}
    await write(suite, customer_id, "/consents/marketing", **said)


async def redefine(suite: Suite, version: str, **more: Any) -> Any:
    """Change what marketing means, by two people; consents to older texts are to lapse."""
    path = "/consent-purposes/marketing"
    meaning = {"zh": "营销与画像", "en": "Marketing, and profiling for it"}
    text = {"text_version": version, "meaning": meaning, "needs_new_consent": True, **more}
    read = await suite.send("GET", path)
    first = {**bearer(*EVERY_SCOPE, actor="s-1"), "If-Match": read.headers["ETag"]}
    proposed = await suite.send("PUT", path, text, **first)
    second = {**bearer(*EVERY_SCOPE, actor="s-2"), "If-Match": proposed.headers["ETag"]}
    return await suite.call("POST", f"{path}/texts/{version}/accept", **second)


async def assess(suite: Suite, risk_class: int, customer_id: str = "c1") -> None:
    answers = {"risk_class": risk_class, "questionnaire_version": "2026-01"}
    await suite.call("POST", f"/customers/{customer_id}/assessments", answers)


async def ready(suite: Suite, customer_id: str = "c1") -> None:
    """Bring in a person to whom offers may be made, known everywhere."""
    await person(suite, customer_id)
    await consent(suite, "granted", customer_id)
    await assess(suite, 3, customer_id)
    await suite.settle()


async def decide(suite: Suite, **wish: Any) -> list[dict[str, Any]]:
    """Ask what to offer in the app; the propositions, best first."""
    asked = {"customer_id": "c1", "channel": "app", **wish}
    answer = await suite.call("POST", "/decisions", asked)
    assert answer["propositions"], answer
    return answer["propositions"]


async def report(suite: Suite, proposition: dict[str, Any], outcome: str, **more: Any) -> Any:
    """Tell feedback what came of a proposition."""
    said = {"proposition_id": proposition["id"], "outcome": outcome, **more}
    return await suite.call("POST", "/outcomes", said)


async def reserve(suite: Suite, **wish: Any) -> Any:
    """Ask for a contact by SMS; the answer, or the problem."""
    asked = {"customer_id": "c1", "channel": "sms", "purpose": "marketing", **wish}
    return (await suite.send("POST", "/contacts", asked)).json()
