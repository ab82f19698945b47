/**
 * Scenarios of sessions through a program that ends TLS before the egress: the same for every such program.
 */
import { expect } from '@jest/globals';
import { type Behind, type BehindOptions, behind } from './intermediary.ts';
import { survivesThreeKills } from './kills.ts';
import { scenario } from './scenario.ts';
import { within } from './scope.ts';
import { hashingAnswer } from './sha256.ts';
import { ask, client, echo, hashing, resetting, service } from './services.ts';

/** `remote` is the client address that the egress records; the laptop has 127.0.0.77. */
export interface Through extends Pick<BehindOptions, 'start' | 'egressFlags'> {
  readonly remote: RegExp;
}

const megabytes = 24;

export function sessionsThrough(program: string, { remote, ...options }: Through): void {
  const open = async (to: Readonly<Record<string, string>>): Promise<Behind> =>
    behind({ ...options, from: '127.0.0.77', to });

  scenario('the session is made by a handshake inside the WebSocket, and both logs say so', [program], async () => {
    const echoes = await echo();
    const { egress, ingress, port } = await open({ echo: echoes.at });
    expect(await ingress.process.event('connected')).toMatchObject({
      carrier: 'websocket+tls',
      intermediary: expect.stringContaining('A public CA'),
    });
    expect(await egress.process.event('connected')).toMatchObject({
      carrier: 'websocket+tls',
      identity: 'spiffe://example.org/client/alice',
      remote: expect.stringMatching(remote),
    });
    expect(await ask(port('echo'), 'hello')).toBe('hello');
  });

  scenario('half-close and reset cross it as themselves', [program], async () => {
    const hashes = await hashing();
    const resets = await resetting();
    const speaksFirst = await service((socket) => {
      socket.end('220 ready\r\n');
      socket.resume();
    });
    const { port } = await open({ hashes: hashes.at, resets: resets.at, first: speaksFirst.at });
    expect(await ask(port('hashes'), 'half')).toBe(hashingAnswer('half'));
    expect(await ask(port('first'), '')).toBe('220 ready\r\n');
    const { socket, received } = await client(port('resets'));
    socket.write('x');
    expect((await within(30_000, 'the reset', received)).ending).toBe('reset');
  });

  scenario(
    `${megabytes} MiB go up while the connection is killed three times, and every byte arrives once`,
    [program],
    async () => {
      const hashes = await hashing();
      const echoes = await echo();
      const { egress, ingress, network } = await open({ hashes: hashes.at, echo: echoes.at });
      await survivesThreeKills({ ingress, network }, { megabytes, hashWithinMs: 60_000 });
      await egress.process.event('connected', {}, { nth: 4 });
      expect(egress.process.all('connected').map(({ carrier, resumed }) => [carrier, resumed])).toEqual(
        [false, true, true, true].map((resumed) => ['websocket+tls', resumed]),
      );
    },
    120_000,
  );
}
