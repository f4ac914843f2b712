/** Builds, compares, deploys, and says where the service answers. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DescribeSecretCommand, ResourceNotFoundException } from "@aws-sdk/client-secrets-manager";
import type { Names } from "../names.js";
import { BINARIES, INFRA, ROOT } from "../places.js";
import { Problem } from "../problem.js";
import type { Architecture, Stage } from "../stage.js";
import { lossesOf, readAssembly, templateReport } from "../template-diff.js";
import { checkBootstrap, type Cloud, explained, signIn } from "./aws.js";
import { projectAt } from "./project.js";
import { checkState, deployedTemplates, findStack, isEmpty } from "./stacks.js";
import { ask } from "./terminal.js";

export interface DeployOptions {
  readonly stage: string;
  /** Deploy without asking. */
  readonly yes: boolean;
  /** When it is not the stage's own. */
  readonly architecture: string | undefined;
  /** Build the functions and ask AWS nothing: whoever deploys next finds them built. */
  readonly buildOnly: boolean;
}

/** How the processors are named where functions are built. */
const TARGETS: Record<Architecture, { flag: string; triple: string }> = {
  arm64: { flag: "--arm64", triple: "aarch64-unknown-linux-gnu" },
  x86_64: { flag: "--x86-64", triple: "x86_64-unknown-linux-gnu" },
};
const ASSEMBLIES = join(INFRA, "cdk.out");

/** All that can be refused is refused before anything is built. @throws Problem */
export async function deploy({ stage: name, yes, architecture, buildOnly }: DeployOptions): Promise<void> {
  const { stage, names } = projectAt(name, architecture);
  checkTools(stage.config.architecture);
  if (buildOnly) {
    build(stage.config.architecture);
    return;
  }
  const cloud = await signIn();
  await checkBootstrap(cloud);
  const secretVersion = await versionOfSecret(cloud, names, stage);
  const before = await stacksOf(cloud, names);

  build(stage.config.architecture);
  // A folder of its own: what is deployed is what was looked at, whatever else is synthesized meanwhile.
  mkdirSync(ASSEMBLIES, { recursive: true });
  const assembly = mkdtempSync(join(ASSEMBLIES, `${name}-`));
  try {
    const { account, region } = cloud;
    const context = { stage: name, architecture: stage.config.architecture, secretVersion, account, region };
    cdk(["synth", "--quiet", "--output", assembly, ...Object.entries(context).flatMap(([key, value]) => ["-c", `${key}=${value}`])]);
    await compare(cloud, stage, before, assembly);
    await confirm(stage, yes);
    const outputs = join(assembly, "outputs.json");
    cdk(["deploy", "--app", assembly, "--all", "--require-approval", "never", "--progress", "events", "--outputs-file", outputs]);
    printEndpoints(stage, outputs);
  } finally {
    rmSync(assembly, { recursive: true, force: true });
  }
}

/** @throws Problem naming what is missing, and how to get it. */
function checkTools(architecture: Architecture): void {
  if (spawnSync("cargo", ["lambda", "--version"], { stdio: "ignore" }).status !== 0) {
    throw new Problem("cargo-lambda, which builds the functions, is not there: `pip install cargo-lambda==1.9.2` brings it with all it needs.");
  }
  const { triple } = TARGETS[architecture];
  const { stdout } = spawnSync("rustc", ["--print", "target-libdir", "--target", triple], { encoding: "utf8" });
  if (!existsSync((stdout ?? "").trim())) {
    throw new Problem(`Rust cannot build for ${architecture} yet: \`rustup target add ${triple}\`.`);
  }
}

