/** Builds, compares, deploys, and prints the service's address. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { binariesOf, type Service } from "../app.js";
import { packagesOf } from "../bootstraps.js";
import type { Contract } from "../contract.js";
import { FIREWALL_REGION } from "../names.js";
import { WEB_ACL_ARN } from "../firewall-stack.js";
import { allSecrets, checkConfigs, checkMail, checkProduction, checkSecrets, CURSORS, FOUNDER, SIGNING } from "../needs.js";
import { CDK } from "../places.js";
import { Problem } from "../problem.js";
import { formatVersions } from "../secret-versions.js";
import { type Architecture, rateLimitsOf, type Stage, statedUrl } from "../stage.js";
import { lossesOf, readAssembly, templateReport } from "../template-diff.js";
import { checkBootstrap, type Cloud, signIn } from "./aws.js";
import { type Founder, keepFounder, neededFounder, tellFounder } from "./founder.js";
import { type Project, projectAt } from "./project.js";
import { moveOn, type Versions, versionsOf } from "./secrets.js";
import { checkState, deployedTemplates, findStack, findStacks, formationOf, isEmpty } from "./stacks.js";
import { ask } from "./terminal.js";

export interface DeployOptions {
  readonly stage: string;
  /** Deploy without asking. */
  readonly yes: boolean;
  /** The processor, if it is not the stage's own. */
  readonly architecture: string | undefined;
  /** Build the functions without asking AWS: the next deployment finds them built. */
  readonly buildOnly: boolean;
}

/** The names of the processors in the build tools. */
const TARGETS: Record<Architecture, { flag: string; triple: string }> = {
  arm64: { flag: "--arm64", triple: "aarch64-unknown-linux-gnu" },
  x86_64: { flag: "--x86-64", triple: "x86_64-unknown-linux-gnu" },
};
/** The folder of the synthesized templates, in the working directory. */
const ASSEMBLIES = resolve("cdk.out");

/** Checks everything that can be refused before anything is built. @throws Problem */
export async function deploy(service: Service, { stage: name, yes, architecture, buildOnly }: DeployOptions): Promise<void> {
  const project = projectAt(service, name, architecture);
  const { contract, stage, names } = project;
  checkSecrets(contract, stage);
  checkConfigs(contract, stage);
  checkMail(contract, stage);
  checkProduction(stage);
  checkTools(stage.config.architecture);
  if (buildOnly) {
    build(service, project);
    return;
  }
  const cloud = await signIn();
  for (const region of regionsOf(cloud, stage)) {
    await checkBootstrap(cloud, region);
  }
  const secrets = await findSecrets(cloud, project);
  const founder = await neededFounder(cloud, project);
  const before = await stacksOf(cloud, project);
  const known: Known = { url: await deployedAddress(cloud, project), secretVersions: new Map([...secrets].map(([id, { current = "" }]) => [id, current])) };

  build(service, project);
  // A folder of its own: the deployed templates are the compared ones, whatever else is synthesized meanwhile.
  mkdirSync(ASSEMBLIES, { recursive: true });
  const assembly = mkdtempSync(join(ASSEMBLIES, `${name}-`));
  let kept: Founder | undefined;
  try {
    synthesize(cloud, stage, known, assembly);
    await compare(cloud, project, before, assembly);
    await confirm(stage, yes);
    if (founder !== undefined) {
      await keepFounder(cloud, project, founder);
      kept = founder;
    }
    const outputs = deployAll(project, assembly);
    const later = await knownLater(cloud, project, known, secrets, outputs);
    if (later !== undefined) {
      console.log("\nOnce more for the functions, which can be told now where the service is or which key signs.");
      const again = join(assembly, "again");
      synthesize(cloud, stage, later, again);
      cdk(["deploy", "--app", again, names.stack("service"), "--exclusively", ...QUIETLY]);
    }
    printEndpoints(stage, outputs);
  } finally {
    if (kept !== undefined) {
      // Also after a failed deployment: its secret exists, and the next deployment makes no other.
      tellFounder(project, kept);
    }
    rmSync(assembly, { recursive: true, force: true });
  }
}

/** The regions in which a deployment makes stacks. */
function regionsOf({ region }: Cloud, { config }: Stage): Set<string> {
  return new Set([region, ...(rateLimitsOf(config) === undefined ? [] : [FIREWALL_REGION])]);
}

/** Deploys all stacks and returns their outputs. The edge gets the ARN of its web ACL, which is in another region. */
function deployAll({ stage, names }: Project, assembly: string): Record<string, string> {
  const outputs = join(assembly, "outputs.json");
  const run = (...which: string[]): Record<string, string> => {
    cdk(["deploy", "--app", assembly, ...which, ...QUIETLY, "--outputs-file", outputs]);
    return readOutputs(outputs);
  };
  if (rateLimitsOf(stage.config) === undefined) {
    return run("--all");
  }
  const arn = webAclIn(run(names.stack("firewall"), "--exclusively"));
  return run("--all", "--parameters", `${names.stack("edge")}:${WEB_ACL_ARN}=${arn}`);
}

