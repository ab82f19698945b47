import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { type Egress, type Ingress, listeningPort, startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { atEnd, within } from '../support/scope.ts';
import { type Client, client, service } from '../support/services.ts';
import { askSocks } from '../support/socks-client.ts';

/** A service that answers each line, and how often it got which. */
async function counting(): Promise<{ at: string; heard: string[] }> {
  const heard: string[] = [];
  const { at } = await service((socket) => {
    socket.on('data', (line: Buffer) => {
      heard.push(String(line));
      socket.end(`done ${String(line)}`);
    });
  });
  return { at, heard };
}

interface Given {
  readonly first: Egress;
  readonly ingress: Ingress;
  readonly socks: number;
  readonly web: number;
  readonly at: string;
  readonly heard: string[];
}

/** An ingress with a SOCKS proxy and a forward, connected to so many egresses; the first of them may be stopped. */
async function given(egresses: number, connectTimeout: string, scheme = ''): Promise<Given> {
  const files = certificates();
  const { at, heard } = await counting();
  const [first, ...others] = await Promise.all(
    Array.from({ length: egresses }, () => startEgress({ certificates: files })),
  );
  const ingress = await startIngress({
    certificates: files,
    egressPort: first!.port,
    egress: `${scheme}127.0.0.1:${first!.port}`,
    to: { web: at },
    flags: [
      ...others.flatMap(({ port }) => ['--egress', `${scheme}127.0.0.1:${port}`]),
      ...['--socks', '0', '--connect-timeout', connectTimeout],
    ],
  });
  for (const { port } of [first!, ...others])
    await ingress.process.event('connected', { egress: `${scheme}127.0.0.1:${port}` });
  const socks = await listeningPort(ingress.process, { socks: '0' });
  return { first: first!, ingress, socks, web: ingress.ports['web']!, at, heard };
}

function stop({ process: { pid } }: Egress): () => void {
  process.kill(pid, 'SIGSTOP');
  const goOn = (): void => {
    process.kill(pid, 'SIGCONT');
  };
  atEnd(goOn); // it has to be able to end
  return goOn;
}

/** The stopped egress answers; on a busy machine its connection was given up meanwhile, and is made again. */
function backAgain({ process: child }: Ingress): Promise<unknown> {
  return child.until(
    'the first egress again',
    () => child.all('answering')[0] ?? child.all('connected', { resumed: true })[0],
  );
}

/** How a connection ended, and after how many milliseconds. */
async function ended(open: Client, sinceMs: number): Promise<{ text: string; afterMs: number }> {
  const { bytes, ending } = await within(60_000, 'the end of a connection', open.received);
  open.socket.destroy();
  return { text: ending === 'reset' ? 'reset' : String(bytes), afterMs: performance.now() - sinceMs };
}

/** Asks through SOCKS; the request is sent when the reply is there. */
async function throughSocks({ socks, at }: Given, request: string): Promise<Client> {
  const asked = await askSocks(socks, at);
  expect(await within(60_000, 'the reply', asked.reply)).toBe(0);
  const answer = once(asked.socket, 'data') as Promise<[Buffer]>;
  asked.socket.write(request);
  return { socket: asked.socket, received: answer.then(([bytes]) => ({ bytes, ending: 'end' as const })) };
}

async function forwarded({ web }: Given, request: string): Promise<Client> {
  const open = await client(web);
  open.socket.write(request);
  return open;
}

test(
  'connections that wait for the first of two egresses, which was stopped, go to the second; one that has sent bytes ' +
    'at the connect timeout; no request reaches the service twice',
  async () => {
    const tunnel = await given(2, '10s');
    const { first, ingress, heard } = tunnel;
    expect((await ended(await forwarded(tunnel, 'before'), 0)).text).toBe('done before');
    await first.process.event('stream');

    const goOn = stop(first);
    const sinceMs = performance.now();
    const waiting = [1, 2, 3, 4, 5].map(async (n) => ended(await throughSocks(tunnel, `socks ${n}`), sinceMs));
    const sent = forwarded(tunnel, 'sent').then((open) => ended(open, sinceMs));
    const late = delay(4_000).then(async () => ended(await forwarded(tunnel, 'late'), sinceMs));
    const answers = await Promise.all(waiting);
    const [wasSent, cameLate] = [await sent, await late];

    expect(answers.map(({ text }) => text)).toEqual([1, 2, 3, 4, 5].map((n) => `done socks ${n}`));
    for (const { afterMs } of answers) expect(afterMs).toBeLessThan(11_000);
    expect(wasSent.text).toBe('reset');
    expect(wasSent.afterMs).toBeLessThan(11_500);
    expect(cameLate.text).toBe('done late');
    expect(await ingress.process.event('refused')).toMatchObject({
      code: 'LINK_TIMEOUT',
      reason: 'the egress did not answer within 10 s',
    });

    goOn();
    await backAgain(ingress);
    await first.process.event('stream', {}, { nth: 1 + waiting.length + 1 });
    expect((await ended(await forwarded(tunnel, 'after'), 0)).text).toBe('done after');
    expect(first.process.all('stream', { end: 'finished' }).length).toBeLessThanOrEqual(3);
    expect(heard.toSorted()).toEqual([...new Set(heard)].toSorted());
    expect(heard).toEqual(
      expect.arrayContaining(['before', 'late', 'after', ...waiting.map((_, n) => `socks ${n + 1}`)]),
    );
  },
);

test('where the only egress is stopped, what waits is refused in time, and what comes then waits', async () => {
  const tunnel = await given(1, '4s');
  const goOn = stop(tunnel.first);
  const sinceMs = performance.now();
  const asked = await askSocks(tunnel.socks, tunnel.at);
  const sent = ended(await forwarded(tunnel, 'sent'), sinceMs);

  await tunnel.ingress.process.event('silent');
  expect(await within(60_000, 'the reply', asked.reply)).toBe(1);
  expect(performance.now() - sinceMs).toBeLessThan(5_500);
  const { text, afterMs } = await sent;
  expect([text, afterMs < 5_500]).toEqual(['reset', true]);
  const waiting = ended(await forwarded(tunnel, 'new'), sinceMs);
  goOn();
  expect((await waiting).text).toBe('done new');
  expect(tunnel.heard.filter((line) => line === 'new')).toHaveLength(1);
});

test('requests that a stopped CONNECT proxy over HTTP/2 has not answered go to the next, and none twice', async () => {
  const tunnel = await given(2, '10s', 'connect+h2://');
  const { first, ingress, heard } = tunnel;
  expect((await ended(await forwarded(tunnel, 'before'), 0)).text).toBe('done before');

  const goOn = stop(first);
  const sinceMs = performance.now();
  const asked = [
    throughSocks(tunnel, 'socks').then((open) => ended(open, sinceMs)),
    forwarded(tunnel, 'sent').then((open) => ended(open, sinceMs)), // its bytes wait for the answer of the proxy
  ];
  const answers = await Promise.all(asked);

  expect(answers.map(({ text }) => text)).toEqual(['done socks', 'done sent']);
  for (const { afterMs } of answers) expect(afterMs).toBeLessThan(9_000); // before the connection is given up
  goOn();
  await ingress.process.event('answering');
  await first.process.event('stream', {}, { nth: 3 });
  expect((await ended(await forwarded(tunnel, 'after'), 0)).text).toBe('done after');
  expect(heard.toSorted()).toEqual(['after', 'before', 'sent', 'socks']);
});
