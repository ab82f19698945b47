export { ingressCommand } from './command.ts';
export { ingressSettings, type IngressOptions } from './options.ts';
