/**
 * What every front end that is asked for a destination owes its clients, whatever it speaks: not a byte lost or told too early, half-closes and
 * resets as themselves, and a no in its own words. Each front end's test calls this with the dialects that it speaks.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import type { IngressOptions } from '@adit/ingress';
import { certificates } from '../support/certificates.ts';
import { testEgress, type TestEgress } from '../support/in-process.ts';
import { testIngress, type TestIngress } from '../support/in-process-ingress.ts';
import { within } from '../support/scope.ts';
import { client, closedPort, echo, hashing, service, type Received } from '../support/services.ts';

/** One way to ask. Bytes are given as latin1 text. */
export interface Dialect {
  readonly name: string;
  /** As the egress is told. */
  readonly frontEnd: string;
  /** All that the client says, at once, to be connected to a port of 127.0.0.1. */
  request(port: number): string;
  /** All that it hears before the service's bytes. */
  readonly accepted: string;
  /** What it hears instead, all of it. */
  refused(why: 'denied' | 'closed' | 'unreachable'): string | RegExp;
}

export const listenAnywhere = [{ listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, spec: '0' }] as const;

export function frontEndContract(options: Partial<IngressOptions>, dialects: readonly Dialect[]): void {
  const start = (egress: Pick<TestEgress, 'port' | 'certs'>, more: Partial<IngressOptions> = {}): Promise<TestIngress> => testIngress(egress, egress.certs.client('alice'), { to: '127.0.0.1:1', forwards: [], ...options, ...more });

  describe.each(dialects)('$name', (dialect) => {
    const ask = (port: number): Buffer => Buffer.from(dialect.request(port), 'latin1');

    test('bytes sent with the request, and the end with them, reach the service in order; its answer follows the yes', async () => {
      const ingress = await start(await testEgress());
      const { socket, received } = await client(ingress.port);
      const bytes = randomBytes(200_000);
      socket.end(Buffer.concat([ask((await hashing()).port), bytes]));
      expect(afterYes(dialect, (await within(30_000, 'the answer', received)).bytes).toString()).toBe(`200000 ${createHash('sha256').update(bytes).digest('hex')}`);
    });

    test('a request that comes byte by byte is the same request', async () => {
      const ingress = await start(await testEgress());
      const { socket, received } = await client(ingress.port);
      socket.setNoDelay(true);
      for (const byte of ask((await echo()).port)) {
        socket.write(Uint8Array.of(byte));
        await new Promise(setImmediate);
      }
      socket.end('hello');
      expect(afterYes(dialect, (await within(30_000, 'the answer', received)).bytes).toString()).toBe('hello');
    });

    test('each half ends by itself', async () => {
      const ingress = await start(await testEgress());
      let said: (() => void) | undefined;
      const heard: Promise<string>[] = [];
      const polite = await service((socket) => {
        heard.push(once(socket.on('data', () => {}), 'end').then(() => 'end'));
        socket.end('goodbye');
        said?.();
      });
      const saying = new Promise<void>((resolve) => { said = resolve; });
      const { socket, received } = await client(ingress.port);
      socket.write(ask(polite.port));
      await within(30_000, 'the service', saying);
      const { bytes, ending } = await within(30_000, 'the end of the service', received);
      expect([afterYes(dialect, bytes).toString(), ending]).toEqual(['goodbye', 'end']);
      socket.end('still here');
      expect(await within(30_000, 'the end of the client', heard[0]!)).toBe('end');
    });

    test('10 MiB come back as they were sent', async () => {
      const ingress = await start(await testEgress());
      const bytes = randomBytes(10 << 20);
      const { socket, received } = await client(ingress.port);
      socket.write(ask((await echo()).port));
      socket.end(bytes);
      const back = afterYes(dialect, (await within(60_000, 'the bytes', received)).bytes);
      expect(createHash('sha256').update(back).digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
    });

    test('a reset of the service is a reset of the client', async () => {
      const ingress = await start(await testEgress());
      const resetting = await service((socket) => { socket.once('data', () => { socket.resetAndDestroy(); }); });
      const { socket, received } = await client(ingress.port);
      socket.write(Buffer.concat([ask(resetting.port), Buffer.from('x')]));
      expect(await within(30_000, 'the reset', received)).toMatchObject({ ending: 'reset' });
    });

    test('a destination that is denied, and one where nothing listens, are refused in its own words, whatever the client has sent', async () => {
      const egress = await testEgress();
      const ingress = await start(egress);
      const closed = await closedPort();
      const { socket, received } = await client(ingress.port);
      socket.write(Buffer.concat([ask(closed), randomBytes(100_000)]));
      expectWords(await within(30_000, 'the refusal', received), dialect.refused('closed'));
      expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({ code: 'CONNECTION_REFUSED', destination: `127.0.0.1:${closed}` });

      const strict = await testEgress({ policy: 'version: 1\nrules:\n  - name: none\n    identities: ["*"]\n    allow: ["db.internal:5432"]\n' });
      const denied = await client((await start(strict)).port);
      denied.socket.write(ask((await echo()).port));
      expectWords(await within(30_000, 'the denial', denied.received), dialect.refused('denied'));
    });

    test('where the egress is away the client is told so when its time is up', async () => {
      const ingress = await start({ port: await closedPort(), certs: certificates() }, { connectTimeoutMs: 100 });
      const { socket, received } = await client(ingress.port);
      socket.write(ask(1));
      expectWords(await within(30_000, 'the refusal', received), dialect.refused('unreachable'));
    });

    test('a client that leaves at any byte of its request leaves nothing behind', async () => {
      const egress = await testEgress();
      const ingress = await start(egress);
      const whole = ask((await echo()).port);
      for (let length = 0; length <= whole.length; length += Math.ceil(whole.length / 12)) {
        for (const leave of ['resetAndDestroy', 'end'] as const) {
          const { socket } = await client(ingress.port);
          socket.on('error', () => {});
          socket.resume();
          if (length > 0) await new Promise((resolve) => { socket.write(whole.subarray(0, length), resolve); });
          socket[leave]();
        }
      }
      await within(60_000, 'the drain', ingress.agent.drain(new AbortController().signal));
    });

    test('the egress learns which front end it was', async () => {
      const egress = await testEgress();
      const ingress = await start(egress);
      const at = await echo();
      const { socket, received } = await client(ingress.port);
      socket.end(ask(at.port));
      await within(30_000, 'the end', received);
      expect(await egress.recorded((record) => record.requested === at.at)).toMatchObject({ end: 'finished', frontEnd: dialect.frontEnd });
    });
  });
}

/** The connection ended in order, after exactly these words. */
function expectWords({ bytes, ending }: Received, words: string | RegExp): void {
  expect(ending).toBe('end');
  if (typeof words === 'string') expect(bytes.toString('latin1')).toBe(words);
  else expect(bytes.toString('latin1')).toMatch(words);
}

/** What follows the yes; fails where there was none. */
function afterYes({ accepted }: Dialect, bytes: Buffer): Buffer {
  const yes = bytes.subarray(0, accepted.length).toString('latin1');
  if (yes !== accepted) throw new Error(`no yes but ${JSON.stringify(bytes.subarray(0, 200).toString('latin1'))}`);
  return bytes.subarray(accepted.length);
}
