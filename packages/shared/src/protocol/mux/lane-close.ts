/**
 * How a further lane ends, for whatever reason: each end says once, on lane 0, up to where it has parsed the lane, and
 * sends what the other has not parsed again on lane 0.
 * Rule: nothing is lost with a lane. An end says LANE_CLOSE when it parses nothing of the lane any more, and forgets it
 * when it has heard that of the other. A lane that this end has not (its WELCOME was lost) was parsed up to 0.
 * Byte shape: LANE(1) OFFSET(8) PARTIAL(4).
 * Spec: docs/protocol.md section 3.10.
 */
import { putU32, putU64, u32, u64 } from '../bytes.ts';
import { ProtocolFault, wireCode } from '../refusal.ts';
import { frameType } from './frame.ts';
import type { Position } from './lane.ts';
import type { Lanes } from './lanes.ts';
import type { Placement } from './placement.ts';
import type { SessionLane } from './session-lane.ts';
import type { MuxStream } from './stream.ts';

export interface LaneCloseOptions {
  readonly lanes: Lanes;
  readonly placement: Placement;
  readonly streams: () => Iterable<MuxStream>;
  /** The peer closed a lane: its carrier is to be let go of. */
  readonly closed: (lane: SessionLane) => void;
}

const payloadBytes = 13;

export class LaneClose {
  readonly #options: LaneCloseOptions;

  constructor(options: LaneCloseOptions) {
    this.#options = options;
  }

  /** Closes a lane from this end. Its streams go on when the peer has said what it parsed. */
  close(lane: SessionLane): void {
    if (lane.closing) return;
    lane.closing = true;
    lane.detach();
    this.#tell(lane.number, lane.lane.position);
    this.#options.placement.arrange();
  }

  /** LANE_CLOSE arrived. Throws ProtocolFault. */
  received(payload: Uint8Array): void {
    const { lanes, placement, streams, closed } = this.#options;
    if (payload.length !== payloadBytes || payload[0] === 0)
      throw new ProtocolFault(wireCode.protocolError, `LANE_CLOSE of ${payload.length} bytes`);
    const lane = lanes.of(payload[0]!);
    if (lane === undefined) {
      this.#tell(payload[0]!, { offset: 0, partial: 0 });
      return;
    }
    const theirs = { offset: u64(payload, 1), partial: u32(payload, 9) };
    if (!lane.lane.covers(theirs))
      throw new ProtocolFault(wireCode.protocolError, 'LANE_CLOSE at an offset that is not covered');
    this.close(lane);
    lanes.remove(lane);
    lane.lane.handOver(theirs, lanes.first.lane);
    for (const stream of streams())
      if (stream.lane === lane) stream.relocate(lanes.first);
      else if (stream.target === lane) stream.moveTo(lanes.first);
    placement.changed();
    lanes.first.handedOver();
    closed(lane);
  }

  #tell(number: number, { offset, partial }: Position): void {
    const payload = new Uint8Array(payloadBytes);
    payload[0] = number;
    putU64(payload, 1, offset);
    putU32(payload, 9, partial);
    this.#options.lanes.first.append(frameType.laneClose, 0, payload);
  }
}
