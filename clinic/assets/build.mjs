// Bundles the style sheet and the scripts under names that carry their content's hash, and writes manifest.json:
// what a template asks for ("app.js") -> the file that was made for it. Usage: node build.mjs [folder]
import * as esbuild from "esbuild";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(here, "..", "static", "dist"));
const { outputFiles } = await esbuild.build({
  absWorkingDir: here,
  entryPoints: { app: "js/app.js", style: "css/app.css", favicon: "images/favicon.svg" },
  outdir: out,
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".svg": "copy" },
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  charset: "utf8",
  write: false,
});

const nameOf = { "app.js": "app.js", "style.css": "app.css", "favicon.svg": "favicon.svg" };
const manifest = {};
mkdirSync(out, { recursive: true });
for (const { path: file, contents } of outputFiles) {
  const name = path.basename(file);
  writeFileSync(file, contents);
  manifest[nameOf[name.replace(/-[A-Z0-9]{8}(?=\.)/, "")]] = name;
}
writeFileSync(path.join(out, "manifest.json"), JSON.stringify(manifest, null, 1) + "\n");
