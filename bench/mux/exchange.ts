/**
 * Loads for two multiplexing sessions that hand each other their bytes: no socket, no TLS, no copy in between.
 * Rule: what one session writes is parsed by the other at once, every destination accepts at once, and read buffers go
 * round in a pool as in the real program; the clock is simulated. Sessions between which nothing moves are an error.
 */
import type { MuxSession, SessionEvents } from '../../packages/shared/src/protocol/mux/session.ts';
import type { SessionLane } from '../../packages/shared/src/protocol/mux/session-lane.ts';
import type { MuxStream, StreamEvents } from '../../packages/shared/src/protocol/mux/stream.ts';

/** The module of one build. */
export interface Sessions {
  readonly MuxSession: typeof MuxSession;
}

/** What one turn moved: payload bytes, and frames or streams. */
export interface Spent {
  readonly bytes: number;
  readonly count: number;
}

const readBytes = 65_528;
const headerBytes = 8;
const smallBytes = 100;
const smallStreams = 64;
const streamsPerTurn = 16;
const turnMs = 0.05;
/** Some turns only answer. */
const mostIdleTurns = 100;
const nothing = new Uint8Array(0);
const question = new Uint8Array(40);
const answer = new Uint8Array(3);

/** One stream as fast as it goes, in whole reads. */
export function bulkLoad(sessions: Sessions): () => Spent {
  const pair = new Sides(sessions);
  const stream = pair.client.open(nothing);
  const pool: ReadBuffer[] = [];
  let sent = 0;
  const read = (): boolean => {
    const buffer = pool.pop() ?? new ReadBuffer(pool);
    sent++;
    return stream.sendBuffer(buffer.bytes, readBytes, buffer);
  };
  const pour = (): void => {
    while (read());
  };
  stream.events = { ...silent(), writable: pour };
  if (stream.canSend()) pour();
  return pair.turn(() => {
    const count = sent;
    sent = 0;
    return { bytes: count * readBytes, count };
  });
}

/** Many streams that send little each. */
export function smallLoad(sessions: Sessions): () => Spent {
  const pair = new Sides(sessions);
  const message = new Uint8Array(smallBytes);
  let ready = Array.from({ length: smallStreams }, () => {
    const stream = pair.client.open(nothing);
    stream.events = { ...silent(), writable: () => void ready.push(stream) };
    return stream;
  });
  return pair.turn(() => {
    const turns = ready;
    ready = [];
    for (const stream of turns) if (stream.sendCopy(message)) ready.push(stream);
    return { bytes: turns.length * smallBytes, count: turns.length };
  });
}

/** Streams that are opened, ask, get an answer and are over. */
export function openLoad(sessions: Sessions): () => Spent {
  const pair = new Sides(sessions);
  let ended = 0;
  return pair.turn(() => {
    const count = ended;
    ended = 0;
    for (let left = streamsPerTurn; left > 0; left--) {
      const stream = pair.client.open(nothing);
      stream.events = { ...silent(), end: () => void ended++ };
      stream.sendCopy(question);
      stream.finish();
    }
    return { bytes: count * answer.length, count };
  });
}

class ReadBuffer {
  readonly bytes = new Uint8Array(headerBytes + readBytes);
  readonly #pool: ReadBuffer[];
  constructor(pool: ReadBuffer[]) {
    this.#pool = pool;
  }
  release(): void {
    this.#pool.push(this);
  }
}

/** A client and a server, attached to each other. */
class Sides {
  readonly client: MuxSession;
  readonly server: MuxSession;
  #nowMs = 0;

  constructor({ MuxSession: Session }: Sessions) {
    const make = (role: 'client' | 'server'): MuxSession =>
      new Session(
        {
          role,
          resumable: true,
          receiveWindow: 262_144,
          sendWindow: 262_144,
          maxStreams: 4096,
          replayLimitBytes: 8_388_608,
          now: () => this.#nowMs,
          allocate: (bytes) => new Uint8Array(bytes),
        },
        this.#events(),
      );
    this.client = make('client');
    this.server = make('server');
    for (const session of [this.client, this.server]) laneOf(session).attach({ offset: 0, partial: 0 });
  }

  /** What `send` says it has sent since it was last called; then each writes what it has, and the other parses it. */
  turn(send: () => Spent): () => Spent {
    let idle = 0;
    return () => {
      const spent = send();
      idle = spent.count === 0 ? idle + 1 : 0;
      if (idle > mostIdleTurns) throw new Error('nothing moves between the two sessions');
      this.#nowMs += turnMs;
      this.#write(this.client, this.server);
      this.#write(this.server, this.client);
      return spent;
    };
  }

  #write(from: MuxSession, to: MuxSession): void {
    laneOf(from).flush((bytes, done) => {
      laneOf(to).receive(bytes);
      done?.release();
      return true;
    });
  }

  /** The server answers each stream that ends, and accepts what it gets. */
  #events(): SessionEvents {
    return {
      wake: () => {},
      opened: (stream: MuxStream) => {
        let received = 0;
        stream.events = {
          ...silent(),
          data: (bytes) => stream.accepted((received += bytes.length)),
          end: () => {
            stream.accept(nothing);
            stream.sendCopy(answer);
            stream.finish();
          },
        };
      },
      goaway: () => {},
      closed: () => {},
    };
  }
}

/** What a carrier is attached to: the first lane, or the session itself in builds whose sessions have no lanes. */
function laneOf(session: MuxSession): SessionLane {
  return (session as { readonly first?: SessionLane }).first ?? (session as unknown as SessionLane);
}

function silent(): StreamEvents {
  const ignore = (): void => {};
  return { opened: ignore, refused: ignore, data: ignore, end: ignore, reset: ignore, writable: ignore };
}
