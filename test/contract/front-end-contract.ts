/**
 * What every front end that is asked for a destination owes its clients, whatever it speaks: not a byte lost or told
 * too early, half-closes and resets as themselves, and a no in its own words. Each front end's test calls this with the
 * dialects that it speaks.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import type { IngressOptions } from '@adit/ingress';
import { certificates } from '../support/certificates.ts';
import { testEgress, type TestEgress } from '../support/in-process.ts';
import { testIngress, type TestIngress } from '../support/in-process-ingress.ts';
import { within } from '../support/scope.ts';
import { client, closedPort, echo, hashing, service, type Client, type Received } from '../support/services.ts';

/** One way to ask. Bytes are given as latin1 text. */
export interface Dialect {
  readonly name: string;
  /** As the egress is told. */
  readonly frontEnd: string;
  /** All that the client says, at once, to be connected to a port of 127.0.0.1. */
  request(port: number): string;
  /** All that it hears before the service's bytes. */
  readonly accepted: string;
  /** What the service sees of the request; without it nothing. */
  readonly forwarded?: string;
  /** What the ingress is told more, where a port of 127.0.0.1 is not the client's to choose. */
  options?(port: number): Partial<IngressOptions>;
  /** A connection to the ingress on which everything was said that has to be, where that is more than bytes. */
  dial?(port: number): Promise<Client>;
  /** What it hears instead, all of it. */
  refused(why: 'denied' | 'closed' | 'unreachable'): string | RegExp;
}

export const listenAnywhere = [{ listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, spec: '0' }] as const;

