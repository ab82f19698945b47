import { execFile } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AditError } from '@adit/shared/errors';
import { Deadline } from '@adit/shared/net/deadline';
import { dial, type Dialled, type DialRequest } from './dial.ts';
import type { Permit } from './judged.ts';

const yes: Permit = { allow: true, rule: 'r' };
const no = (detail: string, code: 'POLICY_DENIED' | 'ADDRESS_PROHIBITED' = 'ADDRESS_PROHIBITED'): Permit => ({
  allow: false,
  code,
  reason: `${code} for you.`,
  detail,
});

let server: Server;
let port: number;
let closedPort: number;
const accepted = new Set<Socket>();

beforeAll(async () => {
  server = net
    .createServer((socket) => {
      accepted.add(
        socket.on('error', () => {
          accepted.delete(socket);
        }),
      );
    })
    .listen(0, '127.0.0.1');
  const other = net.createServer().listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(other, 'listening')]);
  port = (server.address() as AddressInfo).port;
  closedPort = (other.address() as AddressInfo).port;
  other.close();
  await once(other, 'close');
});
afterAll(async () => {
  for (const socket of accepted) socket.destroy();
  server.close();
  await once(server, 'close');
});

/**
 * A request that counts what is asked of it. `silent` addresses never connect; every other one stands for the server's.
 */
function request(more: Partial<DialRequest> & { readonly silent?: readonly string[] } = {}) {
  const sockets = new Map<string, Socket>();
  const permitted: string[] = [];
  const { permit = () => yes, silent = [], ...rest } = more;
  return {
    sockets,
    permitted,
    host: '127.0.0.1',
    port,
    deadline: new Deadline(10_000),
    ...rest,
    permit: (address: string) => {
      permitted.push(address);
      return permit(address);
    },
    connect:
      more.connect ??
      ((address: string, at: number) => {
        const socket = silent.includes(address) ? new net.Socket() : net.connect({ host: '127.0.0.1', port: at });
        sockets.set(address, socket);
        return socket;
      }),
  };
}

const refusalOf = async (dialled: Promise<Dialled>): Promise<AditError> => {
  const error: unknown = await dialled.then(
    ({ socket }) => {
      socket.destroy();
      return undefined;
    },
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AditError);
  return error as AditError;
};
/** The connections that the server gets are over when ours are. */
const finish = async ({ socket }: Dialled): Promise<void> => {
  const closed = once(socket, 'close');
  socket.destroy();
  await closed;
};

