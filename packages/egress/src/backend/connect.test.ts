import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Deadline } from '@adit/shared/net/deadline';
import { certificates } from '../../../../test/support/certificates.ts';
import { serviceOf } from '../../../../test/support/pool-services.ts';
import { atEnd, temporaryFolder } from '../../../../test/support/scope.ts';
import { closedPort, service } from '../../../../test/support/services.ts';
import type { Permit } from '../dialer/judged.ts';
import { connectBackend, type ConnectRequest } from './connect.ts';
import { loadNextHop } from './next-hop.ts';
import { loadServiceTls } from './service-tls.ts';

const allow = (): Permit => ({ allow: true, rule: 'r' });
const backendOf = (address: string): ConnectRequest['backend'] => serviceOf({ backends: [address] }).backends[0]!;
const connecting = (address: string, request: Partial<ConnectRequest> = {}): ReturnType<typeof connectBackend> =>
  connectBackend({
    backend: backendOf(address),
    called: 'web',
    deadline: new Deadline(30_000),
    permit: allow,
    ...request,
  });

/** What a service hears, up to the end. */
function hearing(): { readonly serve: (socket: net.Socket) => void; readonly heard: Promise<string> } {
  let tell!: (text: string) => void;
  const heard = new Promise<string>((resolve) => {
    tell = resolve;
  });
  return {
    heard,
    serve: (socket) => {
      let text = '';
      socket
        .on('data', (chunk) => {
          text += String(chunk);
        })
        .on('end', () => {
          tell(text);
          socket.end();
        });
    },
  };
}

test('a TCP backend is reached at an address that the policy permits, with pooled reads', async () => {
  const { heard, serve } = hearing();
  const { at } = await service(serve);
  const { local, address, rule } = await connecting(`tcp://${at}`);
  expect([address, rule, local.reads === undefined]).toEqual(['127.0.0.1', 'r', false]);
  local.socket.end('bytes');
  expect(await heard).toBe('bytes');
});

test('a Unix backend is reached by its path, about which the policy is asked', async () => {
  const { heard, serve } = hearing();
  const path = join(temporaryFolder(), 'web.sock');
  const server = net.createServer({ allowHalfOpen: true }, serve).listen(path);
  await once(server, 'listening');
  atEnd(() => {
    server.close();
  });
  const asked: string[] = [];
  const { local, address } = await connecting(`unix:${path}`, {
    permit: (given) => {
      asked.push(given);
      return allow();
    },
    greet: (to) => Buffer.from(to === undefined ? 'no address|' : 'address|'),
  });
  expect([asked, address]).toEqual([[path], path]);
  local.socket.end('bytes');
  expect(await heard).toBe('no address|bytes');
});

test('the PROXY protocol header comes first, outside TLS', async () => {
  let tell!: (bytes: Buffer) => void;
  const heard = new Promise<Buffer>((resolve) => {
    tell = resolve;
  });
  const { port } = await service((socket) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      if (all.length < 16) return;
      tell(all);
      socket.resetAndDestroy();
    });
  });
  const secured = serviceOf({ backends: [`tls://127.0.0.1:${port}`], tls: { ca: certificates().ca } });
  await expect(
    connecting('tcp://a:1', {
      backend: secured.backends[0]!,
      tls: loadServiceTls(secured, '/'),
      greet: (to) => Buffer.from(`<${to!.port}>`),
    }),
  ).rejects.toMatchObject({ code: 'SERVICE_TLS_FAILED' });
  const bytes = await heard;
  const greeted = `<${port}>`;
  expect(bytes.subarray(0, greeted.length).toString()).toBe(greeted);
  // a TLS record that is a handshake
  expect(bytes.subarray(greeted.length, greeted.length + 2).toString('hex')).toBe('1603');
});

test.each<[string, () => Promise<string>, string]>([
  ['a closed port', async () => `tcp://127.0.0.1:${await closedPort()}`, 'CONNECTION_REFUSED'],
  [
    'a Unix socket that is not there',
    async () => Promise.resolve(`unix:${temporaryFolder()}/none.sock`),
    'CONNECTION_REFUSED',
  ],
  ['a name that nobody knows', async () => Promise.resolve('tcp://does-not-exist.invalid:80'), 'DNS_FAILED'],
])('%s fails with %3$s, and the client is told only the name of the service', async (_, address, code) => {
  await expect(connecting(await address())).rejects.toMatchObject({
    code,
    message: expect.stringMatching(/^web [^/]*$/),
  });
});

test('what the policy does not permit is not dialled', async () => {
  const { at, sockets } = await service(() => {
    /* nobody comes */
  });
  await expect(
    connecting(`tcp://${at}`, {
      permit: () => ({ allow: false, code: 'POLICY_DENIED', reason: 'No.', detail: 'no rule' }),
    }),
  ).rejects.toMatchObject({ code: 'POLICY_DENIED', message: 'No.' });
  expect(sockets.size).toBe(0);
});

test('a tls:// backend that nothing can verify gets no byte', async () => {
  const { heard, serve } = hearing();
  const { port } = await service(serve);
  await expect(connecting(`tls://127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'INTERNAL' });
  expect(await heard).toBe('');
});

test(
  'a hop is asked for an address that was judged, where names are resolved here, and for the next where it ' +
    'reaches none',
  async () => {
    const seen: string[] = [];
    const judged: string[] = [];
    const proxy = await service((socket) => {
      socket.once('data', (chunk) => {
        const asked = /^CONNECT (\S+)/.exec(String(chunk))?.[1] ?? '';
        seen.push(asked);
        socket.write(
          asked.startsWith('127.')
            ? 'HTTP/1.1 200 OK\r\n\r\n'
            : 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n',
        );
      });
    });
    const backend = serviceOf({
      backends: [{ address: 'tcp://localhost:80', via: { url: `http://${proxy.at}`, resolve: 'here' } }],
    }).backends[0]!;
    const hop = { to: loadNextHop(backend.via!, '/nowhere'), via: '1.1 adit-1' };
    const permit = (address: string): Permit => {
      judged.push(address);
      return { allow: true, rule: 'r' };
    };
    const { local, address } = await connecting('tcp://unused:1', { backend, hop, permit });
    atEnd(() => {
      local.socket.destroy();
    });
    expect([address, seen.at(-1), judged.includes('localhost'), seen.length <= judged.length]).toEqual([
      '127.0.0.1',
      '127.0.0.1:80',
      false,
      true,
    ]);
    await expect(
      connecting('tcp://unused:1', {
        backend,
        hop,
        permit: () => ({ allow: false, code: 'POLICY_DENIED', reason: 'no', detail: 'd' }),
      }),
    ).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    expect(seen.length).toBeLessThanOrEqual(judged.length);
    await expect(connecting('tcp://unused:1', { backend })).rejects.toMatchObject({ code: 'INTERNAL' });
  },
);

test.each([
  ['asked for by name', 'http://127.0.0.1:1'],
  ['asked for an address', { url: 'http://127.0.0.1:1', resolve: 'here' }],
])('a judge that throws is INTERNAL, and a next hop that would be %s is not asked', async (_, via) => {
  const backend = serviceOf({ backends: [{ address: 'tcp://localhost:80', via }] }).backends[0]!;
  const broken = new TypeError('broken');
  await expect(
    connecting('tcp://unused:1', {
      backend,
      hop: { to: loadNextHop(backend.via!, '/nowhere'), via: '1.1 adit-1' },
      permit: () => {
        throw broken;
      },
    }),
  ).rejects.toMatchObject({ code: 'INTERNAL', by: 'us', cause: broken });
});
