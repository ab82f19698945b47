/** docs/troubleshooting.md: what it says that the programs print is what they print. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { codes } from './codes.ts';
import { events } from './observe/events.ts';

const root = join(import.meta.dirname, '../../..');
const path = join(root, 'docs/troubleshooting.md');
const page = readFileSync(path, 'utf8');
const [symptoms] = page.split('## Every code\n') as [string];

const packages = join(root, 'packages');
const sources = readdirSync(packages)
  .flatMap((name) =>
    readdirSync(join(packages, name, 'src'), { recursive: true }).map((file) =>
      join(packages, name, 'src', String(file)),
    ),
  )
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

const inCode = [...symptoms.matchAll(/`([^`]+)`/g)].map(([, text]) => text!);

test('every code of the page is one of the table, and every code that a reader may meet is on the page', () => {
  const named = new Set(
    inCode.filter((text) => /^[A-Z]+(?:_[A-Z]+)*$/.test(text) && !/^(?:ADIT_|HTTPS_PROXY)/.test(text)),
  );
  for (const code of named) expect(Object.keys(codes)).toContain(code);
  /** These are about the two halves, and nothing that a reader could do; their advice is in the list. */
  const internal = [
    ...['NO_ERROR', 'PROTOCOL_ERROR', 'INTERNAL', 'FLOW_CONTROL', 'BAD_OFFSET', 'SUPERSEDED'],
    ...['CONNECTION_RESET', 'PEER_GONE'],
  ];
  expect(
    Object.keys(codes)
      .filter((code) => !named.has(code))
      .toSorted(),
  ).toEqual(internal.toSorted());
});

test('every event of the page is one of the log', () => {
  const words = inCode.filter((text) => /^[a-z]+(?:-[a-z]+)*$/.test(text));
  expect(words.length).toBeGreaterThan(8);
  for (const word of words) expect(Object.keys(events)).toContain(word);
});

test('every text in quotes is one that the programs print', () => {
  const quoted = [...symptoms.matchAll(/"([^"]+)"/g)]
    .map(([, text]) => text!)
    .filter((text) => text !== 'Watchdog timeout');
  expect(quoted.length).toBeGreaterThan(5);
  for (const text of quoted) expect(sources).toContain(text);
});

/** UPDATE_DOCS=1 writes it. */
test('the list at the end has every code with its advice', () => {
  const rows = Object.entries(codes).map(
    ([code, { advice, exit }]) => `| \`${code}\` | ${exit} | ${advice.replaceAll('|', '\\|')} |`,
  );
  const list = ['| code | exit status | what to do |', '| --- | --- | --- |', ...rows].join('\n');
  const text = `${symptoms}## Every code\n\n${list}\n`;
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path, text);
  expect(readFileSync(path, 'utf8')).toBe(text);
});
