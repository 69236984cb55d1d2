"""Words that say how others belong together, and begin or end no keyphrase."""

ENGLISH = """
a about above after again against all also although am among an and another any are as at be because been before being
below between both but by can cannot could did do does doing done down during each either else etc ever every few for
from further get gets got had has have having he hence her here hers herself him himself his how however i if in into
is it its itself just less let like made make makes many may me might mine more moreover most much must my myself
neither no nor not now of off on once one only onto or other others ought our ours ourselves out over own per quite
rather said same say says several shall she should since so some still such than that the their theirs them themselves
then there therefore these they this those though through thus to together too toward towards under until up upon us
use used uses using very via was we were what when where whereas whether which while who whom whose why will with
within without would yet you your yours yourself it's don't didn't isn't aren't doesn't can't won't i'm
"""
CHINESE = """
的 了 和 是 在 我 有 就 不 人 都 一 一个 上 也 很 到 说 要 去 你 会 着 没有 看 好 自己 这 那
他 她 它 们 我们 你们 他们 与 及 或 而 但 但是 因为 所以 如果 由 对 于 对于 从 被 把 为 为了 以
以及 其 之 中 等 并 并且 可以 能 将 该 此 这个 那个 这些 那些 通过 进行 具有 利用 采用 基于 之间
过程 得到 提出 表明 结果 还 又 再 吗 呢 吧 啊 时 后 前 里 下 个 用
"""
FUNCTION_WORDS = frozenset(f"{ENGLISH} {CHINESE}".split())
