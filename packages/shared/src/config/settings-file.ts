/**
 * The YAML file of --config: text in, the texts of its keys out, each with its line and column.
 * Rule: every scalar stays the text that was written (the failsafe schema of YAML 1.2): no number, date, boolean or
 * null is guessed. Anchors, aliases, tags, nested maps and second documents are refused, so that the file has one
 * meaning for every reader.
 * Not here: which keys exist and what their texts mean (resolve.ts).
 */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type ParsedNode } from 'yaml';
import { AditError, messageOf } from '../errors.ts';
import { safeText } from '../observe/safe-text.ts';
import { modeTooOpen } from '../process/secret-mode.ts';
import { quote, type Complaint } from './complaint.ts';

export interface FileText {
  readonly text: string;
  /** `edge.yaml:3:9`, lines and columns from 1. */
  readonly at: string;
  /** The same place, in UTF-16 units from the start. */
  readonly offset: number;
}

export interface FileEntry {
  readonly key: string;
  readonly at: string;
  readonly offset: number;
  readonly texts: readonly FileText[];
  /** Was it written as a list? */
  readonly list: boolean;
}

export interface SettingsFile {
  readonly name: string;
  /** Where relative paths start. */
  readonly folder: string;
  /** The mode of the file if others may read it, as `0644`. */
  readonly openMode?: string | undefined;
  readonly entries: readonly FileEntry[];
  readonly complaints: readonly Complaint[];
}

/** Reads the file. Throws CONFIG_INVALID if it cannot be read. */
export function readSettingsFile(path: string): SettingsFile {
  try {
    return { ...parseSettingsFile(readFileSync(path, 'utf8'), path), openMode: modeTooOpen(path) };
  } catch (error) {
    throw new AditError(
      'CONFIG_INVALID',
      `the configuration file ${quote(path)} cannot be read: ${safeText(messageOf(error))}`,
      { cause: error },
    );
  }
}

/** Parses the text of the file `path`; what is wrong with it is returned as complaints. */
export function parseSettingsFile(text: string, path: string): SettingsFile {
  const name = safeText(path);
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: 'failsafe', prettyErrors: false, lineCounter: lines });
  const reading = new Reading((offset) => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  });
  for (const { pos, message } of [...document.errors, ...document.warnings])
    reading.complain(pos[0], `${message.replaceAll('\n', ' ')}${hint(text, pos[0])}`);
  if (document.errors.length === 0) reading.document(document);
  return { name, folder: dirname(path), entries: reading.entries, complaints: reading.complaints };
}

/** Explains what YAML's own message does not: [::1]:8443 without quotes. */
function hint(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset + 80).split('\n')[0]!;
  return /[:-]\s+\[[^\]]*\]:/.test(line) ? '; a text that begins with a bracket needs quotes, as in "[::1]:8443"' : '';
}

class Reading {
  readonly entries: FileEntry[] = [];
  readonly complaints: Complaint[] = [];
  readonly #at: (offset: number) => string;
  constructor(at: (offset: number) => string) {
    this.#at = at;
  }

  complain(offset: number, text: string): void {
    this.complaints.push({ code: 'CONFIG_INVALID', offset, text: `${this.#at(offset)}: ${text}` });
  }

  document(document: Document.Parsed): void {
    const map = document.contents;
    if (map === null || (isScalar(map) && map.value === '')) return;
    if (!isMap(map)) return this.complain(map.range[0], 'the file must hold "key: value" lines');
    for (const { key, value } of map.items) {
      if (!isScalar(key) || typeof key.value !== 'string') {
        this.complain(key.range[0], 'a key must be a word');
        continue;
      }
      const offset = key.range[0];
      const list = isSeq(value);
      const nodes: readonly (ParsedNode | null)[] = list ? value.items : [value];
      this.entries.push({
        key: key.value,
        at: this.#at(offset),
        offset,
        list,
        texts: nodes.flatMap((node) => this.#text(node, offset)),
      });
    }
  }

  #text(node: ParsedNode | null, keyOffset: number): FileText[] {
    const offset = node?.range[0] ?? keyOffset;
    if (isScalar(node) && typeof node.value === 'string' && node.anchor === undefined)
      return [{ text: node.value, at: this.#at(offset), offset }];
    this.complain(
      offset,
      isScalar(node)
        ? 'anchors are not allowed: put a text that begins with & in quotes'
        : node === null
          ? 'the value is missing'
          : isMap(node) || isSeq(node)
            ? 'nested values are not allowed: a key has one value or a list of values'
            : 'aliases are not allowed: put a text that begins with * in quotes',
    );
    return [];
  }
}