describe('dialling', () => {
  it('starts on an address before it returns, and resolves nothing', async () => {
    const asked = request({
      resolve: () => {
        throw new Error('resolved');
      },
    });
    const dialled = dial(asked);
    expect([asked.permitted, [...asked.sockets.keys()]]).toEqual([['127.0.0.1'], ['127.0.0.1']]);
    const { socket, address, rule } = await dialled;
    expect([socket.remoteAddress, socket.remotePort, address, rule, socket.bytesRead]).toEqual([
      '127.0.0.1',
      port,
      '127.0.0.1',
      'r',
      0,
    ]);
    await finish({ socket, address, rule });
  });

  it(
    'dials the address that was judged: a resolver that answers differently the second time is not asked a second ' +
      'time',
    async () => {
      const answers = [['127.0.0.1'], ['169.254.169.254']];
      let calls = 0;
      const asked = request({
        host: 'rebind.example',
        resolve: (host) => {
          expect(host).toBe('rebind.example');
          return Promise.resolve(answers[calls++]!);
        },
        permit: (address) => (address === '127.0.0.1' ? yes : no(address)),
      });
      const dialled = await dial({
        ...asked,
        connect: (address, at) => {
          expect([address, at]).toEqual(['127.0.0.1', port]);
          return net.connect({ host: address, port: at });
        },
      });
      expect([calls, dialled.address, dialled.socket.remoteAddress, asked.permitted]).toEqual([
        1,
        '127.0.0.1',
        '127.0.0.1',
        ['127.0.0.1'],
      ]);
      await finish(dialled);
      expect((await refusalOf(dial({ ...asked }))).code).toBe('ADDRESS_PROHIBITED');
    },
  );

  it('asks about every address first and dials only those that passed', async () => {
    const asked = request({
      host: 'mixed.example',
      resolve: () => Promise.resolve(['169.254.169.254', 'fd00::1', '10.0.0.1', '10.0.0.2', '10.0.0.1']),
      permit: (address) => (address === '10.0.0.2' ? { allow: true, rule: 'two' } : no(address)),
    });
    const dialled = await dial(asked);
    expect(asked.permitted).toEqual(['169.254.169.254', 'fd00::1', '10.0.0.1', '10.0.0.2']);
    expect([[...asked.sockets.keys()], dialled.address, dialled.rule]).toEqual([['10.0.0.2'], '10.0.0.2', 'two']);
    await finish(dialled);
  });

  it('dials nothing when every address is refused, and passes on the code and reason of the judge', async () => {
    const asked = request({
      host: 'evil.example',
      resolve: () => Promise.resolve(['10.0.0.1', '127.0.0.1']),
      permit: (address) => (address === '127.0.0.1' ? no('loopback') : no('range', 'POLICY_DENIED')),
    });
    expect(await refusalOf(dial(asked))).toMatchObject({
      code: 'ADDRESS_PROHIBITED',
      message: 'ADDRESS_PROHIBITED for you.',
      cause: { message: 'range; loopback' },
    });
    expect(asked.sockets.size).toBe(0);
    expect(await refusalOf(dial(request({ permit: () => no('rule', 'POLICY_DENIED') })))).toMatchObject({
      code: 'POLICY_DENIED',
      cause: { message: 'rule' },
    });
  });

  it('takes a judge that throws as a no', async () => {
    const asked = request({
      permit: () => {
        throw new TypeError('broken');
      },
    });
    expect(await refusalOf(dial(asked))).toMatchObject({
      code: 'INTERNAL',
      message: `127.0.0.1:${port} was not dialled.`,
      cause: { message: 'broken' },
    });
    expect(asked.sockets.size).toBe(0);
  });

  it('goes on with the next address when one refuses the connection', async () => {
    const asked = request({
      host: 'two.example',
      resolve: () => Promise.resolve(['10.0.0.1', '10.0.0.2']),
      connect: (address, at) => net.connect({ host: '127.0.0.1', port: address === '10.0.0.1' ? closedPort : at }),
    });
    const dialled = await dial(asked);
    expect(dialled.address).toBe('10.0.0.2');
    await finish(dialled);
  });

  it('leaves no socket and no listener of the losers behind', async () => {
    const controller = new AbortController();
    const asked = request({
      host: 'slow.example',
      signal: controller.signal,
      resolve: () => Promise.resolve(['10.0.0.1', '10.0.0.2', '10.0.0.3']),
      silent: ['10.0.0.1'],
    });
    const dialled = await dial(asked);
    expect([dialled.address, [...asked.sockets.keys()], asked.sockets.get('10.0.0.1')!.destroyed]).toEqual([
      '10.0.0.2',
      ['10.0.0.1', '10.0.0.2'],
      true,
    ]);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort();
    expect(dialled.socket.destroyed).toBe(false);
    await finish(dialled);
  });
});

