// Unpacks the browser of @sparticuz/chromium: Chromium's headless shell for Linux on x86-64, with the
// libraries and a font that a bare system lacks. The package would do it into the system's folder for
// temporary files, where another version may lie already.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("node_modules/@sparticuz/chromium/unpacked/", import.meta.url));

if (!existsSync(folder)) {
  const unfinished = fileURLToPath(new URL("node_modules/@sparticuz/chromium/unfinished/", import.meta.url));
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished);
  // The package asks for these two: where to unpack, and whether the libraries are wanted as well.
  Object.assign(process.env, { TMPDIR: unfinished, AWS_LAMBDA_JS_RUNTIME: "nodejs22.x" });
  const { default: chromium } = await import("@sparticuz/chromium");
  await chromium.executablePath();
  const fonts = `<fontconfig><dir>${folder}fonts</dir><cachedir>${folder}cache</cachedir></fontconfig>`;
  writeFileSync(`${unfinished}fonts.conf`, `<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n${fonts}\n`);
  renameSync(unfinished, folder);
}
