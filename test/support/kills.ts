/**
 * The promise of resumption, over any path between the halves that can be cut.
 */
import { once } from 'node:events';
import { expect } from '@jest/globals';
import { type Ingress, portNamed } from './adit.ts';
import type { Chaos } from './chaos.ts';
import { converse } from './conversation.ts';
import { pattern, patternHash } from './pattern.ts';
import { within } from './scope.ts';
import { ask, client } from './services.ts';

/** The ingress has the forwards `echo` and `hashes`. */
export interface Cuttable {
  readonly ingress: Ingress;
  readonly network: Chaos;
}

/**
 * An idle stream, and one that moves `megabytes` MiB and has its hash `hashWithinMs` later, live through three deaths
 * of the connection.
 */
export async function survivesThreeKills(
  { ingress, network }: Cuttable,
  { megabytes, hashWithinMs }: { readonly megabytes: number; readonly hashWithinMs: number },
): Promise<void> {
  const port = (name: string): number => portNamed(ingress, name);
  expect(await ask(port('echo'), 'hello')).toBe('hello');
  const idle = await converse(port('echo'), 'before');
  const { socket, received } = await client(port('hashes'));
  let [sent, kills] = [0, 0];
  for (const chunk of pattern(megabytes)) {
    if (!socket.write(chunk)) await within(30_000, 'room to write', once(socket, 'drain'));
    if (++sent % (megabytes / 4) !== 0 || kills === 3) continue;
    network.cut(kills++ % 2 === 0 ? 'reset' : 'end');
    await ingress.process.event('connected', { resumed: true }, { nth: kills, ms: 30_000 });
  }
  socket.end();
  expect(String((await within(hashWithinMs, 'the hash', received)).bytes)).toBe(
    `${megabytes * 2 ** 20} ${patternHash(megabytes)}`,
  );
  await idle.echoes('after');
  expect(network.kills).toBe(3);
}