describe('a process', () => {
  it('that dials ends when its work is done: no timer, socket or look-up of a dial holds it', async () => {
    const program = `
      import net from 'node:net';
      const { dial } = await import(${JSON.stringify(new URL('dial.ts', import.meta.url).href)});
      const { Deadline } = await import(${JSON.stringify(import.meta.resolve('@adit/shared/net/deadline'))});
      const server = net.createServer().listen(0, '127.0.0.1', async () => {
        const { port } = server.address();
        const silent = '10.0.0.1';
        const resolve = async () => [silent, '10.0.0.2', '10.0.0.3'];
        const connect = (address) => address === silent ? new net.Socket() : net.connect({ host: '127.0.0.1', port });
        const permit = () => ({ allow: true, rule: 'r' });
        const start = (more) => dial({ port, deadline: new Deadline(3_600_000), permit, resolve, connect, ...more });
        const say = (error) => console.log(error.code);
        const { socket } = await start({ host: 'slow.example' });
        await start({ host: silent, signal: AbortSignal.timeout(10) }).catch(say);
        await start({ host: silent, deadline: new Deadline(10) }).catch(say);
        socket.destroy();
        server.close();
      });`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program],
      { timeout: 60_000 },
    );
    expect(stdout).toBe('PEER_GONE\nDIAL_TIMEOUT\n');
  }, 70_000);
});

describe('a dial that fails', () => {
  it('says that the service refused', async () => {
    expect(await refusalOf(dial(request({ port: closedPort })))).toMatchObject({
      code: 'CONNECTION_REFUSED',
      message: `127.0.0.1:${closedPort} refused the connection.`,
    });
  });

  it('says that the name does not resolve', async () => {
    const failed = await refusalOf(
      dial(
        request({
          host: 'absent.example',
          resolve: () => Promise.reject(new Error('getaddrinfo ENOTFOUND absent.example')),
        }),
      ),
    );
    expect(failed).toMatchObject({
      code: 'DNS_FAILED',
      message: `absent.example:${port} cannot be resolved by the egress.`,
      cause: { message: 'getaddrinfo ENOTFOUND absent.example' },
    });
    expect((await refusalOf(dial(request({ host: 'empty.example', resolve: () => Promise.resolve([]) })))).code).toBe(
      'DNS_FAILED',
    );
  });

  it('says that the resolver is late, and ignores what it says later', async () => {
    let answer!: (addresses: string[]) => void;
    const asked = request({
      host: 'late.example',
      deadline: new Deadline(20),
      resolve: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    });
    expect(await refusalOf(dial(asked))).toMatchObject({
      code: 'DNS_TIMEOUT',
      message: `late.example:${port} was not resolved in time.`,
    });
    answer(['127.0.0.1']);
    await Promise.resolve();
    expect([asked.permitted, asked.sockets.size]).toEqual([[], 0]);
  });

  it('says that the service is late, and destroys what it dialled', async () => {
    const asked = request({ deadline: new Deadline(20), silent: ['127.0.0.1'] });
    expect((await refusalOf(dial(asked))).code).toBe('DIAL_TIMEOUT');
    expect(asked.sockets.get('127.0.0.1')!.destroyed).toBe(true);
  });

  it('ends at once when its signal does: before, while resolving, while connecting', async () => {
    expect(
      (
        await refusalOf(
          dial(
            request({
              signal: AbortSignal.abort(),
              connect: () => {
                throw new Error('dialled');
              },
            }),
          ),
        )
      ).code,
    ).toBe('PEER_GONE');
    const resolving = new AbortController();
    const unresolved = dial(
      request({
        host: 'late.example',
        signal: resolving.signal,
        resolve: () =>
          new Promise(() => {
            /* never */
          }),
      }),
    );
    resolving.abort();
    expect((await refusalOf(unresolved)).code).toBe('PEER_GONE');
    const connecting = new AbortController();
    const asked = request({ signal: connecting.signal, silent: ['127.0.0.1'] });
    const unconnected = dial(asked);
    connecting.abort();
    expect(asked.sockets.get('127.0.0.1')!.destroyed).toBe(true);
    expect((await refusalOf(unconnected)).code).toBe('PEER_GONE');
    expect([resolving, connecting].map(({ signal }) => getEventListeners(signal, 'abort').length)).toEqual([0, 0]);
  });

  it('survives a `connect` that throws', async () => {
    const asked = request({
      connect: () => {
        throw Object.assign(new Error('no descriptors'), { code: 'EMFILE' });
      },
    });
    expect(await refusalOf(dial(asked))).toMatchObject({ code: 'OVERLOAD', cause: { message: 'no descriptors' } });
  });
});
