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
# # 7. Safety: small worlds searched to the end

# %% tags=["parameters"]
cpus = 128  # online CPUs, N
sharers = 1500  # processes attached to the region, S
share = 0.6  # probability that a CPU runs a sharer
held = 0.2  # probability that a running CPU holds a given page
pages = 62  # pages one operation changes, P
operation = "reclaim"  # see `mcost designs` and the README
seed = 1  # of every simulated point

# %% tags=["setup"]
from mcost.report import theme
from mcost.report.figures import figure
from mcost.report.figures.timeline import SHOWN_BUG
from mcost.report.prose import say, table
from mcost.report.questions import stale_rows
from mcost.report.safety import bug_rows, design_rows, stories, story
from mcost.report.setting import Setting

theme.enable()
setting = Setting(cpus=cpus, sharers=sharers, share=share, held=held, pages=pages,
                  operation=operation, seed=seed)

# %% tags=["answer"]
bugs, worlds = bug_rows(), design_rows()
safe, caught = worlds[worlds.verdict == "safe"], (bugs.caught == "yes").sum()
rest = worlds.drop(safe.index)
others = ", ".join(f"`{name}` ({told})" for name, told in zip(rest.name, rest.verdict, strict=True))
say(f"**In {int(worlds.states.sum())} states of small worlds, {len(safe)} of {len(worlds)} designs"
    f" never use a translation that was let go; the others: {others}.**",
    f"The search catches {caught} of {len(bugs)} seeded bugs and replays each counterexample in a"
    f" second machine.")

# %% [markdown]
# ## Designs
#
# Every interleaving of two overlapping operations, switches, lazy CPUs, touches and faults.
# `mcost validate --against safety` does the same with 3 CPUs and all designs and bugs.

# %%
table(worlds)

# %% [markdown]
# ## Seeded bugs

# %%
table(bugs)

# %% [markdown]
# ## One of them, step by step
#
# `merged`, but the generation is raised only where some CPU has the sharer loaded:

# %%
story(SHOWN_BUG)

# %%
figure("timeline").draw(setting)

# %% [markdown]
# The last step uses a page that was freed: when the CPU comes back to A, A's generation has not
# moved, so the slot is taken for current and nothing is dropped.
#
# ## Every bug's shortest way to a stale translation

# %%
stories()

# %% [markdown]
# ## The same question at full size
#
# One operation of this setting, then every CPU uses every page.

# %%
table(stale_rows(setting))

# %% [markdown]
# **Left out here:** worlds of 3 CPUs, slots that are recycled, and memory ordering weaker than
# the kernel's barriers; `mcost/checks/safety` says why each may be left out.
