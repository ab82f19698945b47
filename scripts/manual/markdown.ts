/**
 * The pages of docs/ as man pages: headings, paragraphs, lists, tables, indented and fenced code, links.
 * Rule: knows what those pages use and fails for anything else that begins like markup, so that nothing is shown raw.
 */
import { bold, example, italic, paragraph, roff, sentences, tagged } from './roff.ts';

/** A piece of a page between blank lines, or a fenced one. */
type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'table'; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'item'; readonly mark: string; readonly text: string }
  | { readonly kind: 'text'; readonly text: string };

/** The sections of the page after NAME; the text before the first heading becomes DESCRIPTION. */
export function markdownPage(text: string): string[] {
  const out = ['.SH DESCRIPTION'];
  for (const block of blocks(text)) {
    if (block.kind === 'heading') {
      if (block.level > 1) out.push(`${block.level === 2 ? '.SH' : '.SS'} ${heading(block)}`);
    } else if (block.kind === 'code') out.push(example(block.text));
    else if (block.kind === 'table') out.push(...table(block.rows));
    else if (block.kind === 'item') out.push(`.IP ${block.mark} 4\n${sentences(inline(block.text))}`);
    else out.push(paragraph(inline(block.text)));
  }
  return out;
}

function heading({ level, text }: { readonly level: number; readonly text: string }): string {
  return roff((level === 2 ? text.toUpperCase() : text).replaceAll('`', ''));
}

/** The blocks in their order. */
function blocks(text: string): Block[] {
  const lines = text.split('\n');
  const found: Block[] = [];
  for (let at = 0; at < lines.length;) {
    const { block, next } = blockAt(lines, at);
    if (block) found.push(block);
    at = next;
  }
  return found;
}

function blockAt(lines: readonly string[], at: number): { readonly block?: Block; readonly next: number } {
  const line = lines[at]!;
  const take = (while_: (line: string) => boolean): number => {
    let end = at + 1;
    while (end < lines.length && while_(lines[end]!)) end++;
    return end;
  };
  if (line.trim() === '') return { next: at + 1 };
  const title = /^(#+) (.*)$/.exec(line);
  if (title) return { block: { kind: 'heading', level: title[1]!.length, text: title[2]! }, next: at + 1 };
  if (line.startsWith('```')) {
    const end = take((next) => next !== '```');
    return { block: { kind: 'code', text: lines.slice(at + 1, end).join('\n') }, next: end + 1 };
  }
  if (line.startsWith('    ')) {
    const end = take((next) => next.startsWith('    ') || next === '');
    const text = lines.slice(at, end).map((part) => part.slice(4));
    return { block: { kind: 'code', text: text.join('\n') }, next: end };
  }
  if (line.startsWith('|')) {
    const end = take((next) => next.startsWith('|'));
    return { block: { kind: 'table', rows: rowsOf(lines.slice(at, end)) }, next: end };
  }
  return proseAt(lines, at, take);
}

function proseAt(
  lines: readonly string[],
  at: number,
  take: (while_: (line: string) => boolean) => number,
): { readonly block: Block; readonly next: number } {
  const mark = /^(?:(-)|(\d+\.)) (.*)$/.exec(lines[at]!);
  const end = take((next) => next.trim() !== '' && !/^(?:- |\d+\. |#|\||```)/.test(next));
  const text = lines.slice(at, end).join(' ');
  if (!mark) {
    if (/^(?:>|<|!\[|\* )/.test(text)) throw new Error(`markup that no man page has: ${text}`);
    return { block: { kind: 'text', text }, next: end };
  }
  return {
    block: { kind: 'item', mark: mark[1] === undefined ? mark[2]! : '\\(bu', text: text.slice(text.indexOf(' ') + 1) },
    next: end,
  };
}

/** The cells of a table, without the line below the head. A `|` in code is one of the text. */
function rowsOf(lines: readonly string[]): string[][] {
  return lines
    .filter((_, at) => at !== 1)
    .map((line) =>
      line
        .replaceAll('\\|', '\u0000')
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.replaceAll('\u0000', '|').trim()),
    );
}

/** Each row as a tagged paragraph: its first cell, then the others, named by their head if there are several. */
function table([head = [], ...rows]: readonly (readonly string[])[]): string[] {
  return rows.map(([first = '', ...rest]) =>
    tagged(
      inline(first) || '\\ ',
      rest.length === 1
        ? inline(rest[0]!)
        : rest.map((cell, at) => `${italic(`${head[at + 1]}:`)} ${inline(cell)}.`).join(' '),
    ),
  );
}

/** Code bold, emphasis italic, a link its words. */
export function inline(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) =>
      part.startsWith('`')
        ? bold(part.slice(1, -1))
        : part
            .replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1')
            .split(/(\*\*[^*]+\*\*|\*[^*\s][^*]*\*)/)
            .map((piece) =>
              piece.startsWith('**')
                ? bold(piece.slice(2, -2))
                : /^\*[^*\s]/.test(piece)
                  ? italic(piece.slice(1, -1))
                  : roff(piece),
            )
            .join(''),
    )
    .join('');
}
