/** Small functions of the infrastructure itself: a few lines of JavaScript in the template, without a build. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { PolicyDocument, type PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, Code, Function, Runtime, Tracing } from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { runtimeStatements } from "./built-function.js";
import type { Names } from "./names.js";
import { PACKAGE } from "./places.js";
import type { StageConfig } from "./stage.js";

export interface SmallFunctionProps {
  /** The file in `handlers/`, without its ending. */
  readonly source: string;
  readonly names: Names;
  readonly config: StageConfig;
  readonly environment: Record<string, string>;
  readonly statements: readonly PolicyStatement[];
}

export class SmallFunction extends Construct {
  readonly function: Function;

  constructor(scope: Construct, id: string, props: SmallFunctionProps) {
    super(scope, id);
    const { config } = props;
    // A procedure's name has a dot, and a gateway's begins with its kind, so that these names never collide.
    const logGroupName = props.names.logGroup(props.source);
    const logGroup = new LogGroup(this, "Logs", {
      logGroupName,
      retention: config.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const statements = [...props.statements, ...runtimeStatements(this, logGroupName, config.tracing)];
    const role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      inlinePolicies: { Grants: new PolicyDocument({ statements }) },
    });
    this.function = new Function(this, "Function", {
      runtime: Runtime.NODEJS_24_X,
      architecture: config.architecture === "arm64" ? Architecture.ARM_64 : Architecture.X86_64,
      handler: "index.handler",
      code: Code.fromInline(handlerSource(props.source)),
      memorySize: 128,
      timeout: Duration.seconds(5),
      environment: props.environment,
      role: role.withoutPolicyUpdates(),
      logGroup,
      tracing: config.tracing ? Tracing.ACTIVE : Tracing.DISABLED,
    });
  }
}

/** The text of a file in `handlers/`, without comment lines: a template takes 4,096 characters at most. */
export function handlerSource(name: string): string {
  return readFileSync(join(PACKAGE, `handlers/${name}.js`), "utf8").replace(/^\s*(\/\/|\/\*\*).*\n/gm, "");
}
