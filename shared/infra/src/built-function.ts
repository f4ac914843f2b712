/** A function that cargo-lambda built, with its log group, its role, and its routes. */
import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { CfnIntegration, CfnRoute } from "aws-cdk-lib/aws-apigatewayv2";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, CfnPermission, Code, Function, Runtime, Tracing } from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { assetOf } from "./bootstraps.js";
import type { Contract } from "./contract.js";
import { logGroupArn, type Names } from "./names.js";
import { type ApiHandle, type Route, routeAuthorization } from "./routes.js";
import type { StageConfig } from "./stage.js";

/** The longest time, in milliseconds, that an HTTP API waits for a function. */
const MAX_INTEGRATION_MS = 30_000;

export interface BuiltFunctionProps {
  readonly names: Names;
  readonly config: StageConfig;
  /** The folder with `<program>/bootstrap`. */
  readonly binaries: string;
  /** What the programs' names begin with. */
  readonly contract: Pick<Contract, "programPrefix">;
  /** `orders.markPaid`, or `gateway-graphql`. */
  readonly name: string;
  /** The name of its program, without the prefix: `orders-mark-paid`. */
  readonly function: string;
  /** Its description, in two words. */
  readonly what: string;
  readonly memoryMb: number;
  readonly timeoutMs: number;
  readonly reservedConcurrency: number | undefined;
  readonly variables: Record<string, string>;
  /** Its rights, besides writing its log. */
  readonly statements: readonly PolicyStatement[];
}

/** Adds three resources: a function, its role and its log group. */
export function addFunction(scope: Construct, props: BuiltFunctionProps): Function {
  const { names, config, name, what } = props;
  const logGroup = new LogGroup(scope, "Logs", {
    logGroupName: names.logGroup(name),
    retention: config.logRetentionDays,
    // A retained log group would block the function's name when it comes back.
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const statements = [...props.statements, ...runtimeStatements(scope, names.logGroup(name), config.tracing)];
  const role = new Role(scope, "Role", {
    assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
    description: `What the ${what} may do`,
    inlinePolicies: { Grants: new PolicyDocument({ statements }) },
  });
  const reserved = config.reservedConcurrency === false ? undefined : props.reservedConcurrency;
  return new Function(scope, "Function", {
    functionName: names.function(props),
    description: `${what.slice(0, 1).toUpperCase()}${what.slice(1)}`,
    runtime: Runtime.PROVIDED_AL2023,
    architecture: config.architecture === "arm64" ? Architecture.ARM_64 : Architecture.X86_64,
    handler: "bootstrap",
    code: Code.fromAsset(assetOf(props.binaries, props.contract, props)),
    memorySize: props.memoryMb,
    timeout: lambdaTimeout(props),
    environment: props.variables,
    // No other construct may add a right that the contract does not have.
    role: role.withoutPolicyUpdates(),
    logGroup,
    tracing: config.tracing ? Tracing.ACTIVE : Tracing.DISABLED,
    ...(reserved === undefined ? {} : { reservedConcurrentExecutions: reserved }),
  });
}

/** A route to a function, with an existing or a new integration. */
interface RouteProps {
  /** The prefix of the resources' names. */
  readonly id: string;
  readonly api: ApiHandle;
  /** All routes of one path. */
  readonly routes: readonly Route[];
  readonly functionArn: string;
}

export function addIntegration(scope: Construct, id: string, api: ApiHandle, functionArn: string, of: { readonly timeoutMs: number }): CfnIntegration {
  return new CfnIntegration(scope, id, {
    apiId: api.apiId,
    integrationType: "AWS_PROXY",
    integrationUri: functionArn,
    payloadFormatVersion: "2.0",
    timeoutInMillis: Math.min(lambdaTimeout(of).toMilliseconds(), MAX_INTEGRATION_MS),
  });
}

/** Adds two resources: the route, and the permission of its HTTP API to invoke the function; another route for each further method of the same path. */
export function addRoutes(scope: Construct, { id, api, routes, functionArn }: RouteProps, integration: CfnIntegration): void {
  const [route] = routes;
  if (route === undefined) {
    return;
  }
  for (const [at, { key }] of routes.entries()) {
    new CfnRoute(scope, `${id}Route${at === 0 ? "" : at}`, {
      apiId: api.apiId,
      routeKey: key,
      target: `integrations/${integration.ref}`,
      ...routeAuthorization(api),
    });
  }
  new CfnPermission(scope, `${id}Permission`, {
    action: "lambda:InvokeFunction",
    functionName: functionArn,
    principal: "apigateway.amazonaws.com",
    sourceArn: Stack.of(scope).formatArn({
      service: "execute-api",
      resource: api.apiId,
      // A path parameter is asked for by its name or by its value.
      resourceName: `*/*${route.path.replaceAll(/\{\w+\+?\}/g, "*")}`,
    }),
  });
}

/** A second more than the function's own limit, so that the function itself answers the timeout. */
function lambdaTimeout({ timeoutMs }: { readonly timeoutMs: number }): Duration {
  return Duration.seconds(Math.ceil(timeoutMs / 1000) + 1);
}

/** The rights to write the function's log, and traces. X-Ray has no resource names. */
export function runtimeStatements(scope: Construct, logGroupName: string, tracing: boolean): PolicyStatement[] {
  const logs = new PolicyStatement({
    actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
    resources: [logGroupArn(scope, logGroupName)],
  });
  const traces = new PolicyStatement({
    actions: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    resources: ["*"],
  });
  return tracing ? [logs, traces] : [logs];
}
