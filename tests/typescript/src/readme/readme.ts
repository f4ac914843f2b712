// The README as a program: its fenced blocks, and a copy of the tree to follow it in.

import { execFileSync, spawnSync, type ExecFileSyncOptions } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../service.js";

export type Block = { language: string; text: string };

/** The fenced blocks under a heading, or of the whole README. */
export function blocks(heading?: string): Block[] {
  let readme = readFileSync(join(ROOT, "README.md"), "utf8");
  if (heading !== undefined) {
    const start = readme.indexOf(`\n## ${heading}\n`);
    if (start < 0) throw new Error(`README.md has no section "${heading}"`);
    const end = readme.indexOf("\n## ", start + 1);
    readme = readme.slice(start, end < 0 ? undefined : end);
  }
  return [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", text = ""]) => ({ language, text }));
}

/** Copies what git knows and what is new, as a clone would have it. The same place each time, so that cargo need not build all anew. */
export function copyTree(name: string, ...parts: string[]): string {
  const tree = join(ROOT, "target/tmp", name, "tree");
  rmSync(tree, { recursive: true, force: true });
  const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...parts];
  const files = execFileSync("git", list, { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 26 }).split("\0");
  for (const file of files.filter((file) => file !== "")) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    cpSync(join(ROOT, file), join(tree, file), { errorOnExist: false });
  }
  return tree;
}

/** Runs a command and answers what it prints. Its complaints go to the test's own. */
export function run(command: string, parameters: readonly string[], options: ExecFileSyncOptions): string {
  const { status, stdout } = spawnSync(command, parameters, {
    ...options,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`${command} ${parameters.join(" ")} ended with ${String(status)}:\n${stdout}`);
  return stdout;
}

/** A program of the README, at the place where the service really is. */
export const moved = (text: string, url: string) => text.replaceAll("http://127.0.0.1:9000/trpc", url);
