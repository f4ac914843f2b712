/** `deploy`, `destroy`, `logs` and `keys`. `cargo run --` calls it, and checks its options first. */
import { parseArgs } from "node:util";
import { deploy } from "./commands/deploy.js";
import { destroy } from "./commands/destroy.js";
import { checkKeys, keys } from "./commands/keys.js";
import { logs } from "./commands/logs.js";
import { Problem } from "./problem.js";

async function main(): Promise<void> {
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
  const [command, procedure = ""] = positionals;
  switch (command) {
    case "deploy":
      return deploy({ stage, yes, architecture, buildOnly: values["build-only"] });
    case "destroy":
      return destroy({ stage, yes });
    case "logs":
      return logs({ stage, procedure, since, follow });
    case "keys":
      return check ? checkKeys(stage) : keys({ stage, rotate, retire });
    default:
      throw new Problem(`There is no command ${JSON.stringify(command)}.`);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Problem)) {
    throw error;
  }
  console.error(error.message);
  process.exitCode = 1;
}
