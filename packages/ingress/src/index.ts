export { ingressCommand } from './command.ts';
export { connectCommand } from './stdio/command.ts';
export { stdioFlags } from './stdio/options.ts';
export type { IngressOptions } from './options.ts';
export { ingressSettings } from './options/settings.ts';
export { IngressAgent, type IngressDeps } from './agent.ts';
export { runIngress } from './run.ts';
