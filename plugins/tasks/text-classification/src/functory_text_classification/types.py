"""The types that callers meet: input and example; and the options. Output and state are those of all tasks that label."""

from __future__ import annotations

from pydantic import Field

from functory_sdk import Input, LabelOptions, LabelOrList


class Text(Input):
    """A text to classify."""

    text: str = Field(min_length=1, description="The text to classify.")


class LabelledText(Text):
    """A text with its label, or its labels."""

    label: LabelOrList = Field(description="The right label; a list of them for multi-label data.")


class ClassificationOptions(LabelOptions):
    """Options of text classification."""

    prompt: str = Field(
        "{text}\n\nThe text above is",
        description="Zero-shot: what a decoder reads before the label; {text} is replaced.",
    )
    descriptions: dict[str, str] = Field(
        {}, description="Zero-shot: the words whose likelihood stands for a label; the label itself if not given."
    )
    calibrate: bool = Field(
        True, description="Zero-shot: subtract each label's likelihood without any text (Zhao et al. 2021)."
    )
