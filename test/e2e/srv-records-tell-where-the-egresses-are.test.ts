import { expect } from '@jest/globals';
import { type Egress, startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { converse } from '../support/conversation.ts';
import { type ServiceRecord, ownResolver, startNameServer } from '../support/dns.ts';
import { newServer } from '../support/issuer.ts';
import { ask, echo } from '../support/services.ts';
import { scenario } from '../support/scenario.ts';
import { eventually } from '../support/scope.ts';

const service = '_adit._tcp.example.org';
/** How often the ingress looks again: 30 s, and what a busy machine adds. */
const lookAgainMs = 75_000;

/**
 * Egresses by name, each with a certificate for NAME.example.org; SRV records that can be changed; an ingress that
 * knows nothing but the name of the service.
 */
async function setUp(
  names: readonly string[],
  listed: (record: (name: string, priority: number, weight: number) => ServiceRecord) => readonly ServiceRecord[],
) {
  const files = certificates();
  const echoes = await echo();
  const egresses = new Map<string, Egress>();
  for (const name of names)
    egresses.set(
      name,
      await startEgress({
        certificates: {
          ...files,
          egress: files.write(name, newServer(files.authority, { dns: [`${name}.example.org`] })),
        },
      }),
    );
  const egress = (name: string): Egress => egresses.get(name)!;
  const record = (name: string, priority: number, weight: number): ServiceRecord => ({
    priority,
    weight,
    port: egress(name).port,
    target: `${name}.example.org`,
  });
  let records: readonly ServiceRecord[] | undefined = listed(record);
  const dns = await startNameServer(
    (name) => (name.endsWith('.example.org') && !name.startsWith('_') ? ['127.0.0.1'] : undefined),
    (name) => (name === service ? records : undefined),
  );
  const ingress = await startIngress({
    certificates: files,
    egressPort: 0,
    egress: `srv:${service}`,
    to: { echo: echoes.at },
    process: { prefix: dns.prefix },
  });
  const port = ingress.ports['echo']!;
  const connected = (name: string) =>
    ingress.process.event('connected', { egress: `${name}.example.org:${egress(name).port}` }, { ms: lookAgainMs });
  return {
    dns,
    ingress,
    egress,
    port,
    record,
    connected,
    list: (now: readonly ServiceRecord[] | undefined): void => {
      records = now;
    },
    /** The egresses that serve the next five connections. */
    whoServes: async (): Promise<string[]> => {
      const before = new Map(names.map((name) => [name, egress(name).process.all('stream').length]));
      for (let n = 0; n < 5; n++) expect(await ask(port, 'who?')).toBe('who?');
      const served = (name: string): number => egress(name).process.all('stream').length - before.get(name)!;
      await eventually('five records', () => names.reduce((sum, name) => sum + served(name), 0) >= 5);
      return names.filter((name) => served(name) > 0);
    },
  };
}

scenario(
  'the lowest priority is preferred, and the heaviest within it; the next one takes over when one is gone',
  [ownResolver],
  async () => {
    // 65535 to 0: the light one goes first once in 65536 times.
    const { ingress, egress, connected, whoServes } = await setUp(['backup', 'light', 'heavy'], (record) => [
      record('backup', 20, 65_535),
      record('light', 10, 0),
      record('heavy', 10, 65_535),
    ]);

    await Promise.all(['backup', 'light', 'heavy'].map(connected));

    expect(await whoServes()).toEqual(['heavy']);
    await egress('heavy').process.kill();
    await ingress.process.event('detached');
    expect(await whoServes()).toEqual(['light']);
    await egress('light').process.kill();
    await ingress.process.event('detached', {}, { nth: 2 });
    expect(await whoServes()).toEqual(['backup']);
  },
);

scenario(
  'changed records lead new connections to the new egress, open ones stay; a failed lookup changes nothing',
  [ownResolver],
  async () => {
    const { dns, ingress, egress, port, record, connected, list, whoServes } = await setUp(['old', 'new'], (one) => [
      one('old', 10, 0),
    ]);

    await connected('old');

    expect(await whoServes()).toEqual(['old']);
    const open = await converse(port, 'before');

    list([record('new', 10, 0)]);
    await connected('new');
    expect(await whoServes()).toEqual(['new']);
    await open.echoes('after');
    open.socket.end();
    expect((await open.received).ending).toBe('end');

    // The name is gone: the known egresses stay, and the old one, which has no streams any more, is left.
    list(undefined);
    const asked = dns.serviceQueries(service);
    await egress('old').process.event('disconnected', {}, { ms: lookAgainMs });
    expect(dns.serviceQueries(service)).toBeGreaterThan(asked);
    expect(await whoServes()).toEqual(['new']);
    expect(ingress.process.all('connected')).toHaveLength(2);
  },
  240_000,
);

scenario(
  'an egress that the records name is not believed if its certificate is for another name',
  [ownResolver],
  async () => {
    const { ingress } = await setUp(['true'], (record) => [{ ...record('true', 10, 0), target: 'false.example.org' }]);
    expect(await ingress.process.event('retrying', { code: 'EGRESS_CERT_INVALID' })).toMatchObject({
      egress: expect.stringContaining('false.example.org'),
    });
    expect(ingress.process.all('connected')).toEqual([]);
  },
);
