import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { AditError } from '../errors.ts';
import { parseSwitch } from './values/choice.ts';
import { parseCount } from './values/count.ts';
import { parseDuration } from './values/duration.ts';
import { parsePath } from './values/file-path.ts';
import { parseListenAddress } from './values/host-port.ts';
import { parsed, unparsed } from './parsed.ts';
import type { HostPort } from '../protocol/destination.ts';
import { resolveOptions, type Sources } from './resolve.ts';
import type { Settings } from './setting.ts';

const settings = {
  listen: {
    name: 'listen',
    argument: 'HOST:PORT',
    many: true,
    fallback: '127.0.0.1:8443',
    parse: parseListenAddress,
    help: '',
  },
  cert: { name: 'cert', argument: 'FILE', required: true, parse: parsePath, help: '' },
  crl: { name: 'crl', argument: 'FILE', parse: parsePath, help: '' },
  idleTimeoutMs: { name: 'idle-timeout', argument: 'DURATION', fallback: '0', parse: parseDuration, help: '' },
  maxStreams: { name: 'max-streams', argument: 'N', fallback: '100', parse: parseCount, help: '' },
  policy: {
    name: 'policy',
    argument: 'TEXT',
    secret: true,
    parse: (text) => (text === 'right' ? parsed(text) : unparsed(`wrong ${text}`)),
    help: '',
  },
  check: { name: 'check', fallback: 'false', parse: parseSwitch, help: '' },
} as const satisfies Settings;

const folder = mkdtempSync(join(tmpdir(), 'adit-'));
const path = join(folder, 'c.yaml');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Options of flags, environment and the text of a file. */
function resolve({ flags = {}, environment = {}, file }: Partial<Sources> & { file?: string }): unknown {
  if (file !== undefined) writeFileSync(path, file, { mode: 0o600 });
  return resolveOptions(settings, {
    flags: { ...flags, ...(file === undefined ? {} : { config: [path] }) },
    environment,
  });
}
/** What is complained about, one line each, without the folder. */
function complaints(sources: Parameters<typeof resolve>[0]): { code: string; lines: string[] } {
  try {
    resolve(sources);
  } catch (error) {
    if (error instanceof AditError)
      return { code: error.code, lines: error.message.replaceAll(`${folder}/`, '').split('\n') };
    throw error;
  }
  return { code: 'none', lines: [] };
}

