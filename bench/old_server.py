"""Where FlowFuse's Node.js file server comes from: any command, or its package, installed with npm beside the build."""
import shlex
import subprocess

from peers import ROOT

PACKAGE = "@flowforge/file-server@0.0.5"  # the newest that is published
FOLDER = ROOT / "build/old-server"
NONE = "none"


def command(wanted):
    """The words of `wanted`; those of the package if nothing is wanted, and none at all if that is NONE or cannot be had."""
    if wanted == NONE:
        return None
    return shlex.split(wanted) if wanted else installed()


def has_cache(program):
    """Whether it knows documents of context as Node-RED's cache asks for them: the package is too old."""
    return str(FOLDER) not in program[-1]


def context(program, database):
    """That part of the configuration of flowstore or an old server: the package says sequelize where later ones say db."""
    return {"type": "db" if has_cache(program) else "sequelize", "options": database}


def installed():
    package = FOLDER / "node_modules/@flowforge/file-server"
    if not loads_sqlite():
        print(f"installing {PACKAGE} with npm; OLD_SERVER names another command, and 'none' leaves it out", flush=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        npm("install", "--prefix", FOLDER, "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE)
        build_sqlite()
    return ["node", str(package / "index.js")]


def loads_sqlite():
    """Whether it is there whole: its native module is what fails."""
    return FOLDER.is_dir() and subprocess.run(["node", "-e", "require('sqlite3')"], cwd=FOLDER, capture_output=True).returncode == 0


def build_sqlite():
    """From its source, with the headers of Node.js that this machine has if it has them."""
    npm("rebuild", "--prefix", FOLDER, "--foreground-scripts", "sqlite3")
    if not loads_sqlite():
        raise SystemExit(f"sqlite3 of {PACKAGE} cannot be built; name the server's command in OLD_SERVER, or 'none'")


def npm(*words):
    subprocess.run(["npm", *map(str, words)], check=True, stdout=subprocess.DEVNULL)
