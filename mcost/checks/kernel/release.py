"""Which kernel variant a release string means."""

from __future__ import annotations

import re

from mcost.spec.kernels import KERNELS, Kernel

__all__ = ["variant_of"]


def variant_of(release: str) -> Kernel:
    """The variant of a release such as ``6.12.117``: by its first two numbers.

    ``-lazymask`` at the end names the variant of kernel-counts that keeps stale mask bits:
    the first one with lazy masks, whose other values are those of 6.12.

    Raises:
        ValueError: no variant with that version; the message lists them.
    """
    version = re.match(r"\d+\.\d+", release)
    wanted = version.group() if version else release
    lazy = release.endswith("-lazymask")
    for entry in KERNELS:
        if entry.lazy_masks if lazy else entry.name == wanted:
            return entry
    known = ", ".join(entry.name for entry in KERNELS)
    raise ValueError(f"kernel {release!r} is not known, must start with one of {known}")
