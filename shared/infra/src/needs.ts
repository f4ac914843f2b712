/** What procedures need of a stage besides rights to data, and the checks that the stage has it. */
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import type { Contract, Procedure } from "./contract.js";
import { Problem } from "./problem.js";
import { isPreview, type Stage, type StageConfig } from "./stage.js";

/** The secret with the key that signs tokens. `keys` makes it, and the next. */
export const SIGNING = "signing";
/** The secret with the key that seals cursors. No signature names it: each function that takes a cursor reads it. */
export const CURSORS = "cursors";
/**
 * The secret with the hash that names the first administrator. `deploy` makes it; people make all others. The name is a
 * convention of the framework, as those above: a service in which no procedure names the secret has none.
 */
export const FOUNDER = "founder";

/**
 * The secrets that a procedure reads at a stage, by name; an optional secret that does not exist is left out. Previews
 * have no founder: they are short-lived, and operators have tokens for them.
 */
export function secretsOf({ secrets }: Pick<Procedure, "secrets">, { name: stage, config }: Stage): string[] {
  const isThere = (name: string): boolean =>
    name === SIGNING || (name === FOUNDER ? !isPreview(stage) : (config.secrets ?? []).includes(name));
  return secrets.filter(isThere);
}

/** The secrets that any procedure reads. */
export function allSecrets({ procedures }: Contract, stage: Stage): string[] {
  const own = procedures.flatMap((procedure) => secretsOf(procedure, stage));
  // Secrets that people make are asked for before those that a command makes.
  return [...[...new Set(own)].sort(), ...(procedures.some(({ takesCursor }) => takesCursor) ? [CURSORS] : [])];
}

/** @throws Problem when the stage states a secret that nothing reads: most likely a mistaken name. */
export function checkSecrets({ procedures }: Contract, { name, config }: Stage): void {
  const read = [...new Set(procedures.flatMap(({ secrets }) => secrets))].filter((secret) => ![SIGNING, CURSORS, FOUNDER].includes(secret));
  for (const secret of config.secrets ?? []) {
    if (!read.includes(secret)) {
      const there = read.length === 0 ? "they read none" : `they read ${read.sort().join(", ")}`;
      throw new Problem(`Stage ${name} in stages.ts has the secret "${secret}", which no procedure reads: ${there}.`);
    }
  }
}

/** How long the configurations of one function are at most, as JSON: Lambda has 4 KB for all its variables. */
const MAX_CONFIG_BYTES = 2_048;

/** The configurations of a procedure as JSON, by name, as {@link checkConfigs} found them right. */
export function configsOf({ configs }: Pick<Procedure, "configs">, { config = {} }: StageConfig): Map<string, string> {
  return new Map(configs.map((name) => [name, JSON.stringify(config[name] ?? {})]));
}

/** @throws Problem with all that is wrong with the stage's configurations: missing, unknown, not of their types, too long. */
export function checkConfigs({ configs, procedures }: Contract, { name: stage, config }: Stage): void {
  const stated = config.config ?? {};
  const faults = Object.keys(stated)
    .filter((name) => !configs.has(name))
    .map((name) => {
      const known = configs.size === 0 ? "they take none" : `they take ${[...configs.keys()].sort().join(", ")}`;
      return `config.${name} is of no configuration that procedures take: ${known}`;
    });
  // Formats of schemars, such as `uint32`, are no formats of JSON Schema: the schemas state ranges as well.
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false });
  for (const [name, schema] of configs) {
    const isRight = ajv.compile(schema);
    if (!isRight(stated[name] ?? {})) {
      const takers = procedures.filter((procedure) => procedure.configs.includes(name)).map((procedure) => procedure.name);
      const isMissing = stated[name] === undefined;
      const wrong = (isRight.errors ?? []).map((error) => `config.${name}${faultOf(error)}`);
      faults.push(...(isMissing ? [`config.${name} is missing, for ${takers.join(", ")}: ${wrong.join("; ")}`] : wrong));
    }
  }
  for (const procedure of procedures) {
    const bytes = [...configsOf(procedure, config).values()].reduce((sum, json) => sum + Buffer.byteLength(json), 0);
    if (bytes > MAX_CONFIG_BYTES) {
      faults.push(`the configurations of ${procedure.name} are ${bytes} bytes long as JSON, and at most ${MAX_CONFIG_BYTES} fit`);
    }
  }
  if (faults.length > 0) {
    throw new Problem(`Stage ${stage} in stages.ts:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`);
  }
}

/** `.hours[2].from must be string`. */
function faultOf({ instancePath, message, params }: ErrorObject): string {
  const path = instancePath.replaceAll(/\/(\d+)(?=\/|$)/g, "[$1]").replaceAll("/", ".");
  const strange: unknown = params["additionalProperty"];
  return typeof strange === "string" ? `${path}.${strange} is unknown` : `${path} ${message ?? "is wrong"}`;
}

/**
 * Checked before a deployment and not at synth, so that templates can be synthesized without a sender.
 *
 * @throws Problem when procedures send mail and no sender is stated. Previews may omit it: sending fails there.
 */
export function checkMail({ procedures }: Contract, { name, config }: Stage): void {
  const sending = procedures.filter(({ sendsMail }) => sendsMail).map((procedure) => procedure.name);
  if (config.mailFrom === undefined && sending.length > 0 && !isPreview(name)) {
    throw new Problem(
      `Stage ${name} in stages.ts has no mailFrom, and there is mail to send (${sending.join(", ")}): state an address that Amazon SES ` +
        "knows. docs/deploying.md says how it comes to know one.",
    );
  }
}

/**
 * Checks what production requires, before a deployment, as for mail.
 *
 * @throws Problem with a list of what is missing.
 */
export function checkProduction({ name, config }: Stage): void {
  const missing: string[] = [];
  if (name === "prod" && config.alarmEmail === undefined) {
    missing.push("alarmEmail: nobody would be told of alarms");
  }
  // The address of an HTTP API without an edge speaks TLS 1.2 or newer only.
  if (name === "prod" && config.edge !== undefined && config.edge.domain === undefined) {
    missing.push("edge.domain: CloudFront's own host name admits TLS 1.0, and its policy cannot be chosen");
  }
  if (missing.length > 0) {
    throw new Problem(`Stage ${name} in stages.ts is not deployed without\n${missing.map((what) => `  - ${what}`).join("\n")}`);
  }
}
