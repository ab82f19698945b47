import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, test } from '@jest/globals';
import { awaitProxyHeader, type ProxyHeader } from '@adit/shared/protocol/proxy-protocol';
import { certificates } from '../../../../test/support/certificates.ts';
import { memoryLog } from '../../../../test/support/in-process.ts';
import { servicesOf, type ServiceText } from '../../../../test/support/pool-services.ts';
import { atEnd, temporaryFolder } from '../../../../test/support/scope.ts';
import { closedPort, service } from '../../../../test/support/services.ts';
import type { HostPort } from '@adit/shared/protocol/destination';
import type { Permit } from '../dialer/judged.ts';
import type { Service } from '../policy/service.ts';
import { circuitBounds } from './pool.ts';
import { loadDestinationTls } from './service-tls.ts';
import { loadServices, Services, type Reached, type ReachRequest, type ServicesContext } from './services.ts';

const allow = (): Permit => ({ allow: true, rule: 'r' });
const alice = { name: 'alice', uri: 'spiffe://example.org/client/alice' };
const folder = temporaryFolder();

function serving(written: ServiceText, context: Partial<ServicesContext> = {}) {
  const { log, lines, until } = memoryLog();
  const services = new Services({ log, destinationTls: () => loadDestinationTls({}), permitProbe: allow, ...context });
  atEnd(() => services.close());
  let web!: Service;
  const load = (next: ServiceText): void => {
    const all = servicesOf(next);
    services.prepare(all, folder)();
    web = all.get('web')!;
  };
  load(written);
  const reach = async (request: Partial<ReachRequest> = {}): Promise<Reached> => {
    const reached = await services.reach({
      service: web,
      backends: web.backends,
      caller: { identity: alice, remote: '127.0.0.1:1', requested: 'web', stream: 's-1' },
      timeoutMs: 30_000,
      signal: new AbortController().signal,
      permit: allow,
      ...request,
    });
    reached.local.socket.on('error', () => {
      /* the service may reset it */
    });
    atEnd(() => {
      reached.local.socket.destroy();
    });
    return reached;
  };
  return { services, load, reach, lines, until };
}

/** Says its name to whoever connects. */
async function named(name: string): Promise<{ readonly at: string; close(): Promise<void> }> {
  return await service((socket) => {
    socket.write(name);
  });
}

