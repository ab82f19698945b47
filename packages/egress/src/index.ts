export { egressCommand } from './command.ts';
export { egressSettings, type EgressOptions } from './options.ts';
export { Policy } from './policy/policy.ts';
export { loadPolicy, PolicyFile } from './policy/reload.ts';
export { parseSubjects } from './policy/subjects.ts';
export type { Backend, Service } from './policy/service.ts';
export type { Subject, Verdict } from './policy/verdict.ts';
export { EgressServer, type EgressDeps } from './server.ts';
export { runEgress } from './run.ts';
