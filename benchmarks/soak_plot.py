"""Draw memory, descriptors and temporary files over time."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.footprint import Footprint


def draw(samples: Sequence[tuple[float, Footprint]], steady: float, target: Path) -> None:
    """Write an SVG: resident memory of each process above, descriptors and temporary files below.

    Args:
        samples: Minutes since the load began, and what the server held then.
        steady: From which minute on memory must be flat; drawn as a line.
        target: The file.
    """
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    # The same samples give the same bytes; texts stay texts.
    mpl.rcParams["svg.hashsalt"] = "soak"
    mpl.rcParams["svg.fonttype"] = "none"
    minutes = [moment for moment, _ in samples]
    figure, (memory, counts) = pyplot.subplots(2, 1, sharex=True, figsize=(8, 6), layout="constrained")
    for name in samples[0][1].processes:
        memory.plot(minutes, [each.processes[name].rss_mib for _, each in samples], label=name)
        counts.plot(minutes, [each.processes[name].descriptors for _, each in samples], label=name)
    counts.plot(minutes, [each.files for _, each in samples], label="temporary files", linestyle="--")
    memory.axvline(steady, color="grey", linewidth=0.8, linestyle=":")
    memory.set_ylabel("resident memory, MiB")
    counts.set_ylabel("open descriptors; files")
    counts.set_xlabel("minutes of load")
    for axes in (memory, counts):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend(loc="center right", fontsize="small")
    figure.savefig(target, metadata={"Date": None})
    pyplot.close(figure)
