/**
 * What a shell has to offer after a text, for the completion script of each: the same cases in all of them.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { temporaryFolder } from './scope.ts';

export interface Case {
  readonly typed: string;
  /** All that is offered; of `some`, these at least. */
  readonly all?: readonly string[];
  readonly some?: readonly string[];
  readonly none?: readonly string[];
}

export const cases: readonly Case[] = [
  { typed: 'adit ', some: ['ingress', 'connect', 'egress', 'ca', 'policy', 'version', 'completion'] },
  { typed: 'adit eg', all: ['egress'] },
  { typed: 'adit egress --log-', all: ['--log-format', '--log-level'] },
  { typed: 'adit egress --log-level ', all: ['debug', 'error', 'info', 'warn'] },
  { typed: 'adit egress --listen ca --log-format p', all: ['pretty'] },
  { typed: 'adit ca issue ', some: ['client', 'egress'], none: ['init'] },
  { typed: 'adit ca issue client --pa', all: ['--passphrase-file'] },
  { typed: 'adit ca issue egress --dir ', all: ['folder'] },
  { typed: 'adit egress --cert ed', all: ['edge1.crt', 'edge1.key'] },
  { typed: 'adit policy check po', all: ['policy.yaml'] },
  { typed: 'adit completion ', some: ['bash', 'fish', 'zsh'] },
  { typed: 'adit-egress --pol', all: ['--policy'] },
  { typed: 'adit ingress --client-c', all: [] },
];

/** A folder with the files that the cases name. */
export function completionFolder(touch: (file: string) => void): string {
  const folder = temporaryFolder();
  for (const name of ['edge1.crt', 'edge1.key', 'policy.yaml']) touch(join(folder, name));
  mkdirSync(join(folder, 'folder'));
  return folder;
}

/** Compares without the slash of a folder, and without order. */
export function expectOffer({ typed, all, some, none }: Case, lines: readonly string[]): void {
  const offered = [...new Set(lines.map((line) => line.trim().replace(/\/$/, '')))]
    .filter((line) => line !== '')
    .toSorted();
  if (all) expect({ typed, offered }).toEqual({ typed, offered: all.toSorted() });
  for (const word of some ?? []) expect({ typed, offered }).toEqual({ typed, offered: expect.arrayContaining([word]) });
  for (const word of none ?? []) expect(offered).not.toContain(word);
}
