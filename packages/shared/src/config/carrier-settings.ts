/**
 * The settings of carriers that ingress and egress share.
 */
import type { Settings } from './setting.ts';
import { parseCongestion } from './values/congestion.ts';

export const carrierSettings = {
  congestion: {
    name: 'congestion',
    argument: 'NAME',
    fallback: 'auto',
    parse: parseCongestion,
    help:
      'congestion control of the TCP connections between ingress and egress: bbr, cubic, or another name that this ' +
      'kernel has; or auto: bbr where the kernel allows it, else its default',
  },
} as const satisfies Settings;
