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
# # 8. Your workload: a recorded trace under every design

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
from mcost.report.prose import fmt, say, table
from mcost.report.setting import Setting
from mcost.report.workload import assumptions, imported, plugged, recording, totals

theme.enable()
setting = Setting(cpus=cpus, sharers=sharers, share=share, held=held, pages=pages,
                  operation=operation, seed=seed)

# %% tags=["answer"]
total = totals().set_index("design")
say(f"**Had the {len(imported().summary.sharers)} processes of the bundled recording shared one"
    f" region, {fmt(int(total.flush_events['per-mm']))} flushes would have cost"
    f" {fmt(int(total.rounds['per-mm']))} serial rounds per mm, {fmt(int(total.rounds['merged']))}"
    f" merged, for the same {fmt(int(total.ipis['merged']))} IPIs.**",
    f"The host mm's own flush would have left {fmt(int(total.stale_hits['host-mm']))} stale hits"
    f" within the recording.")

# %% [markdown]
# ## The recording
#
# Real switches and real flushes of Linux 6.12 (ftrace text, `data/traces/README.md`). The
# question put to it: what if these processes shared an mshare region? Your own:
# `mcost trace record`, `mcost trace import`, `mcost simulate`.

# %%
table(recording())

# %% [markdown]
# ## Every design on the same events

# %%
figure("recorded").draw(setting)

# %%
table(total.reset_index())

# %% [markdown]
# ## Closed form, simulation, and what the kernel counted
#
# Per operation, where one walk over all sharers is one operation. `plug_in` is the closed form,
# fed with the recording's own averages: share, lazy share, mask sizes, pages. `recorded` is what
# the kernel counted on private tables, to be held against `per-mm`: a lower bound, since a
# sharer that has no PTE there gets no flush.

# %%
table(plugged())

# %% [markdown]
# What the closed form assumes of a schedule, and what this one was:

# %%
table(assumptions())

# %% [markdown]
# ## The other recordings
#
# Linux 6.1, 32 spinning processes of one thread:

# %%
table(totals("k6.1_n16_spin_s32"))

# %% [markdown]
# A build of 6.12 whose masks keep stale bits, as later kernels' do; 32 processes that sleep:

# %%
table(totals("k6.12-lazymask_n16_sleepy_s32"))

# %% [markdown]
# ## What the recording cannot tell

# %%
say(*[f"\n- {text}" for text in imported().summary.unknown])

# %% [markdown]
# **Left out here:** private memory of the processes, and the changes in scheduling that cheaper
# or dearer flushes would bring; the parameters of this notebook do not touch the recording.