describe('options', () => {
  test('are complete, typed and frozen, with defaults', () => {
    const options = resolveOptions(settings, { flags: { cert: ['edge.crt'] }, environment: {} });
    const listen: readonly HostPort[] = options.listen;
    const crl: string | undefined = options.crl;
    expect([listen, crl]).toEqual([[{ host: '127.0.0.1', port: 8443 }], undefined]);
    expect(options).toEqual({ listen, cert: 'edge.crt', idleTimeoutMs: 0, maxStreams: 100, check: false });
    expect('crl' in options).toBe(false);
    expect(Object.isFrozen(options) && Object.isFrozen(options.listen)).toBe(true);
  });

  test('come from the strongest source: flag, variable, file, default', () => {
    const sources = [
      ['flags', { maxStreams: ['1'] }],
      ['environment', { ADIT_MAX_STREAMS: '2' }],
      ['file', 'max-streams: 3\ncert: x\n'],
    ] as const;
    fc.assert(
      fc.property(fc.subarray([0, 1, 2]), (present) => {
        const given = Object.fromEntries(present.map((index) => sources[index]!)) as Parameters<typeof resolve>[0];
        const options = resolve({ ...given, flags: { cert: ['x'], ...given.flags } });
        expect(options).toMatchObject({ maxStreams: present.length === 0 ? 100 : present[0]! + 1 });
      }),
    );
  });

  test(
    'take a list whole from its strongest source: repeated flags, comma-separated variable, list or single value ' +
      'of a file',
    () => {
      const port = (...sources: Partial<Sources & { file: string }>[]): unknown =>
        (
          resolve({ flags: { cert: ['x'] }, ...Object.assign({}, ...sources) }) as { listen: { port: number }[] }
        ).listen.map((item) => item.port);
      expect(port({ flags: { cert: ['x'], listen: ['a:1', 'b:2'] }, environment: { ADIT_LISTEN: 'a:3' } })).toEqual([
        1, 2,
      ]);
      expect(port({ environment: { ADIT_LISTEN: 'a:3, [::1]:4' }, file: 'listen: a:5' })).toEqual([3, 4]);
      expect(port({ file: 'listen: a:5' })).toEqual([5]);
      expect(port({ file: 'listen: [a:5, "[::1]:6"]' })).toEqual([5, 6]);
    },
  );

  test('of a file have their paths beside that file, of a flag and a variable where the program runs', () => {
    expect(resolve({ file: 'cert: tls/edge.crt\ncrl: /x/ca.crl' })).toMatchObject({
      cert: join(folder, 'tls/edge.crt'),
      crl: '/x/ca.crl',
    });
    expect(resolve({ environment: { ADIT_CERT: 'edge.crt' } })).toMatchObject({ cert: 'edge.crt' });
  });

  test('may name their file in ADIT_CONFIG, and the flag wins', () => {
    writeFileSync(path, 'cert: from-file', { mode: 0o600 });
    expect(resolveOptions(settings, { flags: {}, environment: { ADIT_CONFIG: path } }).cert).toBe(
      join(folder, 'from-file'),
    );
    expect(resolve({ file: 'cert: /other', environment: { ADIT_CONFIG: '/absent' } })).toMatchObject({
      cert: '/other',
    });
  });
});

