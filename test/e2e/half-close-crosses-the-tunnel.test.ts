import { expect, test } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { pattern, patternHash } from '../support/pattern.ts';
import { hashingAnswer, sha256 } from '../support/sha256.ts';
import { shared } from '../support/shared.ts';
import { within } from '../support/scope.ts';
import { type Service, ask, chunkFrom, client, hashing, receive, service } from '../support/services.ts';

const serviceEnds = service((socket) => {
  void receive(socket).then(
    ({ bytes, ending }) => {
      lateToServiceEnds = `${bytes} ${ending}`;
      told?.();
    },
    () => {},
  );
  socket.end('goodbye');
});
let lateToServiceEnds = '';
let told: (() => void) | undefined;
const services: Promise<Record<string, Service>> = Promise.all([
  hashing(),
  serviceEnds,
  service((socket) => {
    socket.on('end', () => {
      socket.write('half');
      socket.end(' later');
    });
    socket.resume();
  }),
  service((socket) => {
    socket.end();
    socket.resume();
  }),
  service((socket) => {
    for (const chunk of pattern(8)) socket.write(chunk);
    socket.end();
    socket.resume();
  }),
]).then(([hashes, ends, answers, silent, source]) => ({ hashes, ends, answers, silent, source }));
const tunnel = shared(async () => {
  const to = Object.entries(await services).map(([name, { at }]) => [name, at] as const);
  return openTunnel({ to: Object.fromEntries(to) });
});

const port = async (name: string): Promise<number> => (await tunnel()).port(name);

test('the client ends first: the service still answers all of it', async () => {
  expect(await ask(await port('answers'), 'question')).toBe('half later');
});

test('the client sends 8 MiB and ends: the service has got every byte before the end', async () => {
  const { socket, received } = await client(await port('hashes'));
  for (const chunk of pattern(8)) socket.write(chunk);
  socket.end();
  expect(String((await received).bytes)).toBe(`${8 * 1024 * 1024} ${patternHash(8)}`);
});

test('the service ends first: the client has its bytes and the end, and what it sends afterwards arrives', async () => {
  const { socket, received } = await client(await port('ends'));

  expect(await received).toEqual({ bytes: Buffer.from('goodbye'), ending: 'end' });
  const arrived = new Promise<void>((resolve) => {
    told = resolve;
  });
  socket.write('still ');
  socket.end('here');
  await within(30_000, 'the late bytes', arrived);
  expect(lateToServiceEnds).toBe('still here end');
});

test('the service ends without a byte, and so does the client', async () => {
  const { socket, received } = await client(await port('silent'));
  expect(await received).toEqual({ bytes: Buffer.alloc(0), ending: 'end' });
  socket.end();
  const line = await (await tunnel()).egress.process.event('stream', { end: 'finished', bytesUp: 0, bytesDown: 0 });
  expect(line).toMatchObject({ verdict: 'allow', identity: 'spiffe://example.org/client/alice' });
});

test('the client ends at once while 8 MiB are on their way to it: all of them arrive, then the end', async () => {
  const { socket, received } = await client(await port('source'));
  socket.end();
  const { bytes, ending } = await received;
  expect([sha256(bytes), ending]).toEqual([patternHash(8), 'end']);
});

test('each side ends in its own time, many times over', async () => {
  const at = await port('hashes');
  const answers = await Promise.all(Array.from({ length: 50 }, async (_, index) => ask(at, `connection ${index}`)));
  expect(answers).toEqual(Array.from({ length: 50 }, (_, index) => hashingAnswer(`connection ${index}`)));
});

test('a half-closed stream stays open: bytes keep coming after the client ended', async () => {
  const steps: (() => void)[] = [];
  const slow = await service((socket) => {
    socket.on('end', () => {
      socket.write('1');
      steps.push(
        () => {
          socket.write('2');
        },
        () => {
          socket.end('3');
        },
      );
    });
    socket.resume();
  });
  const own = await openTunnel({ to: { slow: slow.at } });
  const { socket, received } = await client(own.port('slow'));

  socket.end('done');

  for (const want of ['1', '2']) {
    expect(String(await chunkFrom(socket))).toBe(want);
    steps.shift()!();
  }
  expect(await received).toEqual({ bytes: Buffer.from('123'), ending: 'end' });
});
