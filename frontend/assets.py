"""Built scripts and styles: names in `frontend/assets/` to hashed URLs under /static/."""

import json
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
URL = "/static"


class AssetsNotBuilt(RuntimeError):
    """The build has not run, or does not know the name."""


class Assets:
    """`manifest` is Vite's: source path → {"file": hashed name}."""

    def __init__(self, manifest: dict[str, dict[str, object]]) -> None:
        self._files = {source: str(entry["file"]) for source, entry in manifest.items()}

    @classmethod
    def load(cls, folder: Path = STATIC) -> "Assets":
        """Read `manifest.json` of the build; raises AssetsNotBuilt with what to run."""
        path = folder / "manifest.json"
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise AssetsNotBuilt(
                f"页面的脚本和样式还没有构建：缺少 {path}。"
                "请运行 python3 run.py，或在项目目录运行 npm ci 与 npm run build。"
            ) from None
        except ValueError as error:
            raise AssetsNotBuilt(f"构建清单不完整：{path}，请重新构建（{error}）") from error
        return cls(manifest)

    def url(self, name: str) -> str:
        """Return the URL of a source such as `main.ts`."""
        try:
            return f"{URL}/{self._files[f'frontend/assets/{name}']}"
        except KeyError:
            raise AssetsNotBuilt(f"构建结果里没有 {name}，请重新构建页面的脚本和样式") from None


class StaticAssets(StaticFiles):
    """Serves the build. Names carry a hash of their content, so a year is safe."""

    def __init__(self, folder: Path = STATIC) -> None:
        super().__init__(directory=folder, check_dir=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code in (200, 304):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
