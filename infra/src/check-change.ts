/** `npm run change -- <deployed template> <next template>`: fails when data would be harmed. */
import { readFileSync } from "node:fs";
import { refusals } from "./safe-change.js";

const [deployed, next] = process.argv.slice(2);
if (deployed === undefined || next === undefined) {
  console.error("Give the deployed template of the data stack and the synthesized one.");
  process.exitCode = 2;
} else {
  const refused = refusals(JSON.parse(readFileSync(deployed, "utf8")), JSON.parse(readFileSync(next, "utf8")));
  for (const refusal of refused) {
    console.error(refusal);
  }
  process.exitCode = refused.length > 0 ? 1 : 0;
}
