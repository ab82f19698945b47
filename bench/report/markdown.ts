/**
 * The report as Markdown, and its place in a document.
 * Rule: nothing outside of the two marks is ever changed; a document without them is refused, and only a new or empty
 * file is written whole.
 */
import { type Machine, machineLines } from '../machine.ts';
import type { Results } from './results.ts';
import { sectionsOf } from './section.ts';
import { barCells, comparisonLines, markdownTable, noiseLines, noteLines, tableCells } from './table.ts';

const begin = '<!-- bench: begin -->';
const end = '<!-- bench: end -->';

/** What was run, where, the tables, the bars, the notes. */
export function markdownReport(
  results: Results,
  { command, date, machine }: { readonly command: string; readonly date: string; readonly machine: Machine },
): string {
  const bars = barCells(results);
  const blocks = [
    [`Made by \`${command}\` on ${date}:`],
    [...machineLines(machine), ...noiseLines(results)].map(item),
    ...sectionsOf(results).flatMap((section) => [
      [`### ${section.title}`],
      markdownTable(tableCells(results, section)),
    ]),
    ...(bars.length === 0 ? [] : [['### Bars'], markdownTable(bars)]),
    ...titled('### Builds, round by round', comparisonLines(results)),
    ...titled('### Notes', noteLines(results)),
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/**
 * Puts a report between the marks of a document; `''`: a file that is still to be made, which gets both marks. Fails
 * when there is text without the two marks, in order.
 */
export function place(report: string, document: string): string {
  if (document === '') return `${begin}\n${report}${end}\n`;
  const from = document.indexOf(begin);
  const to = document.indexOf(end, from);
  if (from < 0 || to < 0)
    throw new Error(`there is no place for the table: put the lines ${begin} and ${end} where it should go`);
  return `${document.slice(0, from + begin.length)}\n${report}${document.slice(to)}`;
}

function titled(title: string, lines: readonly string[]): string[][] {
  return lines.length === 0 ? [] : [[title], lines.map(item)];
}

function item(line: string): string {
  return `- ${line}`;
}
