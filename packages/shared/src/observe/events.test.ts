import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { events } from './events.ts';

const sections = new Map(
  readFileSync(new URL('../../../../docs/logs.md', import.meta.url), 'utf8')
    .split('## Events')[1]!
    .split('\n### ')
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
);

test('docs/logs.md has every event and no other', () => {
  expect([...sections.keys()].toSorted()).toEqual(Object.keys(events).toSorted());
});

test('every event is shown with a line as the log writes it', () => {
  for (const [name, section] of sections) {
    const examples = [...section.matchAll(/^ {4}(\{.*)$/gm)].map(
      (match) => JSON.parse(match[1]!) as Record<string, unknown>,
    );
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(Object.keys(example).slice(0, 4)).toEqual(['level', 'time', 'name', 'event']);
      expect(example['event']).toBe(name);
    }
  }
});