export function frontEndContract(options: Partial<IngressOptions>, dialects: readonly Dialect[]): void {
  describe.each(dialects)('$name', (dialect) => {
    const forwarded = Buffer.from(dialect.forwarded ?? '', 'latin1');
    /** An ingress whose clients ask for this port. */
    const start = (
      egress: Pick<TestEgress, 'port' | 'certs'>,
      port: number,
      more: Partial<IngressOptions> = {},
    ): Promise<TestIngress> =>
      testIngress(egress, egress.certs.client('alice'), {
        to: '127.0.0.1:1',
        forwards: [],
        ...options,
        ...dialect.options?.(port),
        ...more,
      });
    const ask = (port: number): Buffer => Buffer.from(dialect.request(port), 'latin1');
    /** A client that has begun, and what it says first to be connected to this port. */
    const asking = async (ingress: TestIngress, port: number): Promise<Client & { readonly request: Buffer }> =>
      dialect.dial
        ? { ...(await dialect.dial(ingress.port)), request: Buffer.alloc(0) }
        : { ...(await client(ingress.port)), request: ask(port) };

    test('bytes and an end that are sent with the request reach the service; its answer follows the yes', async () => {
      const { port } = await hashing();
      const { socket, received, request } = await asking(await start(await testEgress(), port), port);
      const bytes = randomBytes(200_000);
      socket.end(Buffer.concat([request, bytes]));
      expect(afterYes(dialect, (await within(30_000, 'the answer', received)).bytes).toString()).toBe(
        `${200_000 + forwarded.length} ${createHash('sha256').update(forwarded).update(bytes).digest('hex')}`,
      );
    });

    test('a request that comes byte by byte is the same request', async () => {
      const { port } = await echo();
      const { socket, received, request } = await asking(await start(await testEgress(), port), port);
      socket.setNoDelay(true);
      for (const byte of request) {
        socket.write(Uint8Array.of(byte));
        await new Promise(setImmediate);
      }
      socket.end('hello');
      expect(afterYes(dialect, (await within(30_000, 'the answer', received)).bytes)).toEqual(
        Buffer.concat([forwarded, Buffer.from('hello')]),
      );
    });

    test('each half ends by itself', async () => {
      let said: (() => void) | undefined;
      const heard: Promise<string>[] = [];
      const polite = await service((socket) => {
        heard.push(
          once(
            socket.on('data', () => {}),
            'end',
          ).then(() => 'end'),
        );
        socket.end('goodbye');
        said?.();
      });
      const saying = new Promise<void>((resolve) => {
        said = resolve;
      });
      const { socket, received, request } = await asking(await start(await testEgress(), polite.port), polite.port);
      if (request.length > 0) socket.write(request);
      await within(30_000, 'the service', saying);
      const { bytes, ending } = await within(30_000, 'the end of the service', received);
      expect([afterYes(dialect, bytes).toString(), ending]).toEqual(['goodbye', 'end']);
      socket.end('still here');
      expect(await within(30_000, 'the end of the client', heard[0]!)).toBe('end');
    });

    test('10 MiB come back as they were sent', async () => {
      const { port } = await echo();
      const bytes = randomBytes(10 << 20);
      const { socket, received, request } = await asking(await start(await testEgress(), port), port);
      if (request.length > 0) socket.write(request);
      socket.end(bytes);
      const back = afterYes(dialect, (await within(60_000, 'the bytes', received)).bytes);
      expect(createHash('sha256').update(back).digest('hex')).toBe(
        createHash('sha256').update(forwarded).update(bytes).digest('hex'),
      );
    });

    test('a reset of the service is a reset of the client', async () => {
      const { port } = await service((socket) => {
        socket.once('data', () => {
          socket.resetAndDestroy();
        });
      });
      const { socket, received, request } = await asking(await start(await testEgress(), port), port);
      socket.write(Buffer.concat([request, Buffer.from('x')]));
      expect(await within(30_000, 'the reset', received)).toMatchObject({ ending: 'reset' });
    });

    test(
      'a destination that is denied, and one where nothing listens, are refused in its own words, whatever the ' +
        'client has sent',
      async () => {
        const closed = await closedPort();
        const ingress = await start(await testEgress(), closed);
        const { socket, received } = await client(ingress.port);
        socket.write(Buffer.concat([ask(closed), randomBytes(100_000)]));
        expectWords(await within(30_000, 'the refusal', received), dialect.refused('closed'));
        expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({
          code: 'CONNECTION_REFUSED',
          destination: `127.0.0.1:${closed}`,
        });

        const strict = await testEgress({
          policy: 'version: 1\nrules:\n  - name: none\n    identities: ["*"]\n    allow: ["db.internal:5432"]\n',
        });
        const { port } = await echo();
        const denied = await client((await start(strict, port)).port);
        denied.socket.write(ask(port));
        expectWords(await within(30_000, 'the denial', denied.received), dialect.refused('denied'));
      },
    );

    test('where the egress is away the client is told so when its time is up', async () => {
      const ingress = await start({ port: await closedPort(), certs: certificates() }, 1, { connectTimeoutMs: 100 });
      const { socket, received } = await client(ingress.port);
      socket.write(ask(1));
      expectWords(await within(30_000, 'the refusal', received), dialect.refused('unreachable'));
    });

    test('a client that leaves at any byte of its request leaves nothing behind', async () => {
      const { port } = await echo();
      const ingress = await start(await testEgress(), port);
      const whole = ask(port);
      for (let length = 0; length <= whole.length; length += Math.ceil(whole.length / 12)) {
        for (const leave of ['resetAndDestroy', 'end'] as const) {
          const { socket } = await client(ingress.port);
          socket.on('error', () => {});
          socket.resume();
          if (length > 0)
            await new Promise((resolve) => {
              socket.write(whole.subarray(0, length), resolve);
            });
          socket[leave]();
        }
      }
      await within(60_000, 'the drain', ingress.agent.drain(new AbortController().signal));
    });

    test('the egress learns which front end it was', async () => {
      const egress = await testEgress();
      const at = await echo();
      const { socket, received, request } = await asking(await start(egress, at.port), at.port);
      socket.end(request);
      await within(30_000, 'the end', received);
      expect(await egress.recorded((record) => record.requested === at.at)).toMatchObject({
        end: 'finished',
        frontEnd: dialect.frontEnd,
      });
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
