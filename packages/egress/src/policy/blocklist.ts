/**
 * Denied names, by the million: a hash table over their packed bytes.
 * Rule: no false positives and no false negatives: the hash only finds the slot, the bytes decide. A look-up hashes a
 * name once, from its end, and so passes the hash of every parent domain: its time does not depend on the length of the
 * list. A built list never changes. Memory for each name: its bytes and 7 more, and 8 to 16 in the table. The seed
 * differs in every process, so that nobody can write a list of collisions.
 * Not here: what a line of a file means (blocklist-lines.ts), reading files (blocklist-file.ts).
 */
import { randomBytes } from 'node:crypto';

/** What an entry blocks, as bits: the name itself, the names below it. */
export const itself = 1;
export const below = 2;
export const everything = 3;
export type Reach = typeof itself | typeof below | typeof everything;

/** The entry that blocks a name; `text` is its spelling in a list. */
export interface Blocked {
  readonly line: number;
  readonly text: string;
}

export const maxNames = 20_000_000;
/** How a list spells what an entry blocks. */
const prefixes: Readonly<Record<number, string>> = { [itself]: '=', [below]: '*.' };
const segmentBytes = 1 << 20;
/** REACH(1) LINE(4) LENGTH(1) NAME(length); a name has at most 253 bytes. */
const headBytes = 6;
const largestEntry = headBytes + 255;
/** Names that are put into the table in one slice. */
const slice = 2_048;
const seed = randomBytes(4).readUInt32LE();
const dot = 0x2e;

export class Blocklist {
  readonly #segments: readonly Uint8Array[];
  /**
   * Offsets of entries over all segments, plus 1; 0 is an empty slot. Its length is a power of two, at most half full.
   */
  readonly #table: Uint32Array;
  readonly #mask: number;
  /** The number of entries without duplicates. */
  readonly size: number;

  constructor({
    segments,
    table,
    size,
  }: {
    readonly segments: readonly Uint8Array[];
    readonly table: Uint32Array;
    readonly size: number;
  }) {
    this.#segments = segments;
    this.#table = table;
    this.#mask = table.length - 1;
    this.size = size;
  }

  /** The bytes of memory that it holds. */
  get bytes(): number {
    return this.#table.byteLength + this.#segments.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** The entry that blocks this name, the most exact first; the name is in its one spelling (`parseHost`). */
  blocks(name: string): Blocked | undefined {
    let found: number | undefined;
    let hash = seed;
    for (let at = name.length - 1; at >= 0; at--) {
      const code = name.charCodeAt(at);
      if (code === dot) found = this.#find(name, at + 1, hash) ?? found;
      hash = step(hash, code);
    }
    found = this.#find(name, 0, hash) ?? found;
    return found === undefined ? undefined : this.#entry(found);
  }

  /**
   * The entry for the part of the name that begins at `from`: the name itself where that is 0, else a parent domain.
   */
  #find(name: string, from: number, hash: number): number | undefined {
    const wanted = from === 0 ? itself : below;
    const length = name.length - from;
    for (let slot = mixed(hash) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const offset = this.#table[slot]! - 1;
      if (offset < 0) return undefined;
      const segment = this.#segments[Math.floor(offset / segmentBytes)]!;
      const at = offset % segmentBytes;
      if ((segment[at]! & wanted) === 0 || segment[at + 5] !== length) continue;
      let same = 0;
      while (same < length && segment[at + headBytes + same] === name.charCodeAt(from + same)) same++;
      if (same === length) return offset;
    }
  }

  #entry(offset: number): Blocked {
    const segment = this.#segments[Math.floor(offset / segmentBytes)]!;
    const at = offset % segmentBytes;
    const name = Buffer.from(segment.buffer, segment.byteOffset + at + headBytes, segment[at + 5]).toString('latin1');
    return { line: readLine(segment, at + 1), text: `${prefixes[segment[at]!] ?? ''}${name}` };
  }
}

/** Lists by the names of their files in the policy. */
export type Blocklists = ReadonlyMap<string, Blocklist>;

/** Gathers names and builds a list of them. */
export class BlocklistBuilder {
  readonly #segments: Uint8Array[] = [];
  /** Bytes used of the last segment. */
  #used = segmentBytes;
  #count = 0;

  /** The number of names so far. */
  get count(): number {
    return this.#count;
  }

  /** Adds a name in its one spelling; `line` counts from 1. */
  add(name: string, { reach, line }: { readonly reach: Reach; readonly line: number }): void {
    if (this.#used + largestEntry > segmentBytes) {
      this.#segments.push(new Uint8Array(segmentBytes));
      this.#used = 0;
    }
    const segment = this.#segments.at(-1)!;
    let at = this.#used;
    segment[at++] = reach;
    for (let shift = 24; shift >= 0; shift -= 8) segment[at++] = line >>> shift;
    segment[at++] = name.length;
    for (let index = 0; index < name.length; index++) segment[at++] = name.charCodeAt(index);
    this.#used = at;
    this.#count++;
  }

  /** Builds the list; yields between slices of the work, so that clients are served meanwhile. */
  *build(): Generator<void, Blocklist> {
    const last = this.#segments.length - 1;
    if (last >= 0) this.#segments[last] = this.#segments[last]!.slice(0, this.#used);
    const table = new Uint32Array(2 ** Math.max(4, Math.ceil(Math.log2(2 * this.#count))));
    let size = 0;
    let done = 0;
    for (const [number, segment] of this.#segments.entries()) {
      for (let at = 0; at < segment.length && segment[at] !== 0; at += headBytes + segment[at + 5]!) {
        if (insert(table, { segments: this.#segments, offset: number * segmentBytes + at })) size++;
        if (++done % slice === 0) yield;
      }
    }
    return new Blocklist({ segments: this.#segments, table, size });
  }
}

/** Inserts an entry into the table; returns false when an entry there blocks all that it does. */
function insert(
  table: Uint32Array,
  { segments, offset }: { readonly segments: readonly Uint8Array[]; readonly offset: number },
): boolean {
  const segment = segments[Math.floor(offset / segmentBytes)]!;
  const at = offset % segmentBytes;
  const first = at + headBytes;
  const end = first + segment[at + 5]!;
  let hash = seed;
  for (let index = end - 1; index >= first; index--) hash = step(hash, segment[index]!);
  for (let slot = mixed(hash) & (table.length - 1); ; slot = (slot + 1) & (table.length - 1)) {
    const other = table[slot]! - 1;
    if (other < 0) {
      table[slot] = offset + 1;
      return true;
    }
    const theirs = segments[Math.floor(other / segmentBytes)]!;
    const from = other % segmentBytes;
    if (
      (theirs[from]! & segment[at]!) === segment[at] &&
      theirs[from + 5] === segment[at + 5] &&
      sameBytes(theirs.subarray(from + headBytes, from + headBytes + end - first), segment.subarray(first, end))
    )
      return false;
  }
}

/** FNV-1a over 32 bits, one byte. */
function step(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

/** The finalizer of MurmurHash3: every bit affects the low ones. */
function mixed(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

function readLine(segment: Uint8Array, at: number): number {
  return ((segment[at]! << 24) | (segment[at + 1]! << 16) | (segment[at + 2]! << 8) | segment[at + 3]!) >>> 0;
}
