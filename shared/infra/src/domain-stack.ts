/** The procedures of a domain, in a nested stack because of CloudFormation's limit of 500 resources. */
import { NestedStack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { Procedure } from "./contract.js";
import type { Shard } from "./layout.js";
import { type ProcedureApis, ProcedureFunction, type ProcedureSurroundings } from "./procedure.js";

export class DomainStack extends NestedStack {
  constructor(scope: Construct, shard: Shard, apisOf: (procedure: Procedure) => ProcedureApis, shared: ProcedureSurroundings) {
    super(scope, `Domain-${shard.name}`, { description: `Procedures of ${shard.name}` });
    for (const procedure of shard.procedures) {
      new ProcedureFunction(this, procedure, apisOf(procedure), shared);
    }
  }
}
