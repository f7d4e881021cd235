from datetime import UTC, datetime, timedelta
from itertools import permutations

from services.profile.consents.domain import (
    Channel,
    Consent,
    Consents,
    Preferences,
    Purpose,
    State,
    Statement,
    applied,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)
GRANTED, WITHDRAWN = State.GRANTED, State.WITHDRAWN


def said(state: State, channel: Channel = Channel.ALL, *, hour: int = 0) -> Statement:
    return Statement(
        purpose=Purpose.MARKETING, channel=channel, state=state, text_version="1",
        at=NOW + timedelta(hours=hour), evidence="form",
    )  # fmt: skip


def standing(*statements: Statement) -> dict[Channel, State]:
    now: dict[Channel, Consent] = {}
    for statement in statements:
        now.update({each.channel: each for each in applied(now.values(), statement)})
    return {channel: consent.state for channel, consent in now.items()}


def test_p2_no_statement_is_no_consent() -> None:
    assert standing() == {}


def test_a_withdrawal_for_all_binds_every_channel() -> None:
    assert standing(said(GRANTED, Channel.SMS), said(WITHDRAWN, hour=1)) == {
        Channel.SMS: WITHDRAWN,
        Channel.ALL: WITHDRAWN,
    }


def test_a_permission_for_all_does_not_undo_a_refusal_of_one_channel() -> None:
    assert standing(said(WITHDRAWN, Channel.SMS), said(GRANTED, hour=1)) == {
        Channel.SMS: WITHDRAWN,
        Channel.ALL: GRANTED,
    }


def test_a_refusal_wins_over_a_permission_of_the_same_instant() -> None:
    for order in permutations([said(GRANTED), said(WITHDRAWN)]):
        assert standing(*order) == {Channel.ALL: WITHDRAWN}


def test_statements_in_any_order_never_allow_more_than_in_their_own() -> None:
    statements = [
        said(GRANTED, Channel.SMS), said(WITHDRAWN, hour=1), said(GRANTED, Channel.APP, hour=2),
        said(WITHDRAWN, Channel.APP, hour=3),
    ]  # fmt: skip
    for order in permutations(statements):
        assert GRANTED not in standing(*order).values()


def test_p8_personalisation_is_off_by_switch_or_by_refusal() -> None:
    refused = Consent(purpose=Purpose.PERSONALIZATION, channel=Channel.ALL, state=WITHDRAWN, at=NOW)

    def is_on(*, switch: bool, consents: tuple[Consent, ...] = ()) -> bool:
        preferences = Preferences(personalization=switch)
        return Consents(customer_id="c", consents=consents, preferences=preferences).personalization

    assert is_on(switch=True)
    assert not is_on(switch=False)
    assert not is_on(switch=True, consents=(refused,))
