# Wildcards, and the input functions that several stages share.
NAMES = paths.name_patterns()
PROVIDER = "(@(cpu|cuda))?"  # nothing where any will do


wildcard_constraints:
    asset=NAMES["asset"],
    study=NAMES["study"],
    comparison=NAMES["comparison"],
    model=NAMES["model"],
    data="[A-Za-z0-9_-]+",
    calibration="[A-Za-z0-9_-]+",
    graph="[a-z_]+",
    split="[A-Za-z0-9_.-]+",
    runtime="onnx|torch",
    part1=PROVIDER,
    provider=PROVIDER,
    shard=r"\d+-of-\d+",
    source="features/[^/]+/[^/]+/[^/]+|weights/[^/]+(/[^/]+/[^/]+)?",
    codec="[A-Za-z0-9_]+",
    parameters=r"[A-Za-z0-9_.,=+-]+",
    runs=paths.SLUG,
    measured=paths.SLUG,
    folder="(anchor|features|files|quantised|weights)/.+",


# For --software-deployment-method apptainer: what envs/container/Dockerfile makes, as one file of the
# folder that Snakemake runs in; Snakemake takes no path with a space.
container: "envs/container/nnrd.sif"


def program(command):
    """Return a shell line that runs one of nnrd's programs; a brace in its path is no wildcard."""
    folder = SCRIPTS.replace("{", "{{").replace("}", "}}")
    return f"python {folder}/{command}"


def input_options(wildcards, input):
    """Return a job's inputs as options of its program, quoted."""
    words = []
    for key, value in input.items():
        files = [value] if isinstance(value, str) else list(value)
        words += [f"--{key.replace('_', '-')}", *files]
    return lists.fitting(words)


def kept_tensors(path):
    """Keep the tensors by default, so that a new operating point does not run part I again."""
    return path if SETTINGS.config["keep_tensors"] else temp(path)


ISOLATED = SETTINGS.config["isolated"]
ALONE = ["--isolated"] if ISOLATED else []
TIMING = ["--threads", "1", *ALONE]
TF32 = ["--tf32"] if SETTINGS.config["tf32"] else []
PRECISION = TF32 + (["--mixed"] if SETTINGS.config["mixed_precision"] else [])


def gpus(wildcards):
    """Take a GPU where there is one: on a cluster the nodes' matter, not the submitting machine's."""
    return int(JOBS.may_take_gpu(wildcards) and (workflow.non_local_exec or has_cuda()))


# A dry run says what would be done on whatever machine.
onstart:
    if workflow.is_main_process and not workflow.non_local_exec:
        try:
            JOBS.refuse_missing_gpu(job.wildcards for job in workflow.dag.needrun_jobs())
        except UserError as error:
            sys.exit(f"error: {error}")


# What datasets leave out is never silent.
onsuccess:
    if workflow.is_main_process:
        for line in index.left_out(
            paths.fill(paths.INDEX, data=data) for data in JOBS.selections
        ):
            print(line, file=sys.stderr)


def timed_cores(wildcards):
    """Give a step that has to run alone all cores, of which it uses one; on a cluster, its node."""
    return (workflow.cores or 1) if ISOLATED and workflow.local_exec else 1


def profiled_cores(wildcards):
    """Give a measurement its compute threads, and all cores where it has to run alone."""
    return max(timed_cores(wildcards), PROFILES.threads(wildcards))


def one_job(output):
    """Let one job of a cluster decode, run and score; here each is a job of its own."""

    def group(wildcards):
        return None if workflow.local_exec else JOBS.group(output, wildcards)

    return group


def coding_cores(wildcards):
    """Give large bundles several cores where some are free; on a cluster each job has its own."""
    of_its_own = workflow.remote_exec or not workflow.local_exec
    return (
        timed_cores(wildcards)
        if ISOLATED
        else JOBS.workers(wildcards, None if of_its_own else workflow.cores)
    )


def coding_workers(wildcards, threads):
    """Use them all, but not for times to publish."""
    return 1 if ISOLATED else threads
