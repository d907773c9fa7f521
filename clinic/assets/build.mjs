// Bundles the style sheet and the scripts under names that carry their content's hash, and writes manifest.json:
// what a template asks for ("app.js") -> the file that was made for it. Usage: node build.mjs [folder]
// The diary has a sheet and a script of its own, and the pages of figures and of rules a sheet each, which no other page loads.
import * as esbuild from "esbuild";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(here, "..", "static", "dist"));

// Where things lie in the diary: rows of five minutes (a day has up to 300), and lanes of what lies side by side. The
// content policy allows no inline style, so each number is a class.
const numbers = (name, last) => Array.from({ length: last + 1 }, (_, n) => `.${name}${n}{--${name}:${n}}`).join("");
const rows = {
  name: "rows",
  setup(build) {
    build.onResolve({ filter: /^rows\.css$/ }, ({ path: name }) => ({ path: name, namespace: "rows" }));
    build.onLoad({ filter: /.*/, namespace: "rows" }, () => ({
      contents: numbers("t", 300) + numbers("d", 300) + numbers("n", 24) + numbers("l", 24) + numbers("w", 24), loader: "css",
    }));
  },
};
const { outputFiles } = await esbuild.build({
  absWorkingDir: here,
  entryPoints: { app: "js/app.js", style: "css/app.css", favicon: "images/favicon.svg", diary: "js/diary.js", "diary-style": "css/diary.css", "figures-style": "css/figures.css", "rules-style": "css/rules.css" },
  plugins: [rows],
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

const nameOf = { "app.js": "app.js", "style.css": "app.css", "diary.js": "diary.js", "diary-style.css": "diary.css", "figures-style.css": "figures.css", "rules-style.css": "rules.css", "favicon.svg": "favicon.svg" };
const manifest = {};
mkdirSync(out, { recursive: true });
for (const { path: file, contents } of outputFiles) {
  const name = path.basename(file);
  writeFileSync(file, contents);
  manifest[nameOf[name.replace(/-[A-Z0-9]{8}(?=\.)/, "")]] = name;
}
writeFileSync(path.join(out, "manifest.json"), JSON.stringify(manifest, null, 1) + "\n");
