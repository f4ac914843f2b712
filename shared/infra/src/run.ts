/**
 * What the `app.ts` of a service does. Without parameters, as the CDK starts it, it synthesizes; with a command it does that:
 * `deploy`, `destroy`, `logs` and `keys`, whose options `cargo run --` checks before it starts them, and two that need no
 * account.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { contractOf, type Service, synthesize } from "./app.js";
import { writePlaceholders } from "./bootstraps.js";
import { deploy } from "./commands/deploy.js";
import { destroy } from "./commands/destroy.js";
import { checkKeys, keys } from "./commands/keys.js";
import { logs } from "./commands/logs.js";
import { loadContract } from "./contract.js";
import { Problem } from "./problem.js";
import { readAssembly, templateReport } from "./template-diff.js";

/** Ends the process with 1 after a mistake of the person who runs it, which is explained without a stack trace. */
export async function run(service: Service): Promise<void> {
  try {
    await command(service);
  } catch (error) {
    if (!(error instanceof Problem)) {
      throw error;
    }
    console.error(error.message);
    process.exitCode = 1;
  }
}

async function command(service: Service): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      stage: { type: "string", default: "" },
      yes: { type: "boolean", default: false },
      architecture: { type: "string" },
      "build-only": { type: "boolean", default: false },
      since: { type: "string", default: "10m" },
      follow: { type: "boolean", default: false },
      rotate: { type: "boolean", default: false },
      retire: { type: "string" },
      check: { type: "boolean", default: false },
    },
  });
  const { stage, yes, architecture, since, follow, rotate, retire, check } = values;
  const [name, first = "", second] = positionals;
  switch (name) {
    case undefined:
      return synthesize(service);
    case "deploy":
      return deploy(service, { stage, yes, architecture, buildOnly: values["build-only"] });
    case "destroy":
      return destroy(service, { stage, yes });
    case "logs":
      return logs(service, { stage, procedure: first, since, follow });
    case "keys":
      return check ? checkKeys(service, stage) : keys(service, { stage, rotate, retire });
    case "placeholders":
      return placeholders(service, first, second);
    case "template-diff":
      return compare(first, second);
    default:
      throw new Problem(`There is no command ${JSON.stringify(name)}.`);
  }
}

/** Stands for the built functions where only templates are wanted, and nothing is deployed. @throws Problem */
function placeholders(service: Service, folder: string, contract = contractOf(service)): void {
  if (folder === "") {
    throw new Problem("Give the folder in which each function gets a file of a few bytes.");
  }
  writePlaceholders(resolve(folder), loadContract(contract));
}

/** Prints what would be deployed differently. @throws Problem */
function compare(old: string, next: string | undefined): void {
  if (next === undefined) {
    throw new Problem("Give the folder of the older synthesized templates and the one of the newer.");
  }
  process.stdout.write(templateReport(readAssembly(old), readAssembly(next)));
}