/** @throws Problem when there is none: the edge would admit any number of requests. */
export function webAclIn({ [WEB_ACL_ARN]: arn }: Record<string, string>): string {
  if (arn === undefined || arn === "") {
    throw new Problem(`The firewall's stack was deployed and does not say which web ACL it has (${WEB_ACL_ARN}): the edge is not deployed without one.`);
  }
  return arn;
}

/** @throws Problem naming a missing tool, and how to install it. */
function checkTools(architecture: Architecture): void {
  if (spawnSync("cargo", ["lambda", "--version"], { stdio: "ignore" }).status !== 0) {
    throw new Problem("cargo-lambda, which builds the functions, is not there: `pip install --require-hashes --requirement tests/requirements.txt` brings it with all it needs.");
  }
  const { triple } = TARGETS[architecture];
  const { stdout } = spawnSync("rustc", ["--print", "target-libdir", "--target", triple], { encoding: "utf8" });
  if (!existsSync((stdout ?? "").trim())) {
    throw new Problem(`Rust cannot build for ${architecture} yet: \`rustup target add ${triple}\`.`);
  }
}

/** Facts that only AWS knows, for the templates. */
export interface Known {
  /** The service's address, if only the deployed distribution has it. */
  readonly url: string | undefined;
  /** The versions of the secrets. Functions read secrets when they start: another version in the environment starts them anew. */
  readonly secretVersions: ReadonlyMap<string, string>;
}

/**
 * The secrets that functions read, by their names at AWS. The stage's own comes last: when it is read, it has the
 * public half of each key that waits in the one before. The deployment makes the founder's.
 *
 * @throws Problem when one is missing.
 */
export async function findSecrets({ secrets: client }: Pick<Cloud, "secrets">, { contract, stage, names }: Project): Promise<Map<string, Versions>> {
  const made = `\`cargo run -- keys --stage ${stage.name}\` makes it.`;
  const advice = (name: string): string =>
    name === CURSORS
      ? `, with the key that seals cursors, is not there yet: ${made}`
      : name === SIGNING ? `, with which functions sign tokens, is not there yet: ${made}` : " is not there, and stages.ts says that it is: docs/deploying.md says how to make it.";
  const wanted = allSecrets(contract, stage).map((name) => [names.secretNamed(name), advice(name)] as const);
  const found = new Map<string, Versions>();
  for (const [id, otherwise] of [...wanted, [names.secret, `, which holds the stage's keys, is not there yet: ${made}`] as const]) {
    const versions = await versionsOf(client, id);
    if (versions === undefined && id === names.secretNamed(FOUNDER)) {
      continue;
    }
    if (versions?.current === undefined) {
      throw new Problem(`The secret ${id}${otherwise}`);
    }
    found.set(id, versions);
  }
  return found;
}

/** CloudFront's own host name, if callers use it and a distribution exists. */
async function deployedAddress({ cloudFormation }: Cloud, { stage: { config }, names }: Project): Promise<string | undefined> {
  if (config.edge === undefined || statedUrl(config) !== undefined) {
    return undefined;
  }
  const stack = await findStack(cloudFormation, names.stack("edge"));
  return addressIn(Object.fromEntries((stack?.Outputs ?? []).map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue])));
}

function addressIn({ DistributionHost: host }: Record<string, string>): string | undefined {
  return host === undefined ? undefined : `https://${host}`;
}

/**
 * The facts that are known once all functions are deployed: the name of a new distribution, and a new signing key,
 * whose public half every function has by now. None if that changes nothing.
 */
export async function knownLater(
  { secrets: client }: Pick<Cloud, "secrets">,
  { contract, stage: { config }, names }: Project,
  before: Known,
  secrets: ReadonlyMap<string, Versions>,
  outputs: Record<string, string>,
  wait: (ms: number) => Promise<void> = sleep,
): Promise<Known | undefined> {
  const url = statedUrl(config) === undefined ? (addressIn(outputs) ?? before.url) : undefined;
  const id = names.secretNamed(SIGNING);
  const signing = secrets.get(id);
  if (signing?.next !== undefined) {
    const seconds = config.edge === undefined ? 0 : longestKept(contract);
    if (seconds > 0) {
      console.log(`\nAll functions know the key ${signing.next}. CloudFront may give the list of keys without it for ${seconds} s: waiting for that.`);
      await wait(seconds * 1000);
    }
    await moveOn(client, id, signing);
    console.log(`\nFunctions sign with ${signing.next} from now on; ${signing.current ?? "none"} is accepted until it is retired.`);
    return { url, secretVersions: new Map([...before.secretVersions, [id, signing.next]]) };
  }
  return url === before.url ? undefined : { ...before, url };
}

