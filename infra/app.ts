/** The service's stacks, at a stage. `cargo run -- deploy` and its like, and the CDK, start it in this folder. */
import { run } from "@onefold/infra";
import { stages } from "./stages.js";

await run({ contract: "../bindings/contract.json", workspace: "..", stages });
