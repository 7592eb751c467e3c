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
# # 5. Across sharers and CPUs

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
from mcost.report import theme
from mcost.report.figures import figure
from mcost.report.figures.price import cheapest_at
from mcost.report.prose import fmt, say, table
from mcost.report.questions import across
from mcost.report.setting import Setting

theme.enable()
setting = Setting(cpus=cpus, sharers=sharers, share=share, held=held, pages=pages,
                  operation=operation, hardware=hardware, seed=seed)

# %% tags=["answer"]
few = cheapest_at(setting.scenario(sharers=16), hardware)
many = cheapest_at(setting.scenario(sharers=4096), hardware)
say(f"**On {cpus} CPUs the caller waits least under `{few['design']}` with 16 sharers"
    f" ({fmt(few['us'])} us) and under `{many['design']}` with 4096 ({fmt(many['us'])} us).**",
    f"These orders hold in {fmt(100 * few['sure'])} % and {fmt(100 * many['sure'])} % of the spread"
    f" of the prices.")

# %% [markdown]
# ## The cheapest safe design
#
# Each cell names the design whose caller waits least, and in what part of the prices' spread it
# stays the cheapest. `region-mask` also pays at every context switch, which is not in this time.

# %%
figure("cheapest").draw(setting)

# %% [markdown]
# ## Time and lock hold
#
# What the caller waits, and how long it holds the page-table lock for one flush: bars are 90 %
# intervals over the spread of the prices, at every fourth point.

# %%
figure("times").draw(setting)

# %% [markdown]
# ## Counts across sharers: mean and standard deviation
#
# The spread of one operation, not of a mean: what a single caller will see.

# %%
table(across(setting, "sharers", (1, 16, 256, 4096)))

# %%
table(across(setting, "cpus", (8, 32, 128, 512)))

# %% [markdown]
# **Left out here:** context-switch tax, bystanders' loss (the component `collateral` of
# `mcost compare --hardware`), and contention of several callers at a time.
