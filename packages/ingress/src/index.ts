export { ingressCommand } from './command.ts';
export { connectCommand } from './stdio/command.ts';
export { ingressSettings, type IngressOptions } from './options.ts';
export { IngressAgent, type IngressDeps } from './agent.ts';
export { runIngress } from './run.ts';
