"""The story of a run tells how to run it again."""

from tests.faults.plan import Fault, How, Moment
from tests.faults.story import NEVER, Story, Struck


def struck(how: How, well_after: float | None, lasts: float = 0.0) -> Struck:
    fault = Fault(
        how=how, target="profile", moment=Moment.SENT, overlaps=False, pause=1.0, lasts=lasts
    )
    return Struck(fault=fault, pid=41, at=2.5, well_after=well_after)


def test_it_names_the_seed_and_every_fault() -> None:
    story = Story(seed=7, kills=30, struck=[struck(How.KILL, 1.25), struck(How.STOP, 0.5, 2.0)])
    story.totals = {"events": 12}
    text = story.text()
    assert "1 kills; again: make faults KILLS=30 SEED=7" in text
    assert "12 events" in text
    kill, stop = text.splitlines()[-2:]
    assert kill.split() == f"2.5 kill -9 profile 41 {Moment.SENT} 1.2".split()
    assert stop.startswith("2.5")
    assert "stop 2.0 s" in stop


def test_it_names_what_never_recovered() -> None:
    story = Story(seed=7, kills=1, struck=[struck(How.KILL, None)])
    assert len(story.never_well) == 1
    assert story.text().endswith(NEVER)
