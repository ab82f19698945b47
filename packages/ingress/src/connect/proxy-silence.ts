/**
 * Whether a proxy of HTTP/2 answers: it owes an answer to each CONNECT and to each PING.
 * Rule: as for a session (protocol/mux/silence.ts): after max(1 s, 4 round trips) without any answer it is asked by
 * PING; if that is not answered for as long it is doubted, and after as long again it is silent. What a stream carries
 * is no answer, and owes none.
 * Not here: giving the connection up (http2.ts).
 */
import { patience, Silence } from '@adit/shared/protocol/mux/silence';
import { Doubt, type DoubtEvents } from '@adit/shared/session/doubt';

export interface ProxySilenceOptions extends DoubtEvents {
  /** Sends a PING. `answered` is called with its round trip, ms. */
  readonly ping: (answered: (rttMs: number) => void) => void;
}

export class ProxySilence {
  readonly #silence = new Silence();
  readonly #doubt: Doubt;
  #pending = 0;
  #rttMs = 0;

  constructor({ ping, ...events }: ProxySilenceOptions) {
    const overdue = (times: number): boolean => this.#overdue(times);
    const pending = (): number => this.#pending;
    const patienceMs = (): number => patience(this.#rttMs);
    this.#doubt = new Doubt(
      {
        silence: this.#silence,
        get unanswered() {
          return pending();
        },
        get patienceMs() {
          return patienceMs();
        },
        get doubted() {
          return overdue(1);
        },
        ping: () => {
          this.#silence.ask(performance.now());
          ping((rttMs) => {
            this.#rttMs = rttMs;
            this.#heard();
          });
        },
      },
      events,
    );
  }

  get doubted(): boolean {
    return this.#doubt.holds;
  }
  get silent(): boolean {
    return this.#overdue(2);
  }

  /** A CONNECT was sent. */
  requested(): void {
    this.#pending++;
    this.#doubt.watch();
  }

  /** It was answered, or is over; `heard`: by the proxy. */
  settled(heard: boolean): void {
    this.#pending--;
    if (heard) this.#heard();
  }

  /** The connection is gone. */
  stop(): void {
    this.#doubt.stop();
  }

  #heard(): void {
    this.#silence.restart(performance.now(), false);
    this.#doubt.settle();
    this.#doubt.watch();
  }

  #overdue(times: number): boolean {
    return this.#silence.lastsMs(performance.now()) >= times * patience(this.#rttMs);
  }
}
