/** The project at a stage, for the commands. */
import { contractOf, type Service } from "../app.js";
import { type Contract, loadContract } from "../contract.js";
import { Names } from "../names.js";
import { chooseStage, type Stage } from "../stage.js";

export interface Project {
  readonly contract: Contract;
  readonly stage: Stage;
  readonly names: Names;
}

/** @param architecture when it is not the stage's own @throws Problem */
export function projectAt(service: Service, stageName: string, architecture?: string): Project {
  const stage = chooseStage(service.stages, stageName, architecture);
  const contract = loadContract(contractOf(service));
  return { contract, stage, names: new Names(contract, stage) };
}
