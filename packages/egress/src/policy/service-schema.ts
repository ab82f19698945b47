/**
 * The schema of one service in a policy file: a single address, or a map with `backends` and how they are used.
 * Rule: the schema is chosen by the type of the value (text or map), so that a complaint is about the form that was
 * written. Addresses come out in one spelling, and a service lists each once.
 * Not here: whether the files that `tls` names can be used (backend/service-tls.ts).
 */
import { parseDuration } from '@adit/shared/config/values/duration';
import type { Parsed } from '@adit/shared/protocol/address';
import { formatHostPort, parseDestination, parseHost } from '@adit/shared/protocol/destination';
import { z } from 'zod';
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
import { textOf } from './text-of.ts';
import { viaSchema, type Via } from './via.ts';

export type ServiceSource = Omit<Service, 'name'>;

/** The schema for what stands under the name of a service. */
export function serviceSchema(raw: unknown) {
  if (typeof raw === 'string')
    return textOf(parseShort).transform(({ value }): ServiceSource => ({ ...serviceDefaults, backends: [value] }));
  const { backends: written, via: hop } = (raw ?? {}) as { readonly backends?: unknown; readonly via?: unknown };
  const entries = Array.isArray(written) ? written.map(backendSchema) : [];
  return z
    .strictObject({
      backends:
        Array.isArray(written) && written.length > 0
          ? z.tuple(entries as [z.ZodType<Backend>, ...z.ZodType<Backend>[]])
          : z.array(backendSchema('')).min(1),
      balance: z.enum(balances).optional(),
      'hash-on': z.enum(hashOns).optional(),
      health: health.optional(),
      'proxy-protocol': z.enum(proxyProtocols).optional(),
      tls: tls.optional(),
      via: viaSchema(hop).optional(),
    })
    .superRefine((value, context) => {
      for (const { path, message } of faults(value)) context.addIssue({ code: 'custom', path: [...path], message });
    })
    .transform(
      ({
        backends,
        balance,
        'hash-on': hashOn,
        health: checks,
        'proxy-protocol': proxyProtocol,
        tls: toward,
        via,
      }): ServiceSource => ({
        backends: via === undefined ? backends : backends.map((backend) => ({ via, ...backend })),
        balance: balance ?? serviceDefaults.balance,
        hashOn: hashOn ?? serviceDefaults.hashOn,
        tls: toward ?? {},
        ...(checks && { health: checks }),
        ...(proxyProtocol && { proxyProtocol }),
      }),
    );
}

/** The keys of each map below a service. */
export const serviceKeys: Readonly<Record<string, readonly string[]>> = {
  '': ['backends', 'balance', 'hash-on', 'health', 'proxy-protocol', 'tls', 'via'],
  backends: ['address', 'weight', 'via'],
  health: ['interval', 'timeout', 'rise', 'fall'],
  tls: ['ca', 'server-name', 'cert', 'key'],
};

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

function backendSchema(raw: unknown): z.ZodType<Backend> {
  if (typeof raw === 'string') return textOf(parseBackend).transform(({ value }) => value);
  const hop = (raw as { readonly via?: unknown } | null | undefined)?.via;
  return z
    .strictObject({
      address: textOf(parseBackend),
      weight: wholeNumber(0, maxWeight).optional(),
      via: viaSchema(hop).optional(),
    })
    .transform(({ address: { value }, weight = 1, via }) => ({ ...value, weight, ...(via && { via }) }));
}

function wholeNumber(least: number, most: number) {
  return z.unknown().transform((value, context) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    context.issues.push({ code: 'custom', message: `has to be a whole number from ${least} to ${most}`, input: value });
    return z.NEVER;
  });
}

const shortestMs = 100;

/** Milliseconds; a number without a unit is seconds. */
const time = z.preprocess(
  (value) => (typeof value === 'number' ? String(value) : value),
  textOf((text: string): Parsed<number> => {
    const duration = parseDuration(text);
    return duration.ok && duration.value < shortestMs
      ? { ok: false, reason: `too short: at least ${shortestMs}ms` }
      : duration;
  }),
);

const health = z
  .strictObject({
    interval: time.optional(),
    timeout: time.optional(),
    rise: wholeNumber(1, 100).optional(),
    fall: wholeNumber(1, 100).optional(),
  })
  .transform(({ interval, timeout, rise, fall }) => ({
    intervalMs: interval?.value ?? healthDefaults.intervalMs,
    timeoutMs: timeout?.value ?? healthDefaults.timeoutMs,
    rise: rise ?? healthDefaults.rise,
    fall: fall ?? healthDefaults.fall,
  }));

const file = textOf((text): Parsed<string> =>
  text === '' || text.includes('\0') ? { ok: false, reason: 'name a file' } : { ok: true, value: text },
);
const serverName = textOf(parseHost);

const tls = z
  .strictObject({
    ca: file.optional(),
    'server-name': serverName.optional(),
    cert: file.optional(),
    key: file.optional(),
  })
  .transform(({ ca, 'server-name': name, cert, key }) => ({
    ...(ca && { ca: ca.value }),
    ...(name && { serverName: name.value }),
    ...(cert && { cert: cert.value }),
    ...(key && { key: key.value }),
  }));

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
