/**
 * The CDK app of a service. Context:
 *
 * - `stage`: `dev`, `pr-N` or `prod`
 * - `architecture`: `arm64` or `x86_64`, when it is not the stage's own
 * - `contract`: the path of another contract
 * - `binaries`: the folder with the built functions
 * - `secretVersions`: which versions of secrets there are: `NAME=VERSION`, with commas
 * - `url`: where the service is, when neither the stage nor its HTTP API says so
 * - `account`, `region`: where it is deployed, and nowhere else; wherever the credentials belong when they are not given
 */
import { resolve } from "node:path";
import { App, type Stack } from "aws-cdk-lib";
import { loadContract } from "./contract.js";
import { parseVersions } from "./secret-versions.js";
import { addService, type ServiceStacks } from "./service.js";
import { chooseStage, type Stages } from "./stage.js";

/** A service, as its `app.ts` states it. Paths are relative to the working directory, which is the folder of `cdk.json`. */
export interface Service {
  /** The path of its contract. `ONEFOLD_CONTRACT` in the environment names that of another service of the workspace. */
  readonly contract: string;
  /** The folder of its Cargo workspace, in which the functions are built. */
  readonly workspace: string;
  readonly stages: Stages;
  /**
   * Adds what the service has beside its procedures, such as a bucket, to a stack for that: it is deployed last, compared
   * and removed like the others. What outlives deployments, or belongs together, may be added to one of the other stacks.
   */
  readonly extend?: (own: Stack, stacks: ServiceStacks) => void;
}

/** The CDK's feature flags that the templates are made with. A service's `cdk.json` may state others. */
export const FLAGS: Readonly<Record<string, unknown>> = {
  "@aws-cdk/core:checkSecretUsage": true,
  "@aws-cdk/core:defaultCrossStackReferences": "strong",
  "@aws-cdk/aws-iam:minimizePolicies": true,
  "@aws-cdk/core:target-partitions": ["aws"],
};

/** The path of a service's contract. */
export function contractOf({ contract }: Pick<Service, "contract">): string {
  return resolve(process.env["ONEFOLD_CONTRACT"] ?? contract);
}

/** The folder of a service's built functions: `<program>/bootstrap`. */
export function binariesOf({ workspace }: Pick<Service, "workspace">): string {
  return resolve(workspace, "target/lambda");
}

/** Writes the templates of the stage that the context names. @throws Problem */
export function synthesize(service: Service): void {
  const app = new App({ context: FLAGS });
  const text = (name: string): string | undefined => {
    const given: unknown = app.node.tryGetContext(name);
    return typeof given === "string" ? given : undefined;
  };
  const stage = chooseStage(service.stages, app.node.tryGetContext("stage"), app.node.tryGetContext("architecture"));
  const contract = loadContract(resolve(text("contract") ?? contractOf(service)));
  const [account, region] = [text("account"), text("region")];
  addService(app, contract, stage, {
    binaries: resolve(text("binaries") ?? binariesOf(service)),
    url: text("url"),
    secretVersions: parseVersions(text("secretVersions") ?? ""),
    env: account === undefined || region === undefined ? undefined : { account, region },
    extend: service.extend,
  });
  app.synth();
}
