import { duplexPair } from 'node:stream';
import { connect } from 'node:tls';
import { expect, test } from '@jest/globals';
import type { Ask, TurnedAway } from './contract.ts';
import { sniRouter, type SniRoute } from './sni-routes.ts';
import { sni } from './sni.ts';

const fixed = { kind: 'host', host: 'web.internal', port: 8443 } as const;
const routes: SniRoute[] = [
  { pattern: 'www.example.com', target: { kind: 'fixed', destination: fixed } },
  { pattern: '*.example.com', target: { kind: 'same-name', port: 443 } },
  { pattern: '*.adit.internal', target: { kind: 'same-name', port: 443 } },
  { pattern: 'old.example.com', target: { kind: 'refuse' } },
];

/** What becomes of a TLS client that asks for this name, and what it said. */
async function asked(
  servername: string,
  more: readonly SniRoute[] = [],
): Promise<{ answer: Ask | TurnedAway; said: Buffer }> {
  const [duplex, far] = duplexPair();
  const [near, wire] = duplexPair();
  const said: Buffer[] = [];
  wire.on('data', (chunk: Buffer) => {
    said.push(chunk);
    far.write(chunk);
  });
  const client = connect({ socket: near, servername }).on('error', () => {});
  const answer = await sni({ route: sniRouter([...routes, ...more]), deadlineMs: 30_000 }).ask({ duplex });
  client.destroy();
  return { answer, said: Buffer.concat(said) };
}

test('a name becomes the destination of its route, and the hello goes on as it came', async () => {
  const { answer, said } = await asked('www.example.com');
  expect(answer).toMatchObject({ frontEnd: 'sni', destination: fixed });
  if ('error' in answer) throw answer.error;
  if (answer.carry !== 'splice') throw new Error(answer.carry);
  expect(answer.accepted).toBeUndefined();
  expect(Buffer.from(answer.early!).equals(said)).toBe(true);
  expect(answer.refused?.({ code: 'POLICY_DENIED', reason: '' })).toEqual(Uint8Array.of(21, 3, 3, 0, 2, 2, 49));
});

test('a route without a host goes where the name says, below adit.internal to a service', async () => {
  expect((await asked('API.example.com')).answer).toMatchObject({
    destination: { kind: 'host', host: 'api.example.com', port: 443 },
  });
  expect((await asked('web.adit.internal')).answer).toMatchObject({ destination: { kind: 'service', service: 'web' } });
  expect((await asked('a.b.adit.internal')).answer).toMatchObject({
    error: { code: 'CLIENT_MALFORMED' },
    answer: expect.objectContaining({ 6: 112 }),
  });
});

test('who has no route is told so, and why', async () => {
  expect((await asked('example.org')).answer).toMatchObject({
    error: { code: 'CLIENT_NO_ROUTE', message: expect.stringContaining('no --sni-route matches example.org') },
    answer: expect.objectContaining({ 6: 112 }),
  });
  expect((await asked('old.example.com')).answer).toMatchObject({
    error: { code: 'CLIENT_NO_ROUTE', message: expect.stringContaining('says refuse') },
    answer: expect.objectContaining({ 6: 112 }),
  });
  for (const target of [undefined, { kind: 'refuse' }, { kind: 'same-name', port: 443 }] as const) {
    expect((await asked('', target ? [{ pattern: '*', target }] : [])).answer).toMatchObject({
      error: { code: 'CLIENT_NO_ROUTE', message: expect.stringContaining('it names no server') },
      answer: expect.objectContaining({ 6: 109 }),
    });
  }
  expect((await asked('', [{ pattern: '*', target: { kind: 'fixed', destination: fixed } }])).answer).toMatchObject({
    destination: fixed,
  });
});
