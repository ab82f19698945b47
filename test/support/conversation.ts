/** An open connection to an echo: what must survive, or must be reset, while something happens to the tunnel. */
import { expect } from '@jest/globals';
import { type Client, chunkFrom, client } from './services.ts';

export interface Conversation extends Client {
  /** Sends a text and expects the same back. */
  echoes(text: string): Promise<void>;
}

/** Connects to a port behind which `echo` listens, and has its first words echoed. */
export async function converse(port: number, first = 'hello'): Promise<Conversation> {
  const open = await client(port);
  const echoes = async (text: string): Promise<void> => {
    open.socket.write(text);
    expect(String(await chunkFrom(open.socket))).toBe(text);
  };
  await echoes(first);
  return { ...open, echoes };
}
