export { ingressCommand } from './command.ts';
export { ingressSettings, type IngressOptions } from './options.ts';
export { IngressAgent, type IngressDeps } from './agent.ts';
export { runIngress } from './run.ts';