/** The existing stacks, none of which may be in a state that forbids a change. @throws Problem */
export async function stacksOf(
  cloud: Pick<Cloud, "cloudFormation" | "firewallFormation">,
  { stage: { config }, names }: Pick<Project, "stage" | "names">,
): Promise<Set<string>> {
  const there = await findStacks(cloud, names, rateLimitsOf(config) !== undefined);
  there.forEach((stack, name) => checkState(name, stack));
  return new Set([...there].filter(([, stack]) => !isEmpty(stack)).map(([name]) => name));
}

/** Builds all functions at once, with the workspace's release profile: cargo-lambda's costs 50 s for each function. */
function build(service: Service, { contract, stage }: Project): void {
  const { flag } = TARGETS[stage.config.architecture];
  const count = contract.procedures.length + contract.gateways.length;
  console.log(`Building ${count} functions for ${stage.config.architecture}: minutes the first time, seconds for each that changed.`);
  const command = ["lambda", "build", "--release", flag, "--disable-optimizations", "--lambda-dir", binariesOf(service), ...packagesOf(contract)];
  const { status } = spawnSync("cargo", command, { cwd: resolve(service.workspace), stdio: "inherit" });
  if (status !== 0) {
    throw new Problem("The functions do not build; nothing was deployed.");
  }
}

/** Prints the changes. @throws Problem when stored data would be harmed. */
async function compare(cloud: Cloud, { stage: { name }, names }: Project, before: ReadonlySet<string>, assembly: string): Promise<void> {
  const where = `Stage ${name} in account ${cloud.account}, region ${cloud.region}`;
  if (before.size === 0) {
    console.log(`\n${where}: nothing is there yet.`);
    return;
  }
  const next = readAssembly(assembly);
  const deployed = await deployedTemplates((stack) => formationOf(cloud, names, stack), before, next, assembly);
  console.log(`\n${where}. What would be different:\n\n${templateReport(deployed, next)}`);
  const losses = lossesOf(deployed, next);
  if (losses.length > 0) {
    throw new Problem(
      `Nothing was deployed, because it would harm what is stored:\n${losses.map((loss) => `  - ${loss}`).join("\n")}\n` +
        "docs/operations.md says how to move data on purpose.",
    );
  }
}

/** Asks for a confirmation in production, unless `--yes` is set. @throws Problem */
async function confirm({ name }: Stage, yes: boolean): Promise<void> {
  if (yes || name !== "prod") {
    return;
  }
  const answer = await ask(`Deploy to ${name}? [y/N] `, "Nothing was deployed: production is confirmed by hand, or with --yes.");
  if (!/^y(es)?$/i.test(answer)) {
    throw new Problem("Nothing was deployed.");
  }
}

/** The longest time, in seconds, that CloudFront caches procedures with an HTTP path of their own: the token keys are among them. */
function longestKept({ procedures }: Contract): number {
  return Math.max(0, ...procedures.map(({ http, cacheSeconds = 0 }) => (http === undefined ? 0 : cacheSeconds)));
}

const QUIETLY = ["--require-approval", "never", "--progress", "events"];

function synthesize({ account, region }: Cloud, { name, config }: Stage, { url, secretVersions }: Known, folder: string): void {
  const context = { stage: name, architecture: config.architecture, secretVersions: formatVersions(secretVersions), account, region, url };
  const stated = Object.entries(context).filter(([, value]) => value !== undefined);
  cdk(["synth", "--quiet", "--output", folder, ...stated.flatMap(([key, value]) => ["-c", `${key}=${value}`])]);
}

function cdk(command: readonly string[]): void {
  const { status } = spawnSync(process.execPath, [CDK, ...command], { stdio: "inherit" });
  if (status !== 0) {
    throw new Problem(`\`cdk ${command[0]}\` failed; what it says stands above. CloudFormation takes back what it could not finish.`);
  }
}

/** The outputs of all stacks. */
function readOutputs(path: string): Record<string, string> {
  const outputs = JSON.parse(readFileSync(path, "utf8")) as Record<string, Record<string, string>>;
  return Object.assign({}, ...Object.values(outputs)) as Record<string, string>;
}

function printEndpoints({ name }: Stage, found: Record<string, string>): void {
  console.log(`\n${name}  ${found["Url"] ?? "has no address"}`);
  if (found["DistributionId"] !== undefined) {
    console.log(`${name}  frontend: s3://${found["FrontendBucket"] ?? ""}`);
    console.log(`${name}  distribution: ${found["DistributionId"]} at ${found["DistributionHost"] ?? ""}`);
  }
}
