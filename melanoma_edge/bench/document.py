"""What is timed, as report.json and `bench --json` have it. Times are milliseconds, sizes bytes."""

from collections.abc import Mapping
from dataclasses import dataclass

from melanoma_edge.document import by_name


@dataclass(frozen=True)
class Latency:
    """Percentiles in milliseconds over `runs` timed runs on `threads` threads."""

    p50: float
    p90: float
    p99: float
    runs: int
    threads: int

    __getitem__ = by_name


@dataclass(frozen=True)
class Ratio:
    """Median latency over the baseline's, below 1 where it is faster, with a 95 % interval."""

    median: float
    low: float
    high: float

    __getitem__ = by_name


@dataclass(frozen=True)
class MachineFacts:
    """What figures were measured on. cores: those that the process may use. memory: such as "15.6 GiB".

    instructions: of `machine.INSTRUCTIONS` those that the processor has. versions: by package, the installed ones.
    """

    processor: str
    cores: int
    memory: str
    system: str
    python: str
    gpu: str | None
    instructions: tuple[str, ...]
    versions: Mapping[str, str]

    __getitem__ = by_name


@dataclass(frozen=True, kw_only=True)
class BenchRow:
    """One file on one number of threads of the CPU.

    ratio: to the baseline, at the same number. load_ms, first_run_ms: cold start, in a process that has the runtime and
    the file in its caches. partitions, operators, outside_delegate: of `partitions.Partitions`, None for other formats
    and where the interpreter does not tell. peak_memory_bytes: of `memory.peak_memory`.
    """

    name: str = ""
    runtime: str
    runtime_version: str
    device: str
    bytes: int
    p50: float
    p90: float
    p99: float
    runs: int
    threads: int
    ratio: Ratio
    load_ms: float
    first_run_ms: float
    partitions: int | None
    operators: int | None
    outside_delegate: tuple[str, ...] | None
    peak_memory_bytes: int | None

    __getitem__ = by_name


@dataclass(frozen=True)
class CudaRow:
    """One network on a GPU; percentiles are of a whole batch of `batch` images."""

    name: str
    runtime: str
    version: str
    precision: str
    batch: int
    p50: float
    p90: float
    p99: float
    runs: int
    images_per_second: float

    __getitem__ = by_name


@dataclass(frozen=True)
class CudaReport:
    """The float networks on one GPU. skipped: names of the files that no GPU is for.

    machine: None inside a BenchReport, which has it.
    """

    method: str
    device: str | None
    rows: tuple[CudaRow, ...]
    skipped: tuple[str, ...]
    machine: MachineFacts | None = None

    __getitem__ = by_name


@dataclass(frozen=True)
class BrowserRow:
    """One file in a browser, one thread. ratio: to the float32 file in the same runtime. All None where it was not
    timed."""

    name: str
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    runs: int | None = None
    threads: int | None = None
    ratio: Ratio | None = None

    __getitem__ = by_name


@dataclass(frozen=True)
class BrowserReport:
    """Files in a browser: rows the fastest first, or in the order of preference where nothing was timed.

    browser: its name and version, None where nothing was timed, and why says the reason. integer_dot: whether it
    multiplies 8-bit integers fast and exactly on this processor; None when it does not tell.
    """

    browser: str | None
    integer_dot: bool | None
    rows: tuple[BrowserRow, ...]
    why: str | None = None

    __getitem__ = by_name


@dataclass(frozen=True)
class Preparing:
    """From a photograph to the network's pixels, `size` on a side: milliseconds on one thread.

    image: what the photograph is. decoding_p50: the part before resizing.
    """

    image: str
    size: int
    p50: float
    p90: float
    p99: float
    decoding_p50: float

    __getitem__ = by_name


@dataclass(frozen=True)
class BenchReport:
    """Files timed side by side in one process.

    baseline: name of the file that ratios divide by. load_average: of the last 1, 5 and 15 minutes, None where the
    system does not tell. skipped_threads: numbers above this process's cores. rows: one for each file and number of
    threads. gpu: the float files on the GPU, None without one. browser: None where the web is no target.
    """

    method: str
    baseline: str
    machine: MachineFacts
    load_average: tuple[float, float, float] | None
    skipped_threads: tuple[int, ...]
    rows: tuple[BenchRow, ...] = ()
    gpu: CudaReport | None = None
    preparing: tuple[Preparing, ...] = ()
    browser: BrowserReport | None = None

    __getitem__ = by_name
