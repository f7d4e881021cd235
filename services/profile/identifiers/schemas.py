from typing import Annotated

from pydantic import Field

from services.profile.parameters import NO_NUL, Strict


class Unmask(Strict):
    purpose: Annotated[
        str,
        Field(
            pattern=NO_NUL,
            min_length=3,
            max_length=200,
            description="What for; kept with your name",
        ),
    ]
