/**
 * The web standards that every runtime has and the ES library lacks.
 * Rule: this is all that `protocol` may use beyond the language, because its tsconfig has no types of a platform.
 * Not here: anything of Node.
 */
declare class TextEncoder {
  encode(text: string): Uint8Array;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: Uint8Array): string;
}
declare function btoa(data: string): string;
declare function atob(data: string): string;
