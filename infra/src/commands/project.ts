/** The project at a stage, for the commands. */
import { stages } from "../../stages.js";
import { type Contract, loadContract } from "../contract.js";
import { Names } from "../names.js";
import { CONTRACT } from "../places.js";
import { chooseStage, type Stage } from "../stage.js";

export interface Project {
  readonly contract: Contract;
  readonly stage: Stage;
  readonly names: Names;
}

/** @param architecture when it is not the stage's own @throws Problem */
export function projectAt(stageName: string, architecture?: string): Project {
  const stage = chooseStage(stages, stageName, architecture);
  const contract = loadContract(CONTRACT);
  return { contract, stage, names: new Names(contract, stage) };
}