/** Functions read the secret when they start; its version in their environment makes them start anew when it changes. */
async function versionOfSecret(cloud: Cloud, names: Names, stage: Stage): Promise<string> {
  try {
    const secret = await cloud.secrets.send(new DescribeSecretCommand({ SecretId: names.secret }));
    if (secret.DeletedDate !== undefined) {
      throw new Problem(`The secret ${names.secret} is about to be deleted: \`aws secretsmanager restore-secret --secret-id ${names.secret}\` keeps it.`);
    }
    const versions = Object.entries(secret.VersionIdsToStages ?? {});
    const [current] = versions.find(([, labels]) => labels.includes("AWSCURRENT")) ?? [];
    if (current !== undefined) {
      return current;
    }
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) {
      throw explained(error);
    }
  }
  throw new Problem(`The secret ${names.secret}, which holds the stage's keys, is not there yet: \`cargo run -- keys --stage ${stage.name}\` makes it.`);
}

/** The stacks that something is in, none of which is in a state that forbids a change. @throws Problem */
async function stacksOf({ cloudFormation }: Cloud, names: Names): Promise<Set<string>> {
  const there = new Set<string>();
  for (const name of names.stacks()) {
    const stack = await findStack(cloudFormation, name);
    if (stack !== undefined) {
      checkState(name, stack);
      if (!isEmpty(stack)) {
        there.add(name);
      }
    }
  }
  return there;
}

/** One pass for all functions. What to optimize, the workspace's own profile says: cargo-lambda's costs 50 s for each function. */
function build(architecture: Architecture): void {
  const { flag } = TARGETS[architecture];
  const command = ["lambda", "build", "--release", flag, "--disable-optimizations", "--lambda-dir", BINARIES, "-p", "functions"];
  const { status } = spawnSync("cargo", command, { cwd: ROOT, stdio: "inherit" });
  if (status !== 0) {
    throw new Problem("The functions do not build; nothing was deployed.");
  }
}

/** Says what would be different. @throws Problem when what is stored would be harmed. */
async function compare({ account, region, cloudFormation }: Cloud, { name }: Stage, before: ReadonlySet<string>, assembly: string): Promise<void> {
  const where = `Stage ${name} in account ${account}, region ${region}`;
  if (before.size === 0) {
    console.log(`\n${where}: nothing is there yet.`);
    return;
  }
  const next = readAssembly(assembly);
  const deployed = await deployedTemplates(cloudFormation, before, next, assembly);
  console.log(`\n${where}. What would be different:\n\n${templateReport(deployed, next)}`);
  const losses = lossesOf(deployed, next);
  if (losses.length > 0) {
    throw new Problem(
      `Nothing was deployed, because it would harm what is stored:\n${losses.map((loss) => `  - ${loss}`).join("\n")}\n` +
        "docs/operations.md says how to move data on purpose.",
    );
  }
}

/** Production asks, unless it was told not to. @throws Problem */
async function confirm({ name }: Stage, yes: boolean): Promise<void> {
  if (yes || name !== "prod") {
    return;
  }
  const answer = await ask(`Deploy to ${name}? [y/N] `, "Nothing was deployed: production is confirmed by hand, or with --yes.");
  if (!/^y(es)?$/i.test(answer)) {
    throw new Problem("Nothing was deployed.");
  }
}

function cdk(command: readonly string[]): void {
  const { status } = spawnSync(join(INFRA, "node_modules/.bin/cdk"), [...command], { cwd: INFRA, stdio: "inherit" });
  if (status !== 0) {
    throw new Problem(`\`cdk ${command[0]}\` failed; what it says stands above. CloudFormation takes back what it could not finish.`);
  }
}

function printEndpoints({ name }: Stage, path: string): void {
  const outputs = JSON.parse(readFileSync(path, "utf8")) as Record<string, Record<string, string>>;
  const found = Object.assign({}, ...Object.values(outputs)) as Record<string, string>;
  console.log(`\n${name}  ${found["Url"] ?? "has no address"}`);
  if (found["DistributionId"] !== undefined) {
    console.log(`${name}  frontend: s3://${found["FrontendBucket"] ?? ""}`);
    console.log(`${name}  distribution: ${found["DistributionId"]} at ${found["DistributionHost"] ?? ""}`);
  }
}
