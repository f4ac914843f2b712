/**
 * The workflows of GitHub Actions, as far as they can be checked without GitHub: by its own language
 * service, and against the files and scripts that they name. What zizmor finds is in `lint`; that every
 * `cargo run -- …` is a command is tested with the program itself.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { register } from "node:module";
import { join } from "node:path";
import { describe, it } from "node:test";
import { TextDocument } from "vscode-languageserver-textdocument";
import { parse } from "yaml";
import { type Json, ROOT } from "./support.js";

// The language service imports JSON in a way that Node 20 does not know.
const hook = `import { readFile } from "node:fs/promises";
export async function load(url, context, next) {
  if (!url.endsWith(".json")) return next(url, context);
  return { format: "module", source: "export default " + (await readFile(new URL(url), "utf8")), shortCircuit: true };
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
const { validate } = await import("@actions/languageservice");

const WORKFLOWS = join(ROOT, ".github/workflows");
const ACTION = ".github/actions/tools/action.yml";

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const paths = [ACTION, ...readdirSync(WORKFLOWS).map((file) => `.github/workflows/${file}`)];
const workflows: [string, Json][] = paths.filter((path) => path !== ACTION).map((path) => [path, parse(read(path))]);
const jobs: [string, Json][] = workflows.flatMap(([path, { jobs }]) =>
  Object.entries<Json>(jobs).map(([name, job]): [string, Json] => [`${path}: ${name}`, job]),
);
const steps: Json[] = [...jobs.flatMap(([, job]) => job.steps ?? []), ...parse(read(ACTION)).runs.steps];

async function faults(path: string, text: string): Promise<string[]> {
  const document = TextDocument.create(`file:///${path}`, "yaml", 0, text);
  return (await validate(document, {})).map(({ message, range }) => `${path}:${range.start.line + 1}: ${message}`);
}

describe("the language service of GitHub Actions", () => {
  for (const path of paths) {
    it(`finds nothing in ${path}`, async () => {
      assert.deepEqual(await faults(path, read(path)), []);
    });
  }

  it("finds what is wrong", async () => {
    const broken = read(".github/workflows/deploy.yml").replace("needs: checks", "needs: chekcs").replace("vars.AWS_DEV", "varz.AWS_DEV");
    const found = (await faults("broken.yml", broken)).join("\n");
    assert.match(found, /depends on unknown job 'chekcs'/);
    assert.match(found, /Unrecognized named-value: 'varz'/);
  });
});

it("a workflow has no rights but those that its jobs name, and a job ends", () => {
  for (const [path, workflow] of workflows) {
    assert.deepEqual(workflow.permissions, {}, path);
    assert.deepEqual(workflow.defaults, { run: { shell: "bash" } }, `${path}: without a shell, pipes hide failures`);
  }
  for (const [name, job] of jobs) {
    assert.ok(job.permissions !== undefined, `${name} states its permissions`);
    assert.ok(job["timeout-minutes"] !== undefined || job.uses !== undefined, `${name} has a timeout`);
  }
});

it("the right to assume a role, and the right to write to GitHub, are never in one job", () => {
  const cloud = jobs.filter(([, { permissions }]) => permissions["id-token"] !== undefined);
  assert.deepEqual(cloud.map(([name]) => name.split(": ")[1]).sort(), ["deploy", "destroy", "dev", "production"]);
  for (const [name, { permissions }] of cloud) {
    assert.deepEqual(permissions, { contents: "read", "id-token": "write" }, name);
  }
  for (const [name, { permissions }] of jobs.filter((job) => !cloud.includes(job))) {
    const writes = Object.entries(permissions).filter(([, right]) => right !== "read");
    assert.deepEqual(writes, Object.keys(permissions).includes("pull-requests") ? [["pull-requests", "write"]] : [], name);
  }
});

it("a fork's pull request reaches no role, and triggers nothing with more rights", () => {
  for (const [path, workflow] of workflows) {
    for (const trigger of ["pull_request_target", "workflow_run", "issue_comment"]) {
      assert.ok(!(trigger in workflow.on), `${path} has ${trigger}`);
    }
    if (!("pull_request" in workflow.on)) {
      continue;
    }
    for (const [name, job] of Object.entries<Json>(workflow.jobs)) {
      const isOwn = String(job.if).includes("github.event.pull_request.head.repo.full_name == github.repository");
      const inherits = [job.needs ?? []].flat().some((needed: string) => String(workflow.jobs[needed].if).includes("head.repo.full_name"));
      const writes = Object.values(job.permissions).includes("write");
      assert.ok(!writes || isOwn || inherits, `${path}: ${name} writes for a fork`);
    }
  }
});

it("no script has an expression in it: values come by the environment", () => {
  for (const { run } of steps) {
    assert.doesNotMatch(run ?? "", /\$\{\{/);
  }
});

describe("what is named is there", () => {
  const scripts = [...steps.map(({ run }) => run ?? ""), read(".ci/differences"), read(".ci/run")];

  it("programs of the project can be run", () => {
    const named = new Set(scripts.flatMap((script) => script.match(/(?:^|\s)(\.ci\/\w+|\.\/\w+)\b/gm) ?? []).map((name) => name.trim()));
    assert.ok(named.has(".ci/run") && named.has(".ci/differences"), [...named].join(" "));
    for (const name of named) {
      assert.ok(statSync(join(ROOT, name)).mode & 0o111, `${name} can be run`);
    }
  });

  it("npm scripts, requirements and packages", () => {
    const npm = JSON.parse(read("infra/package.json")).scripts;
    const called = scripts.flatMap((script) => [...script.matchAll(/npm --prefix "?(\S+?)"? run (?:--silent )?([\w-]+)/g)]);
    assert.ok(called.length >= 3);
    for (const [line, folder, script] of called) {
      assert.ok(folder!.endsWith("infra") && script! in npm, line);
    }
    for (const [, file] of scripts.flatMap((script) => [...script.matchAll(/--requirement (\S+)/g)])) {
      assert.ok(existsSync(join(ROOT, file!)), file);
    }
  });

  it("actions and workflows of this repository", () => {
    const own = [...steps, ...jobs.map(([, job]) => job)].map(({ uses }) => uses ?? "").filter((uses) => !/^[\w-]+\/|^$/.test(uses));
    assert.ok(own.length > 5);
    for (const uses of own) {
      assert.match(uses, /^\$\//);
      const path = uses.slice(2);
      assert.ok(existsSync(join(ROOT, path, "action.yml")) || statSync(join(ROOT, path)).isFile(), uses);
    }
  });

  it("what a comment is made of was made before", () => {
    const uploads = steps.filter(({ uses }) => uses?.startsWith("actions/upload-artifact@")).map((step) => step.with.name);
    const comments = jobs.filter(([, job]) => job.uses?.endsWith("/comment.yml")).map(([, job]) => job.with.about);
    const others = ["sbom"];
    assert.deepEqual(comments.sort(), uploads.filter((name) => !others.includes(name)).sort());
  });

  it("the roles of `github-oidc.yaml` trust the jobs that assume them, and no others", () => {
    const template = read("shared/infra/github-oidc.yaml");
    const trusted = [...template.matchAll(/Job: "?([\w:]+)"?/g)].map(([, job]) => job!);
    const environments = jobs.flatMap(([, { environment }]) => (environment === undefined ? [] : [`environment:${environment}`]));
    assert.deepEqual(trusted.sort(), ["pull_request", ...environments].sort());
    // Which workflow, too, as it stands on main; of a pull request, its merge's.
    const stages = [...template.matchAll(/^ {4}(\w+): \{ Job: "?([\w:]+)"?, Workflow: (\S+)@(\S+),/gm)].map(([, , job, file, ref]) => [job!, file!, ref!] as const);
    assert.equal(stages.length, trusted.length);
    for (const [job, file, ref] of stages) {
      const isPull = job === "pull_request";
      assert.equal(ref, isPull ? "refs/pull/*/merge" : "refs/heads/main");
      const [, workflow] = workflows.find(([path]) => path === `.github/workflows/${file}`) ?? assert.fail(file);
      const inIt = Object.values<Json>(workflow.jobs).filter(({ permissions }) => permissions["id-token"] !== undefined);
      assert.ok(inIt.some(({ environment }) => (isPull ? environment === undefined : `environment:${environment}` === job)), job);
    }
    const likes = template.split("\n").filter((line) => line.includes("StringLike"));
    assert.equal(likes.length, 1, "and nothing else is compared by a pattern");
    assert.match(template, /StringLike:\n\s+token\.actions\.githubusercontent\.com:job_workflow_ref:/);
  });

  it("the role of previews trusts the workflow that removes the stage of a merged pull request, whose ref is main's, and no other role does", () => {
    const [, preview] = workflows.find(([path]) => path.endsWith("/preview.yml")) ?? assert.fail();
    assert.ok(preview.on.pull_request.types.includes("closed"));
    const [, trusted] = /job_workflow_ref:\n(.*?)\n {6}Policies:/s.exec(read("shared/infra/github-oidc.yaml")) ?? assert.fail();
    assert.deepEqual(trusted!.split("\n").map((line) => line.trim()).filter((line) => !line.startsWith("#")), [
      "- !Sub",
      "- ${Repository}/.github/workflows/${workflow}",
      "- workflow: !FindInMap [Stages, !Ref Stage, Workflow]",
      "- !If",
      "- IsPreview",
      "- !Sub ${Repository}/.github/workflows/preview.yml@refs/heads/main",
      "- !Ref AWS::NoValue",
    ]);
  });
});
