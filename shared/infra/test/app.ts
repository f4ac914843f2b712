/** The testbed's app, as each service has one. */
import { run } from "../src/run.js";
import { stages } from "./stages.js";
import { ROOT, TESTBED } from "./support.js";

await run({ contract: TESTBED, workspace: ROOT, stages });
