/**
 * The schema of one service in a policy file: a single address, or a map with `backends` and how they are used.
 * Rule: the schema is chosen by the type of the value (text or map), so that a complaint is about the form that was
 * written. Addresses come out in one spelling, and a service lists each once.
 * Not here: whether the files that `tls` names can be used (backend/service-tls.ts).
 */
import { parseDuration } from '@adit/shared/config/values/duration';
import type { Parsed } from '@adit/shared/protocol/address';
import { formatHostPort, parseDestination, parseHost } from '@adit/shared/protocol/destination';
import {
  balances,
  hashOns,
  healthDefaults,
  maxWeight,
  proxyProtocols,
  serviceDefaults,
  type Backend,
  type BackendAddress,
  type Service,
} from './service.ts';
import { list, map, oneOf, type Shape, textOf, refine, wholeNumber } from './shape.ts';
import { type Via, via } from './via.ts';

export type ServiceSource = Omit<Service, 'name'>;

/** What stands under the name of a service: an address, or a map. */
export const service: Shape<ServiceSource> = (value, at) =>
  typeof value === 'string' ? shortForm(value, at) : longForm(value, at);

const forms = 'tcp://HOST:PORT, tls://HOST:PORT or unix:/PATH';

/** The short form requires a scheme. */
function parseShort(text: string): Parsed<Backend> {
  return /^(?:tcp|tls):\/\/|^unix:/.test(text) ? parseBackend(text) : { ok: false, reason: `write ${forms}` };
}

function parseBackend(text: string): Parsed<Backend> {
  if (text.startsWith('unix:')) return parseUnix(text.slice('unix:'.length).replace(/^\/\/(?=\/)/, ''));
  const [, scheme, address = ''] = /^(?:([^/:[\]]*):\/\/)?(.*)$/s.exec(text) ?? [];
  if (scheme !== undefined && scheme !== 'tcp' && scheme !== 'tls') return { ok: false, reason: `write ${forms}` };
  const parsed = parseDestination(address);
  if (!parsed.ok) return parsed;
  if (parsed.value.kind === 'service') return { ok: false, reason: `the port is missing: write ${forms}` };
  const { host, port } = parsed.value;
  return { ok: true, value: named({ kind: scheme ?? 'tcp', host, port }, 1) };
}

/** The kernel's bound: 108 bytes with the final NUL (unix(7)). */
const maxUnixPathBytes = 107;

function parseUnix(path: string): Parsed<Backend> {
  if (!path.startsWith('/') || path.endsWith('/'))
    return { ok: false, reason: 'the path of a Unix socket is absolute: write unix:/PATH' };
  if (path.includes('\0')) return { ok: false, reason: 'a path cannot hold a NUL character' };
  return Buffer.byteLength(path) > maxUnixPathBytes
    ? { ok: false, reason: `the path of a Unix socket has at most ${maxUnixPathBytes} bytes` }
    : { ok: true, value: named({ kind: 'unix', path }, 1) };
}

function named(address: BackendAddress, weight: number): Backend {
  const name =
    address.kind === 'unix'
      ? `unix:${address.path}`
      : `${address.kind}://${formatHostPort(address.host, address.port)}`;
  return { ...address, weight, name };
}

const shortForm = refine(textOf(parseShort), ({ value }): ServiceSource => ({ ...serviceDefaults, backends: [value] }));

const backend: Shape<Backend> = (value, at) =>
  typeof value === 'string' ? shortBackend(value, at) : longBackend(value, at);

const shortBackend = refine(textOf(parseBackend), ({ value }) => value);

const longBackend = refine(
  map({ address: textOf(parseBackend) }, { weight: wholeNumber(0, maxWeight), via }),
  ({ address: { value }, weight = 1, via: hop }): Backend => ({ ...value, weight, ...(hop && { via: hop }) }),
);

const shortestMs = 100;