describe('reaching a service', () => {
  it('goes on to the next backend until one answers, and says which did and after how many attempts', async () => {
    const [first, up] = [await closedPort(), await named('up')];
    const { reach } = serving({ backends: [`127.0.0.1:${first}`, up.at] });
    const attempts = [await reach(), await reach()].map((reached) => [reached.backend.name, reached.attempts]);
    expect(attempts).toEqual([
      [`tcp://${up.at}`, 2],
      [`tcp://${up.at}`, 1],
    ]);
  });

  it('fails when none answers, with the most telling reason for the client and all for the log', async () => {
    const [one, two] = [await closedPort(), await closedPort()];
    const { reach } = serving({ backends: [`127.0.0.1:${one}`, `127.0.0.1:${two}`] });
    await expect(reach()).rejects.toMatchObject({
      code: 'CONNECTION_REFUSED',
      message: 'web refused the connection.',
      cause: { message: expect.stringMatching(new RegExp(`127.0.0.1:${one}.*; tcp://127.0.0.1:${two}: `)) },
    });
  });

  it('dials only those that the identity may reach, and none of weight 0', async () => {
    const [a, b] = [await named('a'), await named('b')];
    const { reach } = serving({ backends: [{ address: a.at, weight: 0 }, b.at] });
    expect((await reach()).backend.name).toBe(`tcp://${b.at}`);
    const [zero] = servicesOf({ backends: [{ address: a.at, weight: 0 }, b.at] }).get('web')!.backends;
    await expect(reach({ backends: [zero!] })).rejects.toMatchObject({
      code: 'CONNECTION_REFUSED',
      message: 'web takes no new connections.',
    });
  });

  it('goes on where the policy refuses the addresses of a backend, and counts it against none', async () => {
    const [a, b] = [await named('a'), await named('b')];
    const { reach, lines } = serving({ backends: [a.at, b.at] });
    for (let at = 0; at < 8; at++)
      expect(
        (
          await reach({
            permit: (backend) =>
              backend.name === `tcp://${a.at}`
                ? { allow: false, code: 'ADDRESS_PROHIBITED', reason: 'no', detail: 'no' }
                : allow(),
          })
        ).backend.name,
      ).toBe(`tcp://${b.at}`);
    expect(lines.filter(({ event }) => event === 'backend-down')).toEqual([]);
  });

  it('leaves time for the next backend when one is silent', async () => {
    const [silent, up] = [
      await service((socket) => {
        socket.resume().on('end', () => {
          socket.end();
        });
      }),
      await named('up'),
    ];
    const { reach } = serving({ backends: [`tls://${silent.at}`, up.at] });
    const reached = await reach({ timeoutMs: 600 });
    expect([reached.backend.name, reached.attempts]).toEqual([`tcp://${up.at}`, 2]);
    await silent.idle();
  });

  it('stops when the client is gone, without another attempt', async () => {
    const [a, b] = [await named('a'), await named('b')];
    const { reach } = serving({ backends: [a.at, b.at] });
    const asked: string[] = [];
    const gone = new AbortController();
    await expect(
      reach({
        signal: gone.signal,
        permit: (backend) => {
          asked.push(backend.name);
          gone.abort();
          return allow();
        },
      }),
    ).rejects.toMatchObject({ code: 'PEER_GONE' });
    expect(asked).toHaveLength(1);
  });

  it('counts a connection until its stream is over', async () => {
    const [a, b] = [await named('a'), await named('b')];
    const { reach } = serving({ backends: [a.at, b.at], balance: 'least-connections' });
    const first = await reach();
    expect((await reach()).backend.name).not.toBe(first.backend.name);
    first.release();
    expect((await reach()).backend.name).toBe(first.backend.name);
  });

  it('keeps an identity at one backend, or a client address', async () => {
    const backends = [await named('a'), await named('b'), await named('c')].map(({ at }) => at);
    const { reach, load } = serving({ backends, balance: 'source' });
    const to = async (client: HostPort): Promise<string> =>
      (await reach({ caller: { identity: alice, client, remote: '127.0.0.1:1', requested: 'web', stream: 's-1' } }))
        .backend.name;
    const clients = Array.from({ length: 12 }, (_, at) => `192.0.2.${at}`);
    const places = async (port: number): Promise<string[]> => {
      const list: string[] = [];
      for (const one of clients) list.push(await to({ host: one, port }));
      return list;
    };
    expect(new Set(await places(1)).size).toBe(1);
    load({ backends, balance: 'source', 'hash-on': 'client' });
    const before = await places(1);
    expect(new Set(before).size).toBeGreaterThan(1);
    expect(await places(2)).toEqual(before);
  });

  it('tells the service who the client is, before anything else', async () => {
    let tell!: (header: ProxyHeader) => void;
    const header = new Promise<ProxyHeader>((resolve) => {
      tell = resolve;
    });
    const { at } = await service((socket) => {
      socket.once('data', (bytes: Buffer) => {
        const step = awaitProxyHeader().receive(bytes);
        if (step.state === 'done') tell(step.value);
      });
    });
    const { reach } = serving({ backends: [at], 'proxy-protocol': 'v2' });
    await reach({
      caller: {
        identity: alice,
        client: { host: '192.0.2.7', port: 5 },
        remote: '127.0.0.1:1',
        requested: 'web',
        stream: 's-1',
      },
    });
    expect((await header).source).toEqual({ host: '192.0.2.7', port: 5 });
  });
});

describe('a circuit', () => {
  it('opens after failed dials in a row, is probed by itself, and closes', async () => {
    const port = await closedPort();
    const up = await named('up');
    const { reach, until, lines } = serving({ backends: [`127.0.0.1:${port}`, up.at] });
    // In turns: every other stream tries the dead one first.
    for (let at = 0; at < 2 * circuitBounds.fall; at++) await reach();
    expect(lines.filter(({ event }) => event === 'backend-down')).toMatchObject([
      {
        service: 'web',
        backend: `tcp://127.0.0.1:${port}`,
        up: 1,
        of: 2,
        reason: expect.stringContaining('ECONNREFUSED'),
      },
    ]);
    for (let at = 0; at < 6; at++) expect((await reach()).attempts).toBe(1);
    const revived = net.createServer().listen(port, '127.0.0.1');
    atEnd(() => {
      revived.close();
    });
    expect(await until(({ event }) => event === 'backend-up')).toMatchObject({
      backend: `tcp://127.0.0.1:${port}`,
      up: 2,
      of: 2,
    });
  });

  it('that is open for all backends lets streams try anyway', async () => {
    const ports = [await closedPort(), await closedPort()];
    const { reach, lines } = serving({ backends: ports.map((port) => `127.0.0.1:${port}`) });
    for (let at = 0; at < circuitBounds.fall; at++)
      await expect(reach()).rejects.toMatchObject({ code: 'CONNECTION_REFUSED' });
    expect(lines.filter(({ event }) => event === 'backend-down').map((line) => [line['up'], line['msg']])).toEqual([
      [1, 'a backend is down'],
      [0, 'no backend is up: all are tried'],
    ]);
    const revived = net.createServer().listen(ports[1], '127.0.0.1');
    atEnd(() => {
      revived.close();
    });
    await once(revived, 'listening');
    expect((await reach()).attempts).toBe(2);
  });
});

