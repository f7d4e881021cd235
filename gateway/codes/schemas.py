from pydantic import BaseModel, Field


class CodeRead(BaseModel):
    """One word of one vocabulary."""

    kind: str = Field(description="Vocabulary, such as `channel` or `refusal`")
    code: str = Field(description="As it stands in requests, answers and problem documents")
    label_zh: str = Field(description="Chinese label")
    label_en: str = Field(description="English label")


class CodesRead(BaseModel):
    items: list[CodeRead] = Field(description="By kind, in the catalogue's order")
