# The checkout, its library, and the configuration with its sheets, checked before any work.
import shlex
import sys
from pathlib import Path

# nnrd's checkout; Snakemake runs in it, or elsewhere where nnrd is a module of another workflow.
CHECKOUT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]
SCRIPTS = "scripts" if CHECKOUT == Path.cwd() else shlex.quote(str(CHECKOUT / "scripts"))
# Snakemake takes a brace in this path for a wildcard.
ENVIRONMENT = str(CHECKOUT / "envs/nnrd.yaml").replace("{", "{{").replace("}", "}}")
sys.path.insert(0, str(CHECKOUT / "scripts"))
# A plug-in of Snakemake's may have loaded another nnrd, such as one that is installed.
if "nnrd" in sys.modules and CHECKOUT not in Path(sys.modules["nnrd"].__file__).parents:
    for name in [name for name in sys.modules if name.partition(".")[0] == "nnrd"]:
        del sys.modules[name]

from nnrd.core.errors import UserError
from nnrd.datasets import index
from nnrd.runtime.cuda import has_cuda
from nnrd.study import inputs, job_code, jobs, lists, needs, origins, paths, profile_jobs, tables
from nnrd.study.config import load
from nnrd.workflow.guard import guard

guard(workflow)

# Jobs are told by their parameters too where files are.
if workflow.storage_settings.default_storage_provider:
    sys.exit("error: nnrd's files have to be on a file system that jobs share, not in a storage")

# With --directory, the checkout's own where that folder has none. Looked at before Snakemake reads
# it, which writes all that YAML's aliases repeat out.
CONFIGFILE = "config/config.yaml"
if not Path(CONFIGFILE).exists():
    CONFIGFILE = str(CHECKOUT / CONFIGFILE)
try:
    origins.look(CONFIGFILE)
except UserError as error:
    sys.exit(f"error: {error}")


configfile: CONFIGFILE


# Snakemake merges the command line's files over the Snakefile's, and lists them first.
GIVEN = workflow.overwrite_configfiles
SHIPPED = [file for file in workflow.configfiles if file not in GIVEN]
try:
    ORIGINS = origins.read([*SHIPPED, *GIVEN], workflow.config_settings.config)
    SETTINGS = load(config, ORIGINS, ".", CHECKOUT)
except UserError as error:
    sys.exit(f"error: {error}")
for study, reason in SETTINGS.left_out.items():
    print(f"study {study} is left out: {reason}", file=sys.stderr)

STUDIES = SETTINGS.studies
JOBS = jobs.Jobs(SETTINGS)
TABLES = tables.Tables(SETTINGS)
PROFILES = profile_jobs.ProfileJobs(SETTINGS)
CODE = job_code.JobCode(JOBS, TABLES)
NEEDS = needs.Needs(JOBS)
