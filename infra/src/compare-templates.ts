/** `npm run template-diff -- <old cdk.out> <new cdk.out>`: prints what would be deployed differently. */
import { Problem } from "./problem.js";
import { readAssembly, templateReport } from "./template-diff.js";

const [old, next] = process.argv.slice(2);
if (old === undefined || next === undefined) {
  console.error("Give the folder of the older synthesized templates and the one of the newer.");
  process.exitCode = 2;
} else {
  try {
    process.stdout.write(templateReport(readAssembly(old), readAssembly(next)));
  } catch (error) {
    if (!(error instanceof Problem)) {
      throw error;
    }
    console.error(error.message);
    process.exitCode = 1;
  }
}
