"""The assets are made of their sources by whoever installs the package, and by nothing from another host."""
from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import clinic
from clinic import paths

SOURCES = Path(clinic.__file__).parent / "assets"
HOUSE = SOURCES.parent.parent
PARTS = ("pyproject.toml", "hatch_build.py", "README.md", "clinic", "templates", "migrations")


def test_a_wheel_of_a_clean_checkout_carries_the_assets_that_are_in_use_here(tmp_path: Path) -> None:
    checkout = _copied(tmp_path / "checkout")

    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path)]
    subprocess.run([*pip, str(checkout)], check=True)

    with zipfile.ZipFile(next(tmp_path.glob("clinic-*.whl"))) as wheel:
        names = set(wheel.namelist())
        manifest = json.loads(wheel.read("clinic/static/dist/manifest.json"))
    assert manifest == json.loads((paths.assets() / "manifest.json").read_text())
    assert {f"clinic/static/dist/{name}" for name in manifest.values()} <= names
    assert {"clinic/templates/layout/base.html", "clinic/templates/macros/forms.html"} <= names


def _copied(checkout: Path) -> Path:
    checkout.mkdir()
    for part in PARTS:
        if (HOUSE / part).is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "dist", "node_modules")
            shutil.copytree(HOUSE / part, checkout / part, ignore=ignore)
        else:
            shutil.copy2(HOUSE / part, checkout / part)
    return checkout


def test_every_asset_is_there_under_a_name_that_changes_with_its_content() -> None:
    manifest = json.loads((paths.assets() / "manifest.json").read_text())

    assert sorted(manifest) == ["app.css", "app.js", "diary.css", "diary.js", "favicon.svg", "figures.css",
                                "rules.css"]
    assert [name for name in manifest.values() if not re.fullmatch(r"[a-z-]+-[A-Z0-9]{8}\.(css|js|svg)", name)] == []
    assert [name for name in manifest.values() if not (paths.assets() / name).is_file()] == []


def test_nothing_that_the_browser_loads_names_another_host() -> None:
    built = [path.read_text() for path in paths.assets().iterdir() if path.suffix in (".css", ".js")]

    assert [found for text in built for found in re.findall(r"https?://[^\s\"']+", text)] == []


def test_the_style_sheets_and_the_scripts_stay_small() -> None:
    manifest = json.loads((paths.assets() / "manifest.json").read_text())
    # The diary has both of its own, which no other page loads; its sheet holds a class for each of its rows.
    most = {"app.css": 88_000, "app.js": 15_000, "diary.css": 34_000, "diary.js": 20_000, "favicon.svg": 1_000,
            "figures.css": 6_000, "rules.css": 6_000}

    sizes = {name: (paths.assets() / file).stat().st_size for name, file in manifest.items()}

    assert {name: size for name, size in sizes.items() if size >= most[name]} == {}


def test_the_lock_file_pins_by_content_and_names_no_address() -> None:
    lock = (SOURCES / "package-lock.json").read_text()
    packages = {name: one for name, one in json.loads(lock)["packages"].items() if name}

    assert "http" not in lock
    assert [name for name, one in packages.items() if not one.get("integrity", "").startswith("sha512-")] == []
    assert sum(name.startswith("node_modules/@esbuild/") for name in packages) == 26
