/** The gateways: one function for each style that spans procedures. They may invoke procedures, and nothing else. */
import { ArnFormat, NestedStack, Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { addFunction, addIntegration, addRoutes } from "./built-function.js";
import type { Contract, Gateway } from "./contract.js";
import { gatewayEnvironment } from "./environment.js";
import { isEverywhere } from "./layout.js";
import { functionOf, type Names } from "./names.js";
import type { ApiHandle } from "./routes.js";
import { SERVICE_TAG, STAGE_TAG, type StageConfig } from "./stage.js";

export interface GatewaysProps {
  readonly names: Names;
  readonly config: StageConfig;
  readonly contract: Contract;
  readonly stage: string;
  readonly binaries: string;
  /** The service's address, if it is known. */
  readonly url: string | undefined;
  readonly apis: readonly ApiHandle[];
}

/**
 * The longest policy of a role, in characters without white space
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html), less its other statements.
 */
const MAX_POLICY_CHARACTERS = 10_240 - 1_240;
/** The longest prefix of a function's ARN. */
const LONGEST_ARN = "arn:aws-us-gov:lambda:ap-southeast-1:111122223333:function:";

export class GatewaysStack extends NestedStack {
  constructor(scope: Construct, props: GatewaysProps) {
    super(scope, "Gateways", { description: "What spans procedures" });
    for (const gateway of props.contract.gateways) {
      new GatewayFunction(this, gateway, props);
    }
  }
}

class GatewayFunction extends Construct {
  constructor(scope: Construct, gateway: Gateway, props: GatewaysProps) {
    super(scope, gateway.name);
    const { functionArn } = addFunction(this, {
      ...props,
      ...gateway,
      ...functionOf(gateway),
      what: `gateway ${gateway.name}`,
      reservedConcurrency: undefined,
      variables: gatewayEnvironment(gateway, props),
      statements: invokeStatements(this, gateway, props),
    });
    for (const [at, api] of props.apis.entries()) {
      const paths = gateway.paths.filter((path) => at === 0 || isEverywhere(path));
      if (paths.length > 0) {
        const integration = addIntegration(this, `Integration${at}`, api, functionArn, gateway);
        for (const path of paths) {
          addRoutes(this, { id: `${at}${path}`, api, routes: [{ key: `ANY ${path}`, path }], functionArn }, integration);
        }
      }
    }
  }
}

/**
 * The functions that a gateway may invoke: each by its name, as long as a policy has room for them. A larger service
 * names them by their domain: no gateway is in a domain, and the tags exclude other services and stages.
 */
function invokeStatements(scope: Construct, { invokes }: Gateway, { names, contract, stage }: GatewaysProps): PolicyStatement[] {
  if (invokes.length === 0) {
    return [];
  }
  const arn = (resourceName: string): string =>
    Stack.of(scope).formatArn({ service: "lambda", resource: "function", resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
  const invoked = contract.procedures.filter(({ name }) => invokes.includes(name));
  const exact = invoked.map((procedure) => names.function(procedure));
  const actions = ["lambda:InvokeFunction"];
  if (exact.reduce((sum, name) => sum + LONGEST_ARN.length + name.length + '"",'.length, 0) <= MAX_POLICY_CHARACTERS) {
    return [new PolicyStatement({ actions, resources: exact.map(arn) })];
  }
  const domains = [...new Set(invoked.map(({ domain }) => domain))];
  return [
    new PolicyStatement({
      actions,
      resources: domains.map((domain) => arn(names.functionsOf(domain))),
      conditions: { StringEquals: { [`aws:ResourceTag/${SERVICE_TAG}`]: contract.service, [`aws:ResourceTag/${STAGE_TAG}`]: stage } },
    }),
  ];
}
