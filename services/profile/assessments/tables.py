from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class AssessmentRow(CustomerKeyed, Base):
    """One risk assessment (风险测评) a customer completed."""

    __tablename__ = "assessment"

    assessed_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    risk_class: Mapped[int]
    valid_until: Mapped[datetime] = mapped_column(UtcDateTime)
    questionnaire_version: Mapped[str] = mapped_column(Text)
    submitted_by: Mapped[str] = mapped_column(Text)
