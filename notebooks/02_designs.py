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
# # 2. The designs side by side

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
from mcost.report.prose import fmt, kernel_steps, say, table
from mcost.report.questions import designs_table, per_operation
from mcost.report.setting import Setting

theme.enable()
setting = Setting(cpus=cpus, sharers=sharers, share=share, held=held, pages=pages,
                  operation=operation, seed=seed)

# %% tags=["answer"]
one = per_operation(setting).set_index("design")
least = one.ipis[["notifier", "per-mm", "merged", "batched", "region-mask", "classic"]].idxmin()
say(f"**Every design answers four questions: how often it is asked, whom it tracks, how it"
    f" delivers, what it drops; of those that interrupt, `{least}` sends fewest"
    f" ({fmt(one.ipis[least])} IPIs an operation here).**",
    f"`per-mm` and `merged` reach the same CPUs ({fmt(one.ipis['per-mm'])} IPIs), but `per-mm`"
    f" waits {fmt(one.rounds['per-mm'])} times in turn, `merged` {fmt(one.rounds['merged'])}.")

# %% [markdown]
# ## Four columns
#
# A design is a value; adding one is one entry in `mcost/spec/designs.py`.

# %%
table(designs_table(setting))

# %% [markdown]
# ## What the kernel does in each

# %%
kernel_steps()

# %% [markdown]
# ## Who is interrupted
#
# One moment of one machine, drawn from the placement, and the zap of one page. The machine is
# run once with all CPUs and once without each of them: what is missing then went to the CPU
# that was left out. `exact` tells just the CPUs that hold the page; no kernel can know them.

# %%
figure("told").draw(setting)

# %% [markdown]
# ## All counts of one operation

# %%
table(per_operation(setting))

# %% [markdown]
# **Left out here:** variants (`mcost designs` lists them), what a broadcast costs the fabric,
# and all of safety (notebook 7); `deferred` and `host-mm` are in the table although they are not
# safe for every operation.
