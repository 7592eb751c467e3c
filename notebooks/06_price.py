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
# # 6. Price and sensitivity on several machines

# %% tags=["parameters"]
cpus = 128  # online CPUs, N
sharers = 1500  # processes attached to the region, S
share = 0.6  # probability that a CPU runs a sharer
held = 0.2  # probability that a running CPU holds a given page
pages = 62  # pages one operation changes, P
operation = "reclaim"  # see `mcost designs` and the README
hardware = "skylake-2s"  # price list
seed = 1  # of every simulated point

# %% tags=["setup"]
from dataclasses import replace

from mcost.report import theme
from mcost.report.figures import figure
from mcost.report.prose import fmt, say, table
from mcost.report.questions import cost_table, rates_table, sensitivity_table
from mcost.report.setting import Setting
from mcost.report.thread import answers, asked

theme.enable()
setting = Setting(cpus=cpus, sharers=sharers, share=share, held=held, pages=pages,
                  operation=operation, hardware=hardware, seed=seed)

# %% tags=["answer"]
costs = cost_table(setting).set_index("design")
top = sensitivity_table(setting).iloc[0]
say(f"**On {hardware} the caller of one {operation} of {pages} pages waits"
    f" {fmt(costs.mean_us['notifier'])} us under `notifier`, with 90 % between"
    f" {fmt(costs.low_us['notifier'])} and {fmt(costs.high_us['notifier'])}, and"
    f" {fmt(costs.mean_us['batched'])} us under `batched`.**",
    f"Most of `{top['design']}`'s spread, {fmt(100 * top['total'])} %, comes from one constant,"
    f" `{top['name']}` ({top['basis']}).")

# %% [markdown]
# ## Prices are data
#
# Every constant has a unit, a 90 % interval and a source (`data/hardware/*.toml`); the cost is
# linear in them except where a local flush hides behind the remote one.

# %%
table(cost_table(setting))

# %% [markdown]
# ## Every machine

# %%
figure("machines").draw(setting)

# %% [markdown]
# ## What the thread asked
#
# Questions of the RFC v3 thread (KF 6.4), on machines with one, two and four sockets, in a guest
# and, for the last, with broadcasts. In 1 and 2 the value is a number of sharers; `-`: the order
# does not change in the range searched. 3 and 6 are wide because nobody published how many live
# translations a flush loses (`live`) and what a wake-up costs (`wake`).

# %%
say(asked())

# %%
table(answers(setting))

# %% [markdown]
# ## How often
#
# The rate at which the caller's side, or the average of the other CPUs, has no time left; then
# response (M/D/1 queue; `-`: saturated), IPIs and the part of the other CPUs' time taken when
# 100 operations a second arrive; refills are not in it. Then the same on 256 CPUs.

# %%
table(rates_table(setting))

# %%
table(rates_table(replace(setting, cpus=256)))

# %% [markdown]
# ## Where the spread comes from
#
# The total Sobol index of an input: what part of the variance of the cost's logarithm would be
# left if all others were fixed.

# %%
figure("sensitivity").draw(setting)

# %% [markdown]
# **Left out here:** machines without published numbers get wide ranges, not guesses; `range` as
# a basis means that nobody published the constant. Measure your own with
# `mcost calibrate -o machine.toml`.
