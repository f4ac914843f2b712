// The README as a program: its fenced blocks, and a copy of the tree to follow it in.

import { execFileSync, spawnSync, type ExecFileSyncOptions } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  return fenced(readme);
}

/** Those of another file, by its path from the root. */
export const blocksOf = (file: string): Block[] => fenced(readFileSync(join(ROOT, file), "utf8"));

const fenced = (text: string): Block[] =>
  [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", text = ""]) => ({ language, text }));

/**
 * Copies what git knows and what is new, as a clone would have it. At the same place each time, and what is the same there is left
 * alone, so that cargo need not build all anew.
 */
export function copyTree(name: string, ...parts: string[]): string {
  const tree = join(ROOT, "target/tmp", name, "tree");
  const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...parts];
  const files = execFileSync("git", list, { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 26 }).split("\0");
  const copied = new Set(files.filter((file) => file !== ""));
  mkdirSync(tree, { recursive: true });
  removeOthers(tree, copied);
  for (const file of copied) {
    const [from, to] = [join(ROOT, file), join(tree, file)];
    if (existsSync(to) && readFileSync(from).equals(readFileSync(to))) continue;
    mkdirSync(dirname(to), { recursive: true });
    cpSync(from, to);
  }
  return tree;
}

/** Leaves nothing in a folder but these files. */
function removeOthers(tree: string, files: ReadonlySet<string>): void {
  const folders = new Set([...files].flatMap((file) => [...file.matchAll(/\//g)].map(({ index }) => file.slice(0, index))));
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(tree, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && folders.has(path)) visit(path);
      else if (!entry.isFile() || !files.has(path)) rmSync(join(tree, path), { recursive: true });
    }
  };
  visit("");
}

/**
 * A folder for what cargo builds in a copy of the tree, with what is built of other people's crates. Our own
 * have other paths there, and so other names.
 */
export function copyTarget(name: string): string {
  const target = join(ROOT, "target/tmp", name, "target");
  const script = `
    set -e
    mkdir -p "$2/debug/deps"
    cp -al "$1/debug/build" "$1/debug/.fingerprint" "$2/debug/"
    find "$1/debug/deps" -maxdepth 1 -type f \\( -name '*.rlib' -o -name '*.rmeta' -o -name '*.so' -o -name '*.d' \\) \\
      -exec ln -t "$2/debug/deps" {} +
  `;
  if (!existsSync(target)) execFileSync("bash", ["-c", script, "bash", join(ROOT, "target"), target]);
  return target;
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

/** The package of the service's procedures, as the README names it. */
const FUNCTIONS = "functions";
const indexOf = (tree: string, folder: string) => join(tree, folder, "src/lib.rs");

/** "Add a procedure in five minutes". */
export type Tutorial = {
  /** The one new file. */
  procedure: { path: string; text: string };
  /** `users`, and the one word that is new in its entry of the index. */
  domain: string;
  name: string;
  /** The client's program. */
  program: { path: string; text: string };
  /** What is typed into a shell. */
  commands: string;
};

export function tutorial(): Tutorial {
  /** The path in the first line of a block, such as `//! functions/src/users/activity.rs`. */
  const named = ({ text }: Block) => ({ path: /^\/\/!? (\S+\/\S+)\n/.exec(text)?.[1] ?? "", text });
  const steps = blocks("Add a procedure in five minutes");
  const [procedure, program] = steps.map(named).filter(({ path }) => path !== "");
  const index = steps.find(({ language, text }) => language === "rust" && /^.+\n$/.test(text))?.text;
  if (!procedure || !program || index === undefined) {
    throw new Error("the section has no file, no line of the index or no program");
  }
  const { domain, words } = entryOf(index);
  const before = entryOf(readFileSync(indexOf(ROOT, FUNCTIONS), "utf8"), domain).words;
  const added = words.filter((word) => !before.includes(word));
  const [name] = added;
  if (name === undefined || added.length > 1) throw new Error(`one word is new, not ${added.join(" ")}`);
  const commands = steps.filter(({ language }) => language === "sh").map(({ text }) => text).join("");
  return { procedure, domain, name, program, commands };
}

/** The entry of a domain in the text of an index, such as `users { get, list; seed }`, wherever in a line it stands. */
function entryOf(index: string, domain = "\\w+"): { entry: string; domain: string; words: string[] } {
  const found = new RegExp(`\\b(${domain}) \\{ (\\w+(?:, \\w+)*),?(?:; \\w+)? \\}`).exec(index);
  if (found === null) throw new Error(`the index has no entry ${domain} { … }`);
  const [entry, name = "", words = ""] = found;
  return { entry, domain: name, words: words.split(", ") };
}

/** Where the new file belongs in a copy of the tree, if the package of the procedures is this one. */
export const procedureFile = (tree: string, { procedure }: Tutorial, folder: string = FUNCTIONS): string =>
  join(tree, procedure.path.replace(`${FUNCTIONS}/`, `${folder}/`));

/** One new file, and one word in the index, whose entry may have grown since the README was written. */
export function addProcedure(tree: string, steps: Tutorial, folder: string = FUNCTIONS): void {
  const [file, index] = [procedureFile(tree, steps, folder), indexOf(tree, folder)];
  if (existsSync(file)) throw new Error(`${file} is not new`);
  writeFileSync(file, steps.procedure.text);
  const text = readFileSync(index, "utf8");
  const { entry } = entryOf(text, steps.domain);
  writeFileSync(index, text.replace(entry, entry.replace(/,?(?=; \w+ \}| \})/, `, ${steps.name}`)));
}
