/**
 * The web standards that every runtime has and that the ES library leaves out: all that `protocol` may use beyond the
 * language.
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
