/**
 * The report as Markdown, and its place in a document.
 * Rule: a file with the two marks keeps everything outside of them; only a file without them (or none) is written whole.
 */
import { type Machine, machineLines } from '../machine.ts';
import type { Results } from './results.ts';
import { barLines, comparisonLines, markdownTable, noteLines, tableCells } from './table.ts';

const begin = '<!-- bench: begin -->';
const end = '<!-- bench: end -->';

/** What was run, where, the table, the bars, the notes. */
export function markdownReport(results: Results, { command, date, machine }: { readonly command: string; readonly date: string; readonly machine: Machine }): string {
  const sections = [
    [`Made by \`${command}\` on ${date}:`],
    machineLines(machine).map(item),
    markdownTable(tableCells(results)),
    titled('Bars:', barLines(results)),
    titled('Builds, round by round:', comparisonLines(results)),
    titled('Notes:', noteLines(results)),
  ];
  return `${sections.filter(lines => lines.length > 0).map(lines => lines.join('\n')).join('\n\n')}\n`;
}

/** Puts a report into a document: between its marks, or in place of all of it when it has none. */
export function place(report: string, document: string | undefined): string {
  const from = document?.indexOf(begin) ?? -1;
  const to = document?.indexOf(end, from) ?? -1;
  if (document === undefined || from < 0 || to < 0) return report;
  return `${document.slice(0, from + begin.length)}\n${report}${document.slice(to)}`;
}

function titled(title: string, lines: readonly string[]): string[] { return lines.length === 0 ? [] : [title, '', ...lines.map(item)]; }

function item(line: string): string { return `- ${line}`; }
