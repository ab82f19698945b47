/**
 * Watches the TCP connection under a carrier while it carries data: tells the lane's estimate of losses, and the kernel
 * how much it may hold unsent.
 * Rule: asks at most every 50 ms, only when called, and does nothing where the kernel takes no orders from us.
 */
import type { TcpControl } from '../net/tcp-control.ts';
import type { Flight } from '../protocol/mux/flight.ts';

const askEveryMs = 50;

export class PathWatch {
  readonly #tcp: TcpControl | undefined;
  readonly #flight: Flight;
  #resent: number | undefined;
  #askedAtMs = -Infinity;
  #boundBytes = 0;

  constructor(tcp: TcpControl | undefined, flight: Flight) {
    this.#tcp = tcp;
    this.#flight = flight;
    this.#resent = tcp?.resent();
  }

  look(nowMs: number): void {
    if (this.#tcp === undefined || nowMs - this.#askedAtMs < askEveryMs) return;
    this.#askedAtMs = nowMs;
    const resent = this.#tcp.resent();
    if (resent !== this.#resent) this.#flight.lost(nowMs);
    this.#resent = resent;
    const bytes = this.#flight.unsentBytes;
    if (bytes === undefined || Math.abs(bytes - this.#boundBytes) * 4 < this.#boundBytes) return;
    this.#boundBytes = bytes;
    this.#tcp.boundUnsent(bytes);
  }
}
