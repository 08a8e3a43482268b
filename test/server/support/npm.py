"""Servers that others wrote, installed with npm into the build folder."""

import shutil
import subprocess


def install(package, source, folder, *files):
    """Installs the package that source's lock file names into the folder, beside these files of source; gives why it could not be."""
    if not shutil.which("npm") or not shutil.which("node"):
        return "npm is not installed"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", *files):
        shutil.copy(source / name, folder / name)
    if (folder / "node_modules" / package).is_dir():
        return None
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--omit=dev"], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=180)
    return None if done.returncode == 0 else f"npm cannot install {package.split('/')[-1]}: " + done.stdout.strip().splitlines()[-1]