describe('complaints', () => {
  test('about a missing value name the flag, the variable and the key', () => {
    expect(complaints({})).toEqual({
      code: 'USAGE',
      lines: [
        '--cert is required: give it on the command line, as ADIT_CERT in the environment, or as "cert:" in the ' +
          'file of --config',
      ],
    });
  });
  test('about an unknown key say where it is and what was meant', () => {
    expect(complaints({ file: 'cert: x\nlissten: a:1\n' })).toEqual({
      code: 'CONFIG_UNKNOWN_KEY',
      lines: ['c.yaml:2:1: the key "lissten" is unknown; did you mean "listen"?'],
    });
    expect(complaints({ file: 'cert: x\nconfig: y\n' }).lines).toEqual([
      'c.yaml:2:1: a configuration file cannot name another one',
    ]);
  });
  test('about something else also name an unknown variable, which may be the reason; alone it stops nothing', () => {
    expect(complaints({ flags: { cert: ['x'] }, environment: { ADIT_LISTN: 'a:1' } }).code).toBe('none');
    expect(complaints({ flags: { cert: ['x'], maxStreams: ['-'] }, environment: { ADIT_LISTN: 'a:1' } })).toEqual({
      code: 'CONFIG_INVALID',
      lines: [
        'the environment variable "ADIT_LISTN" is unknown; did you mean ADIT_LISTEN?',
        '--max-streams "-": not a count: write a whole number from 1 to 2147483647',
      ],
    });
  });
  test('about a value name its source, flag, variable, or line and column', () => {
    expect(complaints({ flags: { cert: ['x'], maxStreams: ['many'] } }).lines).toEqual([
      '--max-streams "many": not a count: write a whole number from 1 to 2147483647',
    ]);
    expect(complaints({ flags: { cert: ['x'] }, environment: { ADIT_IDLE_TIMEOUT: '1d' } }).lines).toEqual([
      'ADIT_IDLE_TIMEOUT "1d": not a duration: write 500ms, 10s, 5m, 1h, or 0 for none',
    ]);
    expect(complaints({ file: 'cert: x\nlisten:\n  - a:1\n  - :2\n' }).lines).toEqual([
      'c.yaml:4:5: listen ":2": the host is missing: write 127.0.0.1:2 for this machine only, ' +
        '*:2 for every address it has',
    ]);
  });
  test('come all at once, those about the file in its order', () => {
    expect(
      complaints({
        flags: { maxStreams: ['0'] },
        environment: { ADIT_CRL: '', ADIT_NOPE: '1' },
        file: 'max-streams: 1e3\nzzz: 1\nidle-timeout: 1d\n',
      }),
    ).toEqual({
      code: 'CONFIG_INVALID',
      lines: [
        'the environment variable "ADIT_NOPE" is unknown and ignored',
        expect.stringMatching(/^ADIT_CRL is empty: unset it/),
        expect.stringMatching(/^--max-streams "0"/),
        expect.stringMatching(/^c\.yaml:1:14: max-streams "1e3"/),
        expect.stringMatching(/^c\.yaml:2:1: the key "zzz" is unknown$/),
        expect.stringMatching(/^c\.yaml:3:15: idle-timeout "1d"/),
        expect.stringMatching(/^--cert is required/),
      ],
    });
  });
  test('about a value that another source overrides are not lost', () => {
    expect(complaints({ flags: { cert: ['x'], maxStreams: ['5'] }, file: 'max-streams: none' }).lines).toEqual([
      expect.stringContaining('c.yaml:1:14'),
    ]);
  });
  test('do not call missing what an unreadable file may hold', () => {
    expect(complaints({ file: 'cert: "x\n' }).lines).toEqual([expect.stringMatching(/^c\.yaml:2:1: Missing closing/)]);
    expect(complaints({ file: 'cert: [a, b]\n' }).lines).toEqual(['c.yaml:1:1: cert takes one value, not a list']);
  });
  test('never show the value of a secret', () => {
    for (const sources of [{ environment: { ADIT_POLICY: 'hunter2' } }, { file: 'policy: hunter2' }])
      expect(complaints({ flags: { cert: ['x'] }, ...sources }).lines).toEqual([
        expect.stringMatching(/: the value is not usable$|the value is not usable/),
      ]);
    expect(JSON.stringify(complaints({ flags: { cert: ['x'] }, file: 'policy: hunter2' }))).not.toContain('hunter2');
  });
  test('about a flag given twice, an empty list, an empty value and an empty --config', () => {
    expect(complaints({ flags: { cert: ['x', 'y'] } })).toEqual({
      code: 'USAGE',
      lines: ['--cert is given more than once'],
    });
    expect(complaints({ file: 'cert: x\nlisten: []' }).lines).toEqual(['c.yaml:2:1: listen is an empty list']);
    expect(complaints({ file: 'cert:\n' }).lines).toEqual(['c.yaml:1:6: cert "": empty: name a file']);
    expect(complaints({ flags: { cert: ['x'], config: [''] } }).lines).toEqual([
      '--config is empty: name a file, or leave it out',
    ]);
    expect(complaints({ flags: { cert: ['x'] }, environment: { ADIT_LISTEN: 'a:1,,b:2' } }).lines).toEqual([
      'ADIT_LISTEN "": the destination is missing',
    ]);
  });
  test('are all that is ever thrown, whatever the texts', () => {
    fc.assert(
      fc.property(
        fc.record({
          flags: fc.dictionary(
            fc.constantFrom('cert', 'listen', 'maxStreams', 'check'),
            fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
          ),
          environment: fc.dictionary(
            fc.constantFrom('ADIT_LISTEN', 'ADIT_CRL', 'ADIT_X', 'ADIT_CHECK', '__proto__'),
            fc.string(),
          ),
        }),
        (sources) => {
          try {
            resolveOptions(settings, sources);
          } catch (error) {
            expect(error).toMatchObject({ name: 'AditError', exitStatus: 2 });
          }
        },
      ),
    );
  });
});
