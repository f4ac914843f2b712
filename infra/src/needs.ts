/** What procedures need of a stage beside their rights to data, and whether the stage has it. */
import type { Contract, Procedure } from "./contract.js";
import { Problem } from "./problem.js";
import { isPreview, type Stage, type StageConfig } from "./stage.js";

/** The secret with the key that functions sign tokens with. `keys` makes it; all others are made by people. */
export const SIGNING = "signing";

/** The secrets that a procedure reads at a stage, by name: what nobody made, it does without. */
export function secretsOf({ secrets }: Pick<Procedure, "secrets">, { secrets: made = [] }: StageConfig): string[] {
  return secrets.filter((name) => name === SIGNING || made.includes(name));
}

/** Those that any procedure reads. */
export function allSecrets({ procedures }: Contract, config: StageConfig): string[] {
  return [...new Set(procedures.flatMap((procedure) => secretsOf(procedure, config)))].sort();
}

/** @throws Problem when the stage states a secret that nothing reads: the name is mistaken, most likely. */
export function checkSecrets({ procedures }: Contract, { name, config }: Stage): void {
  const read = [...new Set(procedures.flatMap(({ secrets }) => secrets))].filter((secret) => secret !== SIGNING);
  for (const secret of config.secrets ?? []) {
    if (!read.includes(secret)) {
      const there = read.length === 0 ? "they read none" : `they read ${read.sort().join(", ")}`;
      throw new Problem(`Stage ${name} in stages.ts has the secret "${secret}", which no procedure reads: ${there}.`);
    }
  }
}

/**
 * Asked before a deployment and not at synth: templates can be looked at without a sender.
 *
 * @throws Problem when procedures send mail and nobody said from where. Previews may do without: there,
 * what would send a mail fails.
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
