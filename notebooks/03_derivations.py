# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3. The derivations: from the definition of a placement to a formula

# %% tags=["parameters"]
cpus = 128  # online CPUs, N
sharers = 1500  # processes attached to the region, S
share = 0.6  # probability that a CPU runs a sharer
held = 0.2  # probability that a running CPU holds a given page
pages = 62  # pages one operation changes, P
operation = "reclaim"  # see `mcost designs` and the README
seed = 1  # of every simulated point

# %% tags=["setup"]
from sympy import Symbol, limit, oo, symbols

from mcost.report import theme
from mcost.report.derivations import mean_of, occupancy, sums_to
from mcost.report.figures import figure
from mcost.report.figures.limits import rounds_limit
from mcost.report.prose import changes, equation, fmt, say, table
from mcost.report.questions import crossover_rows
from mcost.report.setting import Setting

theme.enable()
setting = Setting(cpus=cpus, sharers=sharers, share=share, held=held, pages=pages,
                  operation=operation, seed=seed)

# %% tags=["answer"]
ends, flips = rounds_limit(cpus, share), crossover_rows(setting).set_index(["hardware", "pair"])
flip = flips.loc[("skylake-2s", "notifier | per-mm")]
say(f"**Interrupts do not grow with the number of sharers, rounds do: a walk over S sharers waits"
    f" S (1-(1-rho/S)^(N-1)) times in turn, at most {fmt(ends)} times per flush here.**",
    f"Of `notifier` and `per-mm`, the caller on a two-socket Skylake waits less under"
    f" `{flip.below}` with few sharers, and {changes(flip['at'], flip.above)}.")

# %% [markdown]
# ## One CPU
#
# In `snapshot` each CPU independently runs sharer $i$ with probability $\rho/S$. The indicator of
# *CPU $k$ runs sharer $i$* has that mean, and a flush of sharer $i$ from outside interrupts
# somebody unless all $N-1$ others do not run it.

# %%
N, S = symbols("N S", integer=True, positive=True)
rho = Symbol("rho", positive=True)
one_round = 1 - (1 - rho / S) ** (N - 1)
equation("P(\\mathrm{round\\ of\\ one\\ sharer})", one_round)

# %% [markdown]
# By linearity, however the sharers depend on each other, the walk over all of them has $S$ times
# as many rounds. The package derives the same from the placement:

# %%
equation("E[\\mathrm{rounds}]", mean_of("per-mm", "rounds"))

# %%
sums_to(S * one_round, "per-mm", "rounds")

# %% [markdown]
# ## Limits
#
# With many sharers each holds at most one CPU: one round per busy CPU. With many CPUs every
# sharer runs somewhere: one round per sharer.

# %%
equation("\\lim_{S \\to \\infty} E[\\mathrm{rounds}]", limit(S * one_round, S, oo))

# %%
fixed = (S * one_round).subs(rho, share)
equation("\\lim_{N \\to \\infty} E[\\mathrm{rounds}]", limit(fixed.subs(S, sharers), N, oo))

# %%
figure("limits").draw(setting)

# %% [markdown]
# ## Masks that keep stale bits
#
# In `uniform` each sharer has visited $T$ of $N$ CPUs. The union of the masks is an occupancy:
# a CPU is in none of them with probability $(1-T/N)^S$.

# %%
equation("E[\\mathrm{union\\ without\\ the\\ caller}]", occupancy())

# %% [markdown]
# ## IPIs of each design

# %%
equation("E[\\mathrm{IPIs,\\ merged}]", mean_of("merged", "ipis", operation=operation))

# %%
equation("E[\\mathrm{IPIs,\\ batched}]", mean_of("batched", "ipis", operation=operation))

# %% [markdown]
# ## Crossovers
#
# The first number of sharers at which the caller's time of two designs changes order, with its
# 90 % interval over the spread of the prices; `-`: no change in the range searched.

# %%
table(crossover_rows(setting))

# %% [markdown]
# **Left out here:** variances (`mcost formula --variance`), the other placements' steps (they
# stand in `mcost/algebra/placements`), and every count that depends on what happens between two
# operations: those have no closed form and are counted by the machine only.
