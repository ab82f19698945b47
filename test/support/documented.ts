/**
 * The configurations that docs/ shows, as text: a test runs what a reader would copy.
 * Rule: what a test replaces (addresses, files) has to be there, so that page and test cannot drift apart.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { succeed } from './child.ts';
import { temporaryFolder } from './scope.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs');

export interface Block {
  /** Of the section: the text of its heading. */
  readonly heading: string;
  readonly language: string;
  readonly text: string;
}

/** Every fenced block of a page that has a language. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let heading = '';
  let open: { language: string; lines: string[] } | undefined;
  for (const line of readFileSync(join(docs, page), 'utf8').split('\n')) {
    if (open && line === '```') {
      if (open.language !== '') blocks.push({ heading, language: open.language, text: `${open.lines.join('\n')}\n` });
      open = undefined;
    } else if (open) open.lines.push(line);
    else if (line.startsWith('```')) open = { language: line.slice(3), lines: [] };
    else heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
  }
  return blocks;
}

/** The one block of this language in a section of the page. */
export function documented(page: string, heading: string, language: string): string {
  const found = blocksOf(page).filter((block) => block.heading === heading && block.language === language);
  if (found.length !== 1) throw new Error(`docs/${page} has ${found.length} blocks of ${language} under "${heading}"`);
  return found[0]!.text;
}

/** Runs a line of a page in a shell with the test's own places in the place of those it names; gives what it says. */
export async function runs(line: string, places: Readonly<Record<string, string>>): Promise<string> {
  const { stdout } = await succeed('sh', ['-c', adapted(line, places)], { env: { HOME: temporaryFolder() } });
  return stdout;
}

/** The text with every key replaced by its value, everywhere; each has to occur. */
export function adapted(text: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`nothing to replace: ${from}\n${text}`);
    return result.replaceAll(from, to);
  }, text);
}

/**
 * The commands of the README's first tunnel, by the number of their step: every indented block, without its
 * indentation.
 */
export function stepsOfReadme(): string[][] {
  const text = readFileSync(join(docs, '..', 'README.md'), 'utf8');
  const [section] = text
    .slice(text.indexOf('\n## A first tunnel'))
    .slice(1)
    .split(/\n(?=## )/);
  return section!
    .split(/^(?=\*\*\d\.)/m)
    .map((step) => [...step.matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) => block.replaceAll(/^ {4}/gm, '')));
}
