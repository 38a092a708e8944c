"""What the comparisons set up: gradus built as users build it, and a Python that has the peers."""

import json
import os
import pathlib
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()


def say(text):
    print(text, file=sys.stderr, flush=True)


def as_users_build(**extra):
    """The environment without what changes the profiles of a build."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CARGO_PROFILE_")}
    return kept | extra


def build(manifest, target, env):
    command = ["cargo", "build", "--release", "--locked", "--manifest-path", str(manifest), "--target-dir", str(target)]
    subprocess.run(command, check=True, env=env)


def gradus(program=None):
    """The program, built unless it is given."""
    if not program:
        say("building gradus")
        build(ROOT / "Cargo.toml", TARGET, as_users_build())
        program = TARGET / "release" / "gradus"
    return str(program)


def missing(python, packages):
    """Which of these packages this Python does not have, or in another version."""
    script = "import importlib.metadata as m, json, sys\nfound = {}\nfor n in sys.argv[1:]:\n"
    script += " try: found[n] = m.version(n).split('+')[0]\n except m.PackageNotFoundError: pass\nprint(json.dumps(found))"
    found = json.loads(subprocess.run([python, "-c", script, *packages], check=True, capture_output=True).stdout)
    return {n: v for n, v in packages.items() if found.get(n) != v}


def python_with(packages, folder):
    """A Python environment in the folder that has these packages, installed if they are missing."""
    python = folder / "python" / "bin" / "python"
    if not python.exists():
        venv.create(folder / "python", with_pip=True)
    lacking = missing(python, packages)
    if lacking:
        wanted = [f"{name}=={version}" for name, version in lacking.items()]
        say(f"installing {', '.join(wanted)}")
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
    return str(python)