describe('a reload', () => {
  it('keeps what is known of backends, and takes the new settings and backends', async () => {
    const port = await closedPort();
    const [up, fresh] = [await named('up'), await named('fresh')];
    const dead = `127.0.0.1:${port}`;
    const { reach, load, lines } = serving({ backends: [dead, up.at] });
    for (let at = 0; at < 2 * circuitBounds.fall; at++) await reach();
    load({ backends: [dead, up.at, fresh.at] });
    for (let at = 0; at < 6; at++) expect((await reach()).attempts).toBe(1);
    expect(lines.filter(({ event }) => event === 'backend-down')).toHaveLength(1);
  });

  it('that names an unusable file changes nothing', async () => {
    const up = await named('up');
    const { services, reach } = serving({ backends: [up.at] });
    expect(() => services.prepare(servicesOf({ backends: ['tls://a:1'], tls: { ca: 'missing.pem' } }), folder)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
    expect((await reach()).backend.name).toBe(`tcp://${up.at}`);
  });

  it('says which files the services need', () => {
    const files = certificates();
    writeFileSync(join(folder, 'own.crt'), files.authority.certPem);
    const { services, load } = serving({ backends: ['tls://a:1'], tls: { ca: files.ca } });
    expect(services.files).toEqual([files.ca]);
    load({ backends: ['tls://a:1'], tls: { ca: 'own.crt' } });
    expect(services.files).toEqual([join(folder, 'own.crt')]);
    load('tcp://a:1');
    expect(services.files).toEqual([]);
    expect(loadServices(servicesOf('tcp://a:1'), folder).tls.size).toBe(0);
  });
});

test('probes reach only what some rule allows, and name no client', async () => {
  const asked: string[] = [];
  let tell!: (bytes: string) => void;
  const greeted = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const { at } = await service((socket) => {
    socket.once('data', (bytes: Buffer) => {
      tell(bytes.toString('latin1'));
    });
  });
  serving(
    { backends: [at], health: { interval: '100ms' }, 'proxy-protocol': 'v1' },
    {
      permitProbe: (name, backend, address) => {
        asked.push(`${name} ${backend.name} ${address}`);
        return allow();
      },
    },
  );
  expect(await greeted).toBe('PROXY UNKNOWN\r\n');
  expect(asked[0]).toBe(`web tcp://${at} 127.0.0.1`);
});

test('a judge that throws is INTERNAL for a stream, and counts against no backend', async () => {
  const { at } = await named('a');
  const { reach, lines } = serving({ backends: [at, '127.0.0.1:1'] });
  const permit = (): Permit => {
    throw new TypeError('broken');
  };
  for (let nth = 0; nth < 3; nth++)
    await expect(reach({ permit })).rejects.toMatchObject({ code: 'INTERNAL', by: 'us' });
  expect(lines).toEqual([]);
});

test('probes go on after a judge that throws', async () => {
  let asked = 0;
  let tell!: () => void;
  const again = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const { at } = await named('a');
  const { lines } = serving(
    { backends: [at], health: { interval: '100ms', fall: 1 } },
    {
      permitProbe: () => {
        if (++asked === 3) tell();
        throw new TypeError('broken');
      },
    },
  );
  await again;
  expect(lines).toEqual([]);
});

test('after close nothing is probed', async () => {
  let probed = 0;
  const { at, idle } = await service((socket) => {
    probed++;
    socket.resume().on('end', () => {
      socket.end();
    });
  });
  const { services, until, load } = serving({ backends: [at, '127.0.0.1:1'], health: { interval: '100ms', fall: 1 } });
  await until(({ event }) => event === 'backend-down');
  services.close();
  await idle();
  const before = probed;
  load({ backends: [at], health: { interval: '100ms' } });
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  expect(probed).toBe(before);
});
