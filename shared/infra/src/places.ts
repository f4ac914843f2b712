/** Where this package is, and the CDK's command line beside it. The places of a service are stated by its `app.ts`. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** The package's own folder, relative to this file after the build. */
export const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));
/** The CDK's command line, a program for Node.js. */
export const CDK = createRequire(import.meta.url).resolve("aws-cdk/bin/cdk");
