/** Arguments of the command line, for tests that start `adit` in a way of their own. */
import type { Certificates } from './certificates.ts';

/** A certificate and a key, by their files. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** The egress that an ingress or `adit connect` dials, and the credentials it shows there. */
export function sessionArguments(
  { ca }: Pick<Certificates, 'ca'>,
  { cert, key }: Pair,
  egress: number | string = '127.0.0.1:1',
): string[] {
  const at = typeof egress === 'number' ? `127.0.0.1:${egress}` : egress;
  return ['--egress', at, '--cert', cert, '--key', key, '--ca', ca];
}

/** What an egress with a policy in this file needs; it listens on a port of the kernel's choosing, or as it is told. */
export function egressArguments(
  { ca, egress: { cert, key } }: Pick<Certificates, 'ca' | 'egress'>,
  policyFile: string,
  listen = '127.0.0.1:0',
): string[] {
  return ['--listen', listen, '--cert', cert, '--key', key, '--client-ca', ca, '--policy', policyFile];
}

/** A log that tests read, and a drain that does not keep them waiting. */
export const tested = ['--log-format', 'json', '--drain-timeout', '1s'] as const;
