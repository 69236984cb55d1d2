"""The ranking task, search in one stage and in two, and the stores that a great many candidates lie in."""

from functory_ranking.staged import Found, Kept, OneStage, Search, TwoStages
from functory_ranking.store import Near, Shelf, Store
from functory_ranking.task import Ranking
from functory_ranking.types import Item, Query, Ranked, RankedQuery

__all__ = [
    "Found",
    "Item",
    "Kept",
    "Near",
    "OneStage",
    "Query",
    "Ranked",
    "RankedQuery",
    "Ranking",
    "Search",
    "Shelf",
    "Store",
    "TwoStages",
]
