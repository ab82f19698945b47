/**
 * Functions of the C library, which Node cannot call by itself: through `node:ffi` where this Node has it (26), else
 * through the optional package koffi.
 * Rule: nothing is loaded before it is needed, and nothing fails where there is neither: the answer says what is
 * missing. A wrong declaration is memory corruption, so declarations stay in this folder, with tests that run them.
 * Cost, once per process: node:ffi 2 ms and 1.5 MB, koffi 10 to 20 ms and 8 MB. Therefore node:ffi comes first.
 */
import { createRequire } from 'node:module';
import { messageOf } from '../errors.ts';

/** `bytes` is a pointer to the first byte of a typed array. */
export type NativeType = 'int32' | 'uint32' | 'int64' | 'bytes';
export type Declarations<Name extends string> = Readonly<
  Record<Name, { readonly takes: readonly NativeType[]; readonly returns: NativeType }>
>;
export type NativeValue = number | bigint | NodeJS.ArrayBufferView;

export interface NativeCalls<Name extends string> {
  readonly by: 'node:ffi' | 'koffi';
  readonly call: Readonly<Record<Name, (...values: readonly NativeValue[]) => number>>;
  /** Of the call that failed last. Only valid directly after it. */
  errno(): number;
}
/** Why this process has no native calls, in words that go behind "needs". */
export interface Missing {
  readonly missing: string;
}
/** What a call that failed returns instead of throwing. */
export interface Failed {
  readonly ok: false;
  readonly errno: number;
}

/** The parts of the two libraries that are used. */
interface Ffi {
  dlopen(
    path: null,
    functions: Readonly<Record<string, { readonly arguments: readonly string[]; readonly return: string }>>,
  ): { readonly functions: Readonly<Record<string, (...values: readonly NativeValue[]) => number | bigint>> };
  getInt32(pointer: bigint, offset: number): number;
}
interface Koffi {
  load(path: null): {
    func(name: string, returns: string, takes: readonly string[]): (...values: readonly NativeValue[]) => number;
  };
  errno(): number;
}

export interface Loading {
  readonly platform?: string;
  readonly builtin?: (name: string) => unknown;
  readonly load?: (name: string) => unknown;
}

/** The declared functions, or what is missing. Throws nothing. */
export function bindNative<Name extends string>(
  declarations: Declarations<Name>,
  { platform = process.platform, builtin = builtinQuietly, load = createRequire(import.meta.url) }: Loading = {},
): NativeCalls<Name> | Missing {
  if (platform !== 'linux') return { missing: `Linux, and this is ${platform}` };
  return byFfi(declarations, builtin) ?? byKoffi(declarations, load);
}

function byFfi<Name extends string>(
  declarations: Declarations<Name>,
  builtin: (name: string) => unknown,
): NativeCalls<Name> | undefined {
  const typeOf = (type: NativeType): string => (type === 'bytes' ? 'buffer' : type);
  try {
    const ffi = builtin('node:ffi') as Ffi | undefined;
    if (ffi === undefined) return undefined;
    const { functions } = ffi.dlopen(null, {
      ...mapped(declarations, (_, { takes, returns }) => ({
        arguments: takes.map(typeOf),
        return: typeOf(returns),
      })),
      __errno_location: { arguments: [], return: 'pointer' },
    });
    return {
      by: 'node:ffi',
      call: mapped(
        declarations,
        (name) =>
          (...values) =>
            Number(functions[name]!(...values)),
      ),
      errno: () => ffi.getInt32(functions['__errno_location']!() as bigint, 0),
    };
  } catch {
    // Denied by Node's permission model, or changed: it is experimental. koffi then takes its place.
    return undefined;
  }
}

function byKoffi<Name extends string>(
  declarations: Declarations<Name>,
  load: (name: string) => unknown,
): NativeCalls<Name> | Missing {
  const typeOf = (type: NativeType): string => (type === 'bytes' ? 'void *' : type);
  try {
    const koffi = load('koffi') as Koffi;
    // Node itself is linked with the C library: its symbols are there, whatever the file of the library is called.
    const library = koffi.load(null);
    return {
      by: 'koffi',
      call: mapped(declarations, (name, { takes, returns }) => library.func(name, typeOf(returns), takes.map(typeOf))),
      errno: () => koffi.errno(),
    };
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND'
        ? 'is not installed'
        : `cannot be loaded (${messageOf(error).split('\n')[0]})`;
    return {
      missing:
        `Node 26, or the package koffi, which ${reason}: run "npm install koffi" in the folder where Adit is ` +
        'installed',
    };
  }
}

function mapped<Name extends string, Value>(
  declarations: Declarations<Name>,
  to: (name: Name, declaration: Declarations<Name>[Name]) => Value,
): Record<Name, Value> {
  const names = Object.keys(declarations) as Name[];
  return Object.fromEntries(names.map((name) => [name, to(name, declarations[name])])) as Record<Name, Value>;
}

/** Undefined on a Node without it. Node's warning that the module is experimental does not reach users. */
function builtinQuietly(name: string): unknown {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule(name);
  } finally {
    process.emitWarning = emitWarning;
  }
}
