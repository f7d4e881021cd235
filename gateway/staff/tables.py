"""Staff by number: roles and place, no name."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base


class StaffRow(Base):
    __tablename__ = "staff"

    staff_id: Mapped[str] = mapped_column(primary_key=True)
    roles: Mapped[list[str]]
    org: Mapped[str | None]
    rm: Mapped[str | None]
    is_active: Mapped[bool]
    updated_at: Mapped[datetime]
