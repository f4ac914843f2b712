// Writes the CommonJS form of each module, and its types by the name that TypeScript looks for. With `--check` it only says
// what is out of date. Both are checked in: `cargo regen` copies them, and it needs no Node.
import { readFileSync, writeFileSync } from "node:fs";
import ts from "typescript";

const isCheck = process.argv.includes("--check");
const read = (file) => readFileSync(new URL(file, import.meta.url), "utf8");
const required = (text) => text.replaceAll(/"(\.\/\w+)\.js"/g, '"$1.cjs"');
const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };

let stale = 0;
for (const name of ["index", "session"]) {
  const files = {
    [`${name}.cjs`]: ts.transpileModule(required(read(`${name}.js`)), { compilerOptions }).outputText,
    [`${name}.d.cts`]: required(read(`${name}.d.ts`)),
  };
  for (const [file, text] of Object.entries(files)) {
    if (isCheck ? read(file) !== text : (writeFileSync(new URL(file, import.meta.url), text), false)) {
      console.error(`${file} is out of date: npm run build`);
      stale = 1;
    }
  }
}
process.exit(stale);
