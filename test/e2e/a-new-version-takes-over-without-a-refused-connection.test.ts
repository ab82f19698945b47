import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { builtProgram, openPolicy, startEgress, startIngress } from '../support/adit.ts';
import { egressArguments, sessionArguments } from '../support/arguments.ts';
import { certificates } from '../support/certificates.ts';
import { chaos } from '../support/chaos.ts';
import { converse } from '../support/conversation.ts';
import { olderAdit } from '../support/older-version.ts';
import { scenario } from '../support/scenario.ts';
import { eventually } from '../support/scope.ts';
import { ask, echo } from '../support/services.ts';
import { SocketHolder } from '../support/socket-holder.ts';

const files = certificates();
const { cert, key } = files.client('alice');
/** Building the older version takes a while on a machine that has not. */
const timeoutMs = 300_000;
const drain = ['--log-format', 'json', '--drain-timeout', '60s'];

/**
 * Asks again and again, `atOnce` at a time, one connection each; the first that fails ends it, and fails `more` and
 * `stop`, unless it is `excused`.
 */
function asking(
  port: number,
  {
    excused = async () => false,
    atOnce = 1,
  }: { readonly excused?: () => Promise<boolean>; readonly atOnce?: number } = {},
): { more(count: number): Promise<void>; stop(): Promise<number> } {
  let [answered, stopped] = [0, false];
  const one = async (): Promise<void> => {
    while (!stopped)
      try {
        const text = `number ${answered}`;
        expect(await ask(port, text)).toBe(text);
        answered++;
      } catch (error) {
        if (!(await excused())) throw error;
      }
  };
  const run = Promise.all(Array.from({ length: atOnce }, one)).then(() => answered);
  run.catch(() => {}); // awaited by `more` and `stop`
  return {
    more: async (count) => {
      const enough = answered + count;
      await Promise.race([run, eventually(`${count} more answers`, () => answered >= enough)]);
    },
    stop: () => {
      stopped = true;
      return run;
    },
  };
}

/** A version that refuses what is on its way while it says that it drains: one stream, with that reason. */
const older = { name: 'an older one', program: olderAdit, refuses: 1, atOnce: 1, delayMs: 0 };
/** On a path so long that some of many connections always cross the announcement. */
const thisVersion = { name: 'one of this version', program: () => builtProgram(), refuses: 0, atOnce: 16, delayMs: 50 };

for (const { name, program, refuses, atOnce, delayMs } of [older, thisVersion])
  scenario(
    `an egress of this version takes over the socket of ${name} while connections come and one stays open`,
    ['python3', 'git', 'tar'],
    async () => {
      const holder = await SocketHolder.open('adit');
      const policy = join(files.folder, 'takeover.yaml');
      writeFileSync(policy, openPolicy);
      const args = ['egress', ...egressArguments(files, policy, 'systemd:adit'), ...drain];
      const old = await holder.start([process.execPath, program(), ...args]);
      const ingress = await startIngress({
        certificates: files,
        egressPort: delayMs > 0 ? (await chaos(holder.port, { delayMs })).port : holder.port,
        to: { echo: (await echo()).at },
      });
      const port = ingress.ports['echo']!;
      const open = await converse(port, 'on the old one');
      let crossed = 0;
      const excused = async (): Promise<boolean> => {
        if (crossed >= refuses) return false;
        crossed++;
        await ingress.process.event('refused', { code: 'DRAINING' }, { nth: crossed });
        return true;
      };
      const asked = asking(port, { excused, atOnce });
      await asked.more(50);

      await holder.start([process.execPath, builtProgram(), ...args]);
      await holder.line(/"event":"listening"/, 2);
      process.kill(old, 'SIGTERM');
      await ingress.process.event('draining');
      await ingress.process.event('connected', {}, { nth: 2 });
      await asked.more(50);

      await open.echoes('still on the old one');
      open.socket.end();
      await open.received;
      await holder.ended(1);
      expect(await asked.stop()).toBeGreaterThan(50);
      expect(ingress.process.all('refused')).toHaveLength(crossed);
      await holder.finish();
    },
    timeoutMs,
  );

scenario(
  'an ingress of this version takes over the socket of an older one while clients connect and one stays',
  ['python3', 'git', 'tar'],
  async () => {
    const egress = await startEgress({ certificates: files });
    const holder = await SocketHolder.open('web');
    const to = (await echo()).at;
    const args = [
      'ingress',
      '-L',
      `systemd:web:${to}`,
      ...sessionArguments(files, { cert, key }, egress.port),
      ...drain,
    ];
    const old = await holder.start([process.execPath, olderAdit(), ...args]);
    const open = await converse(holder.port, 'on the old one');
    const asked = asking(holder.port);

    await holder.start([process.execPath, builtProgram(), ...args]);
    await holder.line(/"event":"connected"/, 2);
    process.kill(old, 'SIGTERM');
    await holder.line(/"event":"draining"/);
    await asked.more(50);

    await open.echoes('still on the old one');
    open.socket.end();
    await open.received;
    await holder.ended(1);
    expect(await asked.stop()).toBeGreaterThan(50);
    await holder.finish();
    expect(holder.lines.filter((line) => line.includes('"event":"refused"'))).toEqual([]);
  },
  timeoutMs,
);
