"""The ranking task."""

from functory_ranking.task import Ranking
from functory_ranking.types import Item, Query, Ranked, RankedQuery

__all__ = ["Item", "Query", "Ranked", "RankedQuery", "Ranking"]
