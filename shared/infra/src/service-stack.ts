/** The HTTP APIs and, in nested stacks, the procedures and gateways behind them. */
import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { FrontCheck } from "./front-check.js";
import { GatewaysStack } from "./gateways-stack.js";
import { HttpFront } from "./http-front.js";
import type { Contract, Procedure } from "./contract.js";
import type { DataStack } from "./data-stack.js";
import { DomainStack } from "./domain-stack.js";
import { callers } from "./environment.js";
import type { Layout } from "./layout.js";
import type { Names } from "./names.js";
import { Problem } from "./problem.js";
import type { ProcedureApis } from "./procedure.js";
import { routesOf } from "./routes.js";
import { SmallFunction } from "./small-function.js";
import type { StageConfig } from "./stage.js";

export interface ServiceStackProps extends StackProps {
  readonly names: Names;
  readonly config: StageConfig;
  readonly contract: Contract;
  /** The stage's name. */
  readonly stage: string;
  readonly layout: Layout;
  readonly data: DataStack;
  readonly binaries: string;
  /** The service's address, if there is an edge and the address is known. */
  readonly url: string | undefined;
  readonly secretVersions: ReadonlyMap<string, string>;
}

export class ServiceStack extends Stack {
  /** The HTTP APIs, in the layout's order. */
  readonly fronts: readonly HttpFront[];
  /** None if callers use the HTTP API itself. */
  readonly frontCheck: FrontCheck | undefined;

  /** @throws Problem when callers would need several addresses. */
  constructor(scope: Construct, id: string, props: ServiceStackProps) {
    super(scope, id, props);
    const { names, config, layout, data } = props;
    if (layout.apis > 1 && config.edge === undefined) {
      throw new Problem(`${layout.apis} HTTP APIs are needed; give the stage an \`edge\`, so that callers have one address.`);
    }
    this.frontCheck = config.edge === undefined ? undefined : new FrontCheck(this, "FrontCheck", names, config);
    const unknownRoute = new SmallFunction(this, "UnknownRoute", {
      source: "unknown-route",
      names,
      config,
      environment: {},
      statements: [],
    });
    this.fronts = Array.from(
      { length: layout.apis },
      (_, at) => new HttpFront(this, at, { names, config, frontCheck: this.frontCheck, unknownRoute: unknownRoute.function }),
    );
    const url = props.url ?? (config.edge === undefined ? `https://${this.front(0).host}` : undefined);
    for (const [name, value] of Object.entries(callers(config, url))) {
      unknownRoute.function.addEnvironment(name, value);
    }
    const shared = {
      names,
      config,
      tableName: data.table.tableName,
      tableArns: { table: data.table.tableArn, indexes: data.indexArns },
      binaries: props.binaries,
      contract: props.contract,
      routes: routesOf(props.contract.procedures),
      url,
      secretVersions: props.secretVersions,
    };
    const apisOf = (procedure: Procedure): ProcedureApis => ({
      own: this.front(layout.apiOf(procedure)).handle,
      rest: this.front(layout.apiOfRest(procedure)).handle,
    });
    for (const shard of layout.shards) {
      new DomainStack(this, shard, apisOf, shared);
    }
    if (props.contract.gateways.length > 0) {
      new GatewaysStack(this, { ...props, url, apis: this.fronts.map(({ handle }) => handle) });
    }
    if (config.edge === undefined) {
      new CfnOutput(this, "Url", { value: `${url}/trpc`, description: "What clients call" });
    }
  }

  front(at: number): HttpFront {
    const front = this.fronts[at];
    if (front === undefined) {
      throw new RangeError(`there is no HTTP API ${at}`);
    }
    return front;
  }
}
