/** Connections to an egress that prove nothing, from a process of their own. */
import { join } from 'node:path';
import { Child } from './child.ts';

/** How far each gets before it falls silent; `handshake` is a whole one, without a certificate. */
export const strangerSteps = ['nothing', 'byte', 'hello', 'handshake'] as const;

export interface StrangersOptions {
  readonly how: (typeof strangerSteps)[number];
  readonly port: number;
  readonly count: number;
  /** The address that they come from, in 127.0.0.0/8. */
  readonly from: string;
}

/** Starts them, and waits until all have connected once. They come back when they are cut, until `stop`. */
export async function strangers({ how, port, count, from }: StrangersOptions): Promise<Child> {
  const program = join(import.meta.dirname, 'strangers-program.ts');
  const child = new Child(process.execPath, [program, how, String(port), String(count), from], {
    name: `strangers ${how}`,
  });
  await child.line(/all have come/);
  return child;
}
