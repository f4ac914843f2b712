/** What a service's `infra/` is written with. `run` is all that most need; the rest is for an app of one's own. */
export { FLAGS, type Service, synthesize } from "./app.js";
export { type Contract, loadContract } from "./contract.js";
export { DataStack } from "./data-stack.js";
export { EdgeStack } from "./edge-stack.js";
export { FirewallStack } from "./firewall-stack.js";
export { OperationsStack } from "./operations-stack.js";
export { Problem } from "./problem.js";
export { run } from "./run.js";
export { ServiceStack } from "./service-stack.js";
export { addService, type ServiceStacks, type Surroundings } from "./service.js";
export { type Architecture, chooseStage, type Stage, type StageConfig, type Stages } from "./stage.js";
