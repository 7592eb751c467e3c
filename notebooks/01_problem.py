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
# # 1. The problem: who must be told when a shared page table changes

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
from mcost.report.questions import per_operation, stale_share
from mcost.report.setting import Setting

theme.enable()
setting = Setting(cpus=cpus, sharers=sharers, share=share, held=held, pages=pages,
                  operation=operation, seed=seed)

# %% tags=["answer"]
missed, asked = stale_share(setting, "host-mm")
one = per_operation(setting).set_index("design")
ratio = one.ipis["notifier"] / one.ipis["batched"]
say(f"**The host mm's own flush reaches nobody: {missed} of {asked} uses of freed pages in one"
    f" simulated operation still hit the old translation.**",
    f"Flushing everybody is safe and costs {fmt(one.ipis['notifier'])} IPIs for one {operation} of"
    f" {pages} pages on {cpus} CPUs, {fmt(ratio)} times as many as the batched union of the"
    f" sharers' masks, which sends {fmt(one.ipis['batched'])}.")

# %% [markdown]
# ## What the host mm misses
#
# Processes that share page tables through mshare use one set of PTEs, owned by a host mm that
# no CPU ever loads. When a PTE changes, which CPUs must flush, and who tells them?
#
# `flush_tlb_mm_range(host)` reads the host's `mm_cpumask`. It is empty, so no CPU is told. The
# machine below runs one operation, then lets every CPU touch every page once: a mark is a
# touch that still gets the old page.

# %%
figure("stale").draw(setting)

# %% [markdown]
# ## What each design sends
#
# Means per operation, by algebra; `bystander` counts interrupted CPUs that run something else.

# %%
table(per_operation(setting))

# %% [markdown]
# ## Against sharers and against CPUs
#
# With eager masks a CPU is in the mask of the mm it has loaded and of no other, so
# $E[\mathrm{IPIs}]$ per flush event is $\rho\,(N-1)$ for every design that reads the sharers'
# masks, whatever $S$ is; what a walk over the sharers costs is *rounds*:
# $S\,(1-(1-\rho/S)^{N-1})$ serial waits in place of one. Lines are the algebra, points the
# simulated machine; most intervals are smaller than the point.

# %% tags=["picture"]
figure("scaling").draw(setting)

# %% [markdown]
# **Left out here:** prices (notebook 6), masks that keep stale bits (kernels from about 6.14;
# notebook 5), CPUs that change what they run while a walk over many sharers goes on, and
# whatever the processes' private memory flushes anyway.
