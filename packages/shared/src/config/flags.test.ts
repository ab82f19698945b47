import { expect, test } from '@jest/globals';
import { declareFlags, fieldOf, type FlagTarget, type HiddenOption, pointElsewhere } from './flags.ts';
import { parsed } from './parsed.ts';
import type { Settings } from './setting.ts';

const settings = {
  listen: {
    name: 'listen',
    short: 'L',
    argument: 'HOST:PORT',
    many: true,
    fallback: 'a:1',
    parse: parsed,
    help: 'where',
  },
  clientCa: { name: 'client-ca', argument: 'FILE', required: true, parse: parsed, help: 'who' },
  password: { name: 'password', argument: 'TEXT', secret: true, parse: parsed, help: 'hidden' },
  check: { name: 'check', fallback: 'false', parse: parsed, help: 'only look' },
} as const satisfies Settings;

const declared = (): {
  readonly flags: string;
  readonly description: string;
  readonly gather: Parameters<FlagTarget['option']>[2];
}[] => {
  const found: ReturnType<typeof declared> = [];
  declareFlags({ option: (flags, description, gather) => found.push({ flags, description, gather }) }, settings);
  return found;
};

test('every setting but a secret is a flag, and --config is one', () => {
  expect(declared().map(({ flags, description }) => [flags, description])).toEqual([
    ['-L, --listen <HOST:PORT>', 'where (repeatable, default a:1)'],
    ['--client-ca <FILE>', 'who (required)'],
    ['--check', 'only look'],
    ['--config <FILE>', 'YAML file with any of these as keys'],
  ]);
});

test('texts are gathered in order, and a switch counts as true', () => {
  const { gather } = declared()[0]!;
  expect(gather('b', gather('a', undefined))).toEqual(['a', 'b']);
  expect(gather(undefined, undefined)).toEqual(['true']);
});

test('the field of a flag is its name in camel case', () => {
  expect(['listen', 'client-ca', 'max-streams-per-identity'].map(fieldOf)).toEqual([
    'listen',
    'clientCa',
    'maxStreamsPerIdentity',
  ]);
});

test('a flag that there is not fails with words that point elsewhere, and is not in the help', () => {
  const said: unknown[] = [];
  let fail = (): unknown => undefined;
  pointElsewhere(
    {
      createOption: (flags) => ({
        flags,
        hideHelp: () => said.push('hidden'),
        argParser: (parse) => {
          fail = parse;
        },
      }),
      addOption: ({ flags }: { flags: string } & HiddenOption) => said.push(flags),
    },
    '-R <SPEC>',
    'not here',
  );
  expect(said).toEqual(['hidden', '-R <SPEC>']);
  expect(fail).toThrow(expect.objectContaining({ code: 'USAGE', message: 'not here' }));
});
