/**
 * The CDK app. Context:
 *
 * - `stage`: `dev`, `pr-N` or `prod`
 * - `architecture`: `arm64` or `x86_64`, when it is not the stage's own
 * - `contract`: the path of the contract
 * - `binaries`: the folder with the built functions
 * - `secretVersions`: which versions of secrets there are: `NAME=VERSION`, with commas
 * - `url`: where the service is, when neither the stage nor its HTTP API says so
 * - `account`, `region`: where it is deployed, and nowhere else; wherever the credentials belong when they are not given
 */
import { resolve } from "node:path";
import { App } from "aws-cdk-lib";
import { stages } from "../stages.js";
import { loadContract } from "./contract.js";
import { BINARIES, CONTRACT } from "./places.js";
import { Problem } from "./problem.js";
import { parseVersions } from "./secret-versions.js";
import { addService } from "./service.js";
import { chooseStage } from "./stage.js";

function main(): void {
  const app = new App();
  const text = (name: string): string | undefined => {
    const given: unknown = app.node.tryGetContext(name);
    return typeof given === "string" ? given : undefined;
  };
  const path = (name: string, otherwise: string): string => resolve(text(name) ?? otherwise);
  const stage = chooseStage(stages, app.node.tryGetContext("stage"), app.node.tryGetContext("architecture"));
  const contract = loadContract(path("contract", CONTRACT));
  const [account, region] = [text("account"), text("region")];
  addService(app, contract, stage, {
    binaries: path("binaries", BINARIES),
    url: text("url"),
    secretVersions: parseVersions(text("secretVersions") ?? ""),
    env: account === undefined || region === undefined ? undefined : { account, region },
  });
  app.synth();
}

try {
  main();
} catch (error) {
  if (!(error instanceof Problem)) {
    throw error;
  }
  console.error(error.message);
  process.exitCode = 1;
}