/** Milliseconds; a number without a unit is seconds. */
const duration = textOf((written: string): Parsed<number> => {
  const parsed = parseDuration(written);
  return parsed.ok && parsed.value < shortestMs ? { ok: false, reason: `too short: at least ${shortestMs}ms` } : parsed;
});
const time: Shape<{ readonly value: number }> = (value, at) =>
  duration(typeof value === 'number' ? String(value) : value, at);

const health = refine(
  map({}, { interval: time, timeout: time, rise: wholeNumber(1, 100), fall: wholeNumber(1, 100) }),
  ({ interval, timeout, rise, fall }) => ({
    intervalMs: interval?.value ?? healthDefaults.intervalMs,
    timeoutMs: timeout?.value ?? healthDefaults.timeoutMs,
    rise: rise ?? healthDefaults.rise,
    fall: fall ?? healthDefaults.fall,
  }),
);

const file = textOf((written): Parsed<string> =>
  written === '' || written.includes('\0') ? { ok: false, reason: 'name a file' } : { ok: true, value: written },
);
const serverName = textOf(parseHost);

const tls = refine(
  map({}, { ca: file, 'server-name': serverName, cert: file, key: file }),
  ({ ca, 'server-name': name, cert, key }) => ({
    ...(ca && { ca: ca.value }),
    ...(name && { serverName: name.value }),
    ...(cert && { cert: cert.value }),
    ...(key && { key: key.value }),
  }),
);

const longForm = refine(
  map(
    { backends: list(backend, { least: 1 }) },
    {
      balance: oneOf(...balances),
      'hash-on': oneOf(...hashOns),
      health,
      'proxy-protocol': oneOf(...proxyProtocols),
      tls,
      via,
    },
  ),
  (written, at): ServiceSource | undefined => {
    const wrong = faults(written);
    for (const { path, message } of wrong) at.fault(message, path);
    if (wrong.length > 0) return undefined;
    const { backends, balance, 'hash-on': hashOn, health: checks, 'proxy-protocol': proxyProtocol } = written;
    const { tls: toward, via: hop } = written;
    return {
      backends: hop === undefined ? backends : backends.map((one) => ({ via: hop, ...one })),
      balance: balance ?? serviceDefaults.balance,
      hashOn: hashOn ?? serviceDefaults.hashOn,
      tls: toward ?? {},
      ...(checks && { health: checks }),
      ...(proxyProtocol && { proxyProtocol }),
    };
  },
);

interface Written {
  readonly backends: readonly Backend[];
  readonly balance?: string | undefined;
  readonly 'hash-on'?: string | undefined;
  readonly tls?: object | undefined;
  readonly via?: Via | undefined;
}
interface Fault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Values that are right on their own and wrong together. */
function faults({ backends, balance, 'hash-on': hashOn, tls: toward, via }: Written): Fault[] {
  const names = backends.map(({ name }) => name);
  return [
    ...names.flatMap((name, at) =>
      names.indexOf(name) < at
        ? [{ path: ['backends', at], message: `${JSON.stringify(name)} is listed twice: give it a weight instead` }]
        : [],
    ),
    ...(backends.every(({ weight }) => weight === 0)
      ? [{ path: ['backends'], message: 'all have weight 0: none would take streams' }]
      : []),
    ...(hashOn !== undefined && balance !== 'source'
      ? [{ path: ['hash-on'], message: 'is for "balance: source" only' }]
      : []),
    ...(toward !== undefined && !backends.some(({ kind }) => kind === 'tls')
      ? [{ path: ['tls'], message: 'is for tls:// backends, and there is none' }]
      : []),
    ...backends.flatMap((backend, at) =>
      backend.kind === 'unix' && (backend.via ?? via) !== undefined
        ? [{ path: ['backends', at], message: 'is a Unix socket, which no proxy can reach' }]
        : [],
    ),
    ...(toward !== undefined && 'cert' in toward !== 'key' in toward
      ? [{ path: ['tls'], message: 'needs both "cert" and "key", or neither' }]
      : []),
  ];
}
