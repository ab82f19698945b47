export { egressCommand } from './command.ts';
export { egressSettings, type EgressOptions } from './options.ts';
export { describePolicy, explain } from './policy/explain.ts';
export { Policy } from './policy/policy.ts';
export { loadPolicy, PolicyFile } from './policy/reload.ts';
export { parseSubjects } from './policy/subjects.ts';
export type { Subject } from './policy/verdict.ts';
export { EgressServer, type EgressDeps } from './server.ts';
export { runEgress } from './run.ts';
