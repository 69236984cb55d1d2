"""Real reviews that packages carry: `rotten-tomatoes` in English, `zh-reviews` in Chinese."""

from functory_samples.rotten_tomatoes import RottenTomatoes
from functory_samples.zh_reviews import ZhReviews

__all__ = ["RottenTomatoes", "ZhReviews"]
