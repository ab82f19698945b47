/**
 * How much of what a peer sends is parsed in one turn of the event loop, by all sessions that share the budget.
 * Rule: what is over it waits for a later turn, first come first served, and its carrier is not read meanwhile. So a
 * flood of frames costs its sender time, and others one budget a turn.
 * Not here: what a frame costs (protocol/mux/decoder.ts).
 */
import type { ParseBudget } from '../protocol/mux/decoder.ts';

/**
 * In one turn 13 pairs of OPEN and RESET, or 1,024 frames of other kinds, and 1 MiB: about 1 ms, measured, and as much
 * again for what it sets off. A bulk transfer reads less than that in a turn.
 */
const perTurn = { frames: 1_024, bytes: 1_048_576 } as const;

let turn = 0;
let counting = false;

/** The number of this turn; a turn ends with the next immediates. */
function currentTurn(): number {
  if (!counting) {
    counting = true;
    setImmediate(() => {
      counting = false;
      turn++;
    });
  }
  return turn;
}

export class TurnBudget {
  readonly #left: ParseBudget = { ...perTurn };
  readonly #waiting = new Set<() => void>();
  #turn = -1;
  #scheduled = false;

  /** What is left in this turn; the parser takes from it. */
  get left(): ParseBudget {
    const now = currentTurn();
    if (now !== this.#turn) {
      this.#turn = now;
      this.#left.frames = perTurn.frames;
      this.#left.bytes = perTurn.bytes;
    }
    return this.#left;
  }

  /** Calls `goOn` in a later turn, when those that wait already had theirs. It may wait again. */
  wait(goOn: () => void): void {
    this.#waiting.add(goOn);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      for (const goOn of this.#waiting) {
        if (this.left.frames <= 0 || this.left.bytes <= 0) break;
        this.#waiting.delete(goOn);
        goOn();
      }
      if (this.#waiting.size > 0) this.#schedule();
    });
  }
}
