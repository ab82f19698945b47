/**
 * A YAML file as a plain value that keeps the position of each of its parts.
 * Rule: one document, no duplicate keys, no warnings: whatever YAML parsers disagree about is a complaint.
 * Not here: what the value has to look like (schema.ts).
 */
import { isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml';
import { messageOf } from '@adit/shared/errors';
import type { Complaint, Position } from './complaint.ts';

export type Path = readonly PropertyKey[];

export interface SourceDocument {
  readonly value: unknown;
  /** Faults of the YAML itself; `value` is undefined when there are any. */
  readonly complaints: readonly Complaint[];
  /** Where the value at `path` begins, or its nearest parent that exists. */
  positionOf(path: Path): Position;
  /** Where a key of the map at `path` begins. */
  positionOfKey(path: Path, key: string): Position;
}

/** Reads one YAML 1.2 document. */
export function readDocument(text: string): SourceDocument {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, stringKeys: true });
  const at = (offset: number | undefined): Position => {
    const { line, col } = counter.linePos(offset ?? 0);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const complaints: Complaint[] = [...document.errors, ...document.warnings].map((fault) => ({
    ...at(fault.pos[0]),
    text: yamlFault(fault.message),
  }));
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) === undefined)
        complaints.push({ ...at(alias.range?.[0]), text: yamlFault(`*${alias.source} is an alias without an anchor`) });
    },
  });
  let value: unknown;
  try {
    if (complaints.length === 0) value = document.toJS();
  } catch (error) {
    complaints.push({ ...at(0), text: yamlFault(messageOf(error)) });
  }
  return {
    value,
    complaints,
    positionOf: (path) => at(nodeAt(document, path)?.range?.[0]),
    positionOfKey: (path, key) => {
      const map = nodeAt(document, path);
      const pair = isMap(map) ? map.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
      return at(isScalar(pair?.key) ? pair.key.range?.[0] : map?.range?.[0]);
    },
  };
}

function yamlFault(message: string): string {
  const advice = /alias|flow|unexpected|implicit/i.test(message)
    ? '; a text that begins with * or [ or { goes in quotes'
    : '';
  return `this is not YAML: ${message}${advice}`;
}

function nodeAt(document: Document.Parsed, path: Path): Node | undefined {
  let node: Node | undefined = document.contents ?? undefined;
  for (const key of path) {
    const next: unknown = isMap(node)
      ? node.get(String(key), true)
      : isSeq(node)
        ? node.get(Number(key), true)
        : undefined;
    if (next === undefined || next === null) return node;
    node = next as Node;
  }
  return node;
}
