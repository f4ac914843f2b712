/** One procedure: its function, role, log group, and routes. */
import { Construct } from "constructs";
import { addFunction, addIntegration, addRoutes } from "./built-function.js";
import type { Contract, Procedure } from "./contract.js";
import { type EnvironmentSources, functionEnvironment } from "./environment.js";
import { dataStatements, type TableArns } from "./grants.js";
import type { ApiHandle, ProcedureRoutes } from "./routes.js";

/** What all procedures of a service share. */
export interface ProcedureSurroundings extends EnvironmentSources {
  readonly tableArns: TableArns;
  /** The folder with `<program>/bootstrap` for each procedure. */
  readonly binaries: string;
  /** What the programs' names begin with. */
  readonly contract: Pick<Contract, "programPrefix">;
  /** The routes by the procedure's name. */
  readonly routes: ReadonlyMap<string, ProcedureRoutes>;
}

/** The HTTP APIs that have a procedure's routes. */
export interface ProcedureApis {
  readonly own: ApiHandle;
  /** The API of the REST route, if there is one. */
  readonly rest: ApiHandle;
}

/** Six resources, three more for a REST route at another HTTP API, else two; and one more for HEAD. `layout.ts` relies on it. */
export class ProcedureFunction extends Construct {
  constructor(scope: Construct, procedure: Procedure, apis: ProcedureApis, shared: ProcedureSurroundings) {
    super(scope, procedure.name);
    const routes = shared.routes.get(procedure.name);
    if (routes === undefined) {
      throw new RangeError(`${procedure.name} has no route`);
    }
    const environment = functionEnvironment(this, procedure, shared, routes);
    const { functionArn } = addFunction(this, {
      ...shared,
      ...procedure,
      what: `procedure ${procedure.name}`,
      variables: environment.variables,
      statements: [...dataStatements(procedure, shared.tableArns), ...environment.statements],
    });
    const integration = addIntegration(this, "Integration", apis.own, functionArn, procedure);
    addRoutes(this, { id: "", api: apis.own, routes: routes.own, functionArn }, integration);
    if (routes.rest.length > 0) {
      const isSame = apis.rest.apiId === apis.own.apiId;
      const restIntegration = isSame ? integration : addIntegration(this, "RestIntegration", apis.rest, functionArn, procedure);
      addRoutes(this, { id: "Rest", api: apis.rest, routes: routes.rest, functionArn }, restIntegration);
    }
  }
}
