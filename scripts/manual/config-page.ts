/**
 * adit-config(5): docs/configuration.md, with the keys of each half from its table of settings.
 * Rule: a key is described by its row alone; the page of docs/ gives the rest.
 */
import { type Setting, type Settings, variableOf } from '@adit/shared/config/setting';
import { markdownPage } from './markdown.ts';
import { bold, italic, roff, sentences, tagged } from './roff.ts';

/** The comment of docs/configuration.md, after which its own tables of keys stand. */
const tablesBegin = '<!-- Generated from the tables of settings';

/** The sections after NAME. `halves` maps `adit egress` to its settings. */
export function configPage(text: string, halves: Readonly<Record<string, Settings>>): string[] {
  const [before, generated] = text.split(tablesBegin);
  const last = Object.keys(halves).at(-1)!;
  const after = generated?.slice(generated.indexOf(`## ${last}`)).split(/^(?=## )/m)[1];
  if (after === undefined) throw new Error('docs/configuration.md has no section after the generated tables');
  return [
    ...markdownPage(before!),
    ...Object.entries(halves).flatMap(([command, settings]) => keys(command, settings)),
    ...markdownPage(after).slice(1),
  ];
}

function keys(command: string, settings: Settings): string[] {
  return [
    `.SH KEYS OF ${roff(command.toUpperCase())}`,
    sentences(`${roff('The flag has the name of the key: ')}${bold('--key')}.`),
    ...Object.values(settings)
      .filter(({ secret }) => secret !== true)
      .map(key),
  ];
}

function key({ name, argument, help, many, required, fallback, short }: Setting): string {
  const notes = [
    required && roff('Required.'),
    many && roff('One value or a list.'),
    fallback !== undefined && `${roff('Default:')} ${bold(fallback)}.`,
    short !== undefined && `${roff('Short flag:')} ${bold(`-${short}`)}.`,
    `${roff('Variable:')} ${bold(variableOf(name))}.`,
  ].filter((note) => typeof note === 'string');
  const value = argument === undefined ? `${bold('true')}|${bold('false')}` : italic(argument);
  return tagged(`${bold(`${name}:`)} ${value}`, `${roff(/[.?!]$/.test(help) ? help : `${help}.`)} ${notes.join(' ')}`);
}
