/** Frames as a client of our protocol sends them, for those that send too many of them. */
import { encodeRefusal, wireCode } from '@adit/shared/protocol/refusal';
import { encodeFrame, frameType } from '@adit/shared/protocol/mux/frame';
import { encodeOpen } from '@adit/shared/protocol/open';

/** OPEN of stream `id`, as a forward of an ingress sends it. */
export function openFrame(id: number, { host, port }: { readonly host: string; readonly port: number }): Uint8Array {
  return encodeFrame(
    frameType.open,
    id,
    encodeOpen({ destination: { kind: 'host', host, port }, frontEnd: 'forward' }),
  );
}

/** RESET of stream `id`. */
export function resetFrame(id: number): Uint8Array {
  return encodeFrame(frameType.reset, id, encodeRefusal({ code: wireCode.noError, reason: '' }));
}
