/** A service at a stage: its stacks, and the values that they pass on. */
import { type App, type Environment, Stack, type StackProps, Tags } from "aws-cdk-lib";
import { checkBootstraps } from "./bootstraps.js";
import type { Contract } from "./contract.js";
import { DataStack } from "./data-stack.js";
import { EdgeStack } from "./edge-stack.js";
import { FirewallStack } from "./firewall-stack.js";
import { layOut } from "./layout.js";
import { FIREWALL_REGION, Names } from "./names.js";
import { checkConfigs, checkSecrets } from "./needs.js";
import { OperationsStack } from "./operations-stack.js";
import { ServiceStack } from "./service-stack.js";
import { rateLimitsOf, SERVICE_TAG, STAGE_TAG, type Stage, statedUrl } from "./stage.js";

/** The inputs of a service at a stage, besides contract and stage. */
export interface Surroundings {
  /** The folder with the built functions. */
  readonly binaries: string;
  /** The service's address, if nothing else states it: CloudFront's own is not known before the distribution exists. */
  readonly url?: string | undefined;
  /** The versions of secrets, by their names at AWS, if they are known. */
  readonly secretVersions?: ReadonlyMap<string, string>;
  /** The account and region; any, if they are not stated. */
  readonly env?: Environment | undefined;
  /** Adds what the service has beside its procedures, to a stack for that or to one of the others. */
  readonly extend?: ((own: Stack, stacks: ServiceStacks) => void) | undefined;
}

/** The stacks of a service at a stage. */
export interface ServiceStacks {
  readonly stage: Stage;
  /** What each address may ask for, if there is an edge. It is in a region of its own. */
  readonly firewall: FirewallStack | undefined;
  readonly data: DataStack;
  readonly service: ServiceStack;
  /** None if callers use the HTTP API itself. */
  readonly edge: EdgeStack | undefined;
  readonly operations: OperationsStack;
}

/** @throws Problem when the contract, the stage or the built functions are not valid. */
export function addService(
  app: App,
  contract: Contract,
  stage: Stage,
  { binaries, url, secretVersions, env, extend }: Surroundings,
): ServiceStacks {
  const { config } = stage;
  const names = new Names(contract, stage);
  const layout = layOut(contract, config.layout);
  checkSecrets(contract, stage);
  checkConfigs(contract, stage);
  checkBootstraps(binaries, contract, config.architecture);
  const about = (what: string): StackProps => ({
    description: `${contract.service} ${stage.name}: ${what}`,
    ...(env === undefined ? {} : { env }),
  });

  const limits = rateLimitsOf(config);
  const at = { ...about("what each address may ask for"), env: { ...env, region: FIREWALL_REGION } };
  const firewall = limits === undefined ? undefined : new FirewallStack(app, names.stack("firewall"), { ...at, names, contract, limits });
  const data = new DataStack(app, names.stack("data"), contract.table, config, about("what is stored"));
  const service = new ServiceStack(app, names.stack("service"), {
    ...about("procedures and HTTP API"),
    names,
    config,
    contract,
    stage: stage.name,
    layout,
    data,
    binaries,
    url: statedUrl(config) ?? url,
    secretVersions: secretVersions ?? new Map(),
  });
  const edge =
    config.edge === undefined
      ? undefined
      : new EdgeStack(app, names.stack("edge"), { ...about("CloudFront and frontend"), names, config, edge: config.edge, contract, layout, service });
  const operations = new OperationsStack(app, names.stack("operations"), {
    ...about("alarms and dashboard"),
    names,
    config,
    table: data.table,
    indexes: contract.table.indexes.map((index) => index.name),
    fronts: service.fronts,
  });
  const stacks = { stage, firewall, data, service, edge, operations };
  if (extend !== undefined) {
    extend(new Stack(app, names.stack("own"), about("what the service adds")), stacks);
  }
  Tags.of(app).add(SERVICE_TAG, contract.service);
  Tags.of(app).add(STAGE_TAG, stage.name);
  return stacks;
}
