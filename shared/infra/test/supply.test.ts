/**
 * What comes from others: that it is pinned by what it is and not by its name, checked against what was decided in
 * `deny.toml`, listed for whoever runs it, and renewed by Dependabot.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { type Json, ROOT } from "./support.js";

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const MADE = ["node_modules", "target", ".venv", "build", "cdk.out", ".onefold", ".git"];

/** All files of the tree that people or Git keep. */
const files = (function under(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    return entry.isDirectory() ? (MADE.includes(entry.name) ? [] : under(path)) : [path];
  });
})("");
const named = (name: RegExp): string[] => files.filter((path) => name.test(path.split("/").at(-1)!));
const folderOf = (path: string): string => path.split("/").slice(0, -1).join("/");

describe("Python packages", () => {
  const requirements = named(/^requirements.*\.txt$/);

  it("are pinned by version and by the hashes of their files, with all that they bring", () => {
    assert.ok(requirements.length >= 4);
    for (const path of requirements) {
      const stated = read(path).replaceAll("\\\n", " ").split("\n").filter((line) => line !== "" && !line.startsWith("#"));
      assert.ok(stated.length > 0, path);
      for (const line of stated) {
        assert.match(line, /^[\w.-]+(\[[\w,-]+\])?==\S+( ; [^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*$/, `${path}: ${line.slice(0, 80)}`);
      }
    }
  });

  it("are those that people chose, in the version that they chose", () => {
    for (const path of requirements) {
      const locked = read(path);
      const chosen = read(path.replace(/\.txt$/, ".in")).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
      for (const line of chosen) {
        const [name, version] = line.replace(/\[.*\]/, "").toLowerCase().split("==");
        assert.ok(locked.toLowerCase().includes(`\n${name}==${version}`), `${path}: ${line}; \`.ci/requirements\` writes it`);
      }
    }
  });

  it("are installed by hash only, wherever a program or a document installs them", () => {
    const texts = files.filter((path) => /\.(md|yml|ts|json|py|rs)$|(^|\/)(test|check|run|requirements)$/.test(path) && !/package-lock|supply\.test/.test(path));
    const installing = texts.flatMap((path) => [...read(path).matchAll(/pip"?,? (?:\S+ )*?"?install"?[^`\n]*/g)].map(([line]) => `${path}: ${line}`));
    assert.ok(installing.length >= 5, installing.join("\n"));
    const loose = installing.filter((line) => !line.includes("--require-hashes") && !line.endsWith("pip install uv"));
    assert.deepEqual(loose, []);
  });
});

describe("npm packages", () => {
  const locks = named(/^package-lock\.json$/);
  const manifests = named(/^package\.json$/).filter((path) => {
    const { dependencies, devDependencies } = JSON.parse(read(path));
    return dependencies !== undefined || devDependencies !== undefined;
  });

  it("are pinned by the hashes of their archives", () => {
    assert.ok(locks.length >= 2);
    for (const path of locks) {
      const { lockfileVersion, packages } = JSON.parse(read(path)) as Json;
      assert.ok(lockfileVersion >= 3, path);
      const foreign = Object.entries<Json>(packages).filter(([place, { link, inBundle, resolved }]) => place.includes("node_modules/") && link !== true && inBundle !== true && !resolved?.startsWith("file:"));
      assert.ok(foreign.length > 0, path);
      for (const [place, { integrity, resolved }] of foreign) {
        assert.match(integrity ?? "", /^sha512-/, `${path}: ${place}`);
        assert.ok(resolved === undefined || resolved.startsWith("https://registry.npmjs.org/"), `${path}: ${place} comes from ${resolved}`);
      }
    }
  });

  it("have a lock file beside each manifest, and no range in it", () => {
    for (const path of manifests) {
      assert.ok(locks.includes(path.replace(/\.json$/, "-lock.json")), path);
      const { dependencies = {}, devDependencies = {} } = JSON.parse(read(path));
      for (const [name, version] of Object.entries<string>({ ...dependencies, ...devDependencies })) {
        assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$|^file:/, `${path}: ${name}`);
      }
    }
  });

  it("of this tree are locked as they are", () => {
    const fields = ["version", "dependencies", "peerDependencies"];
    const stated = (about: Json): Json => fields.map((field) => about[field]);
    const [place, locked] = Object.entries<Json>(JSON.parse(read("infra/package-lock.json")).packages).find(([, { resolved }]) => resolved?.startsWith("file:")) ?? assert.fail("the service depends on no package of this tree");
    const about = JSON.parse(read(join("infra", locked.resolved.slice("file:".length), "package.json")));
    assert.equal(place, `node_modules/${about.name}`);
    assert.deepEqual(stated(locked), stated(about), "`npm install` in infra/ writes the lock file");
  });

  it("are installed from the lock file", () => {
    const programs = files.filter((path) => /\.yml$|(^|\/)(test|check|run|differences)$/.test(path));
    for (const path of programs) {
      assert.doesNotMatch(read(path), /npm (?:--prefix \S+ )?(?:install|i|add|update)\b/, path);
    }
  });
});

describe("actions", () => {
  const workflows = files.filter((path) => path.startsWith(".github/") && path.endsWith(".yml") && !path.endsWith("dependabot.yml"));
  const uses = workflows.flatMap((path) => [...read(path).matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, action]) => [path, action!] as const));

  it("are pinned by commit, with the version for people, when they are others'", () => {
    const foreign = uses.filter(([, action]) => !action.startsWith("$/"));
    assert.ok(foreign.length > 5);
    for (const [path, action] of foreign) {
      assert.match(action, /^[\w-]+\/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$/, path);
    }
    const commits = new Map<string, Set<string>>();
    for (const [, action] of foreign) {
      const [name, commit] = action.split("@");
      commits.set(name!, (commits.get(name!) ?? new Set()).add(commit!));
    }
    assert.deepEqual([...commits].filter(([, found]) => found.size > 1), [], "one commit of each, everywhere");
  });
});

describe("crates", () => {
  const crate = (more: Json): Json => ({ name: "some", version: "1.2.3", source: "registry+https://github.com/rust-lang/crates.io-index", license: "MIT", dependencies: [], ...more });
  /** What is said of a workspace of these crates. */
  function judged(...packages: Json[]): { status: number | null; lines: string[] } {
    const folder = mkdtempSync(join(tmpdir(), "onefold-deny-"));
    try {
      writeFileSync(join(folder, "metadata.json"), JSON.stringify({ packages }));
      const { status, stdout, stderr } = spawnSync(join(ROOT, ".ci/deny"), ["--metadata", join(folder, "metadata.json")], { encoding: "utf8" });
      assert.equal(stderr, "");
      return { status, lines: stdout.trimEnd().split("\n") };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  it("of this workspace have no advisory, no other licence, no banned one and no other source", () => {
    const { status, stdout, stderr } = spawnSync(join(ROOT, ".ci/deny"), [], { encoding: "utf8" });
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /^\d{3,} crates, \d{3,} advisories of \d{4}-\d\d-\d\d, 0 faults$/m);
  });

  it("with an advisory are refused, until the version that mends it", () => {
    // RUSTSEC-2020-0071: time is patched from 0.2.23 on, and older than 0.2.0 not affected but for some.
    const told = (name: string, version: string): string[] => judged(crate({ name, version })).lines.filter((line) => line.startsWith("advisory:"));
    assert.match(told("time", "0.2.22").join(), /^advisory: time 0\.2\.22: RUSTSEC-2020-0071 \(vulnerability\): /);
    assert.deepEqual([told("time", "0.2.23"), told("time", "0.3.47")], [[], []]);
    assert.match(told("ansi_term", "0.12.1").join(), /\(unmaintained\)/);
    assert.equal(judged(crate({ name: "time", version: "0.2.22" })).status, 1);
  });

  it("under a licence that asks for more are refused, and those that leave a choice are not", () => {
    const licensed = (license: string | null): boolean => judged(crate({ license })).status === 0;
    for (const license of ["MIT", "MIT/Apache-2.0", "Apache-2.0 / MIT", "GPL-3.0-only OR MIT", "(MIT OR Apache-2.0) AND Unicode-3.0", "Apache-2.0 WITH LLVM-exception"]) {
      assert.ok(licensed(license), license);
    }
    for (const license of ["GPL-3.0-only", "MIT AND GPL-3.0-only", "MPL-2.0", "(MIT OR Apache-2.0) AND AGPL-3.0-only", "GPL-2.0-only WITH Classpath-exception-2.0", null]) {
      assert.ok(!licensed(license), String(license));
    }
  });

  it("that are banned, that come from elsewhere, and any version are refused", () => {
    assert.match(judged(crate({ name: "openssl-sys" })).lines[0]!, /^ban: openssl-sys 1\.2\.3: /);
    for (const source of ["git+https://github.com/some/where#0123", "registry+https://crates.example.com/index"]) {
      assert.match(judged(crate({ source })).lines[0]!, /^source: some 1\.2\.3 comes from /);
    }
    const own = (...dependencies: Json[]) => judged(crate({ name: "ours", source: null, license: null, dependencies }));
    assert.match(own({ name: "serde", req: "*" }).lines[0]!, /^ban: ours takes any version of serde$/);
    assert.equal(own({ name: "model", req: "*", path: "/model" }, { name: "serde", req: "^1" }).status, 0);
  });

  it("are held against advisories whose date is known", () => {
    const { date, commit, advisories } = JSON.parse(read(".ci/advisories.json")) as Json;
    assert.match(`${date} ${commit}`, /^\d{4}-\d\d-\d\d [0-9a-f]{40}$/);
    assert.ok(advisories.length > 1000);
  });
});

describe("the bills of materials", () => {
  const folder = mkdtempSync(join(tmpdir(), "onefold-sbom-"));
  const write = (): Json[] => {
    const { status, stderr } = spawnSync(join(ROOT, ".ci/sbom"), [folder], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return ["functions", "package"].map((name) => JSON.parse(readFileSync(join(folder, `${name}.cdx.json`), "utf8")));
  };
  const [functions, npm] = write();
  const lock = read("Cargo.lock");
  const service = functions.metadata.component.name.replace(/-functions$/, "");

  it("list what is linked into functions, each with its version, licence and hash, and nothing of the tools", () => {
    const names = functions.components.map(({ name }: Json) => name);
    for (const name of ["functions", "onefold-gateways", "onefold-runtime", "onefold-store", "tokio", "lambda_runtime", "argon2", "aws-sdk-dynamodb"]) {
      assert.ok(names.includes(name), name);
    }
    for (const name of ["onefold-local", "onefold-codegen", "onefold-macros", "dynoxide-rs", "serde_derive", "syn", "cc"]) {
      assert.ok(!names.includes(name), name);
    }
    for (const { name, version, licenses, hashes, purl } of functions.components) {
      assert.equal(licenses.length, 1, purl);
      const checksum = new RegExp(`name = "${name}"\\nversion = "${version.replaceAll(".", "\\.")}"\\nsource = .*\\nchecksum = "([0-9a-f]{64})"`).exec(lock)?.[1];
      assert.deepEqual(hashes?.[0].content, checksum, purl);
      assert.equal(purl, checksum === undefined ? `pkg:generic/${service}-${name}@${version}` : `pkg:cargo/${name}@${version}`);
    }
  });

  it("call no crate of this tree by the name of one at crates.io", () => {
    const purls = functions.components.map(({ purl }: Json) => purl);
    const own = [...read("Cargo.toml").matchAll(/^(\w+) = \{ (?:package = "([^"]+)", )?path = /gm)].map(([, alias, name]) => name ?? alias!);
    assert.ok(own.includes("model"), own.join());
    assert.deepEqual(purls.filter((purl: string) => own.some((name) => purl.startsWith(`pkg:cargo/${name}@`))), []);
    assert.ok(purls.some((purl: string) => purl.startsWith(`pkg:generic/${service}-model@`)), "which has advisories there");
  });

  it("list what the npm package needs, which has no code of others in it", () => {
    const { name, version } = npm.metadata.component;
    const { peerDependencies } = named(/^package\.json$/).map((path) => JSON.parse(read(path))).find((about) => about.name === name && about.version === version);
    assert.deepEqual(npm.components.map((needed: Json) => [needed.name, needed.properties[0].value]), Object.entries(peerDependencies));
  });

  it("say what each needs, and every name in that is a component", () => {
    for (const bom of [functions, npm]) {
      assert.deepEqual([bom.bomFormat, bom.specVersion], ["CycloneDX", "1.6"]);
      const refs = new Set([bom.metadata.component, ...bom.components].map((one: Json) => one["bom-ref"]));
      const said = bom.dependencies.flatMap(({ ref, dependsOn }: Json) => [ref, ...dependsOn]);
      assert.deepEqual(said.filter((ref: string) => !refs.has(ref)), []);
    }
  });

  it("are the same each time", () => {
    assert.deepEqual(write(), [functions, npm]);
    rmSync(folder, { recursive: true });
  });
});

describe("Dependabot", () => {
  const { version, updates } = parse(read(".github/dependabot.yml")) as Json;
  const watched = (ecosystem: string): string[] =>
    updates.filter((update: Json) => update["package-ecosystem"] === ecosystem).flatMap(({ directory, directories }: Json) => directories ?? [directory]).map((path: string) => path.slice(1)).sort();

  it("watches every lock file that there is", () => {
    assert.equal(version, 2);
    assert.deepEqual(watched("cargo"), named(/^Cargo\.lock$/).map(folderOf).sort());
    assert.deepEqual(watched("npm"), named(/^package-lock\.json$/).map(folderOf).sort());
    assert.deepEqual(watched("pip"), named(/^requirements\.txt$/).map(folderOf).sort());
    assert.deepEqual(watched("github-actions"), ["", ".github/actions/tools"]);
  });
});

it("whoever finds a hole is told where to say so", () => {
  const policy = read("SECURITY.md");
  assert.match(policy, /## Reporting/);
  assert.match(policy, /not in a public issue/);
  assert.ok(existsSync(join(ROOT, "deny.toml")));
});
