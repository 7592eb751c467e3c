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
# # 9. The reply: what goes into a mail

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
from mcost.report.asked import asked_of
from mcost.report.figures import figure
from mcost.report.prose import fmt, say, text_of
from mcost.report.reply import answer, body, provenance
from mcost.report.setting import Setting

theme.enable()
setting = Setting(cpus=cpus, sharers=sharers, share=share, held=held, pages=pages,
                  operation=operation, hardware=hardware, seed=seed)

# %% tags=["answer"]
asked = asked_of(setting)
found = answer(asked)
inside, cells, worst = found.agreement()
say(f"**One command, `mcost reply`, writes the mail below: {len(asked.designs)} designs, the"
    f" baseline first, values with intervals, and what was checked.**",
    f"In it {inside} of {cells} closed forms lie inside their joint interval, the largest"
    f" difference is {fmt(worst, 2)} %.")

# %% [markdown]
# ## The body
#
# Plain ASCII, 72 columns, so that it survives two levels of quoting; it stands alone when links
# die; a real one has version and commit in its last lines. `mcost reply --to MESSAGE.eml` adds
# headers and quoted text, and never sends anything.

# %%
text_of(body(asked, found, "mcost reply -o reply", provenance(asked, found)))

# %% [markdown]
# ## The figure beside it

# %%
figure("compared").draw(setting)

# %% [markdown]
# **Left out here:** figures are for a link, not for the list; the mail must be readable without.
