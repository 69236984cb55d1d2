"""What every component of its kind owes."""

from functory_sdk.testing import SampleSuite


class TestRottenTomatoes(SampleSuite):
    component = "rotten-tomatoes"


class TestZhReviews(SampleSuite):
    component = "zh-reviews"
