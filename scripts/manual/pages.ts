/**
 * All man pages and completions, as files: `man/man1/adit.1`, `completions/adit.bash`.
 * Rule: the same sources, version and date give the same bytes.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { egressSettings } from '@adit/egress';
import { ingressSettings } from '@adit/ingress';
import { type CommandRow, commandRows } from '../../packages/cli/src/completion/commands.ts';
import { completionScript } from '../../packages/cli/src/completion.ts';
import { program } from '../../packages/cli/src/program.ts';
import { commandPage } from './command-page.ts';
import { configPage } from './config-page.ts';
import { markdownPage } from './markdown.ts';
import { type Edition, page, type Title } from './roff.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs');
const document = (name: string): string => readFileSync(join(docs, name), 'utf8');

/** Every file by its path. */
export function manualFiles(edition: Edition): Map<string, string> {
  const adit = commandRows(program());
  const pages = [...commandPages(adit), ...formatPages()];
  const names = pages.map(({ title }) => `${title.name}(${title.section})`);
  return new Map([
    ...pages.map(({ title, body }): [string, string] => [
      `man/man${title.section}/${title.name}.${title.section}`,
      page(title, typeof body === 'function' ? body(names) : body, edition),
    ]),
    ['completions/adit.bash', completionScript('bash', program())],
    ['completions/_adit', completionScript('zsh', program())],
    ['completions/adit.fish', completionScript('fish', program())],
  ]);
}

interface Page {
  readonly title: Title;
  /** Given the names of all pages, as `adit(1)`. */
  readonly body: readonly string[] | ((names: readonly string[]) => readonly string[]);
}

function commandPages(adit: CommandRow): Page[] {
  return [adit, ...adit.commands].map((row) => {
    const name = row.path.join('-');
    return {
      title: {
        name,
        section: 1,
        summary: row.path.length === 1 ? 'tunnel in two halves, with mutual TLS between them' : row.summary,
      },
      body: (names) =>
        commandPage(
          row,
          names.filter((other) => other !== `${name}(1)`),
        ),
    };
  });
}

function formatPages(): Page[] {
  return [
    {
      title: { name: 'adit-config', section: 5, summary: 'configuration of adit egress and adit ingress' },
      body: configPage(document('configuration.md'), {
        'adit egress': egressSettings,
        'adit ingress': ingressSettings,
      }),
    },
    {
      title: { name: 'adit-policy', section: 5, summary: 'who may reach what through an adit egress' },
      body: markdownPage(document('policy.md')),
    },
  ];
}
