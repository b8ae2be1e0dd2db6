// An instance of an application, as a process of its own: it runs, follows and stops turns as it is told. Compiled and
// started by processes.spec.ts.
import { createClient } from '@redis/client';
import { streamChatCompletions } from '../../src/index.js';
import { redisLog } from '../../src/redis/index.js';
import { type Logged, sharedTurns } from '../../src/shared/index.js';

/** What an instance is told. */
export interface Order {
  readonly what: 'run' | 'follow' | 'stop' | 'leave' | 'close';
  readonly reader: number;
  readonly id: string;
  readonly after?: string;
}

/** What it says of a reader. */
export type Word =
  | { readonly reader: number; readonly what: 'event'; readonly event: Logged }
  | { readonly reader: number; readonly what: 'error'; readonly name: string }
  | { readonly reader: number; readonly what: 'complete' };

const [, , address = '', baseUrl = '', heartbeat = ''] = process.argv;

async function main(): Promise<void> {
  const socket = address.startsWith('/')
    ? { path: address, tls: false as const }
    : { host: '127.0.0.1', port: Number(address) };
  const client = createClient({ socket });
  client.on('error', () => undefined);
  await client.connect();
  const turns = sharedTurns(redisLog(client, { commandTimeout: 20_000 }), {
    heartbeat: Number(heartbeat),
    // 500 turns that begin at once keep a busy machine for a while.
    logTimeout: 60_000,
  });
  const turn = () =>
    streamChatCompletions('Hi', {
      model: 'm',
      provider: { name: 'mock', baseUrl },
      retry: { maxRetries: 0 },
    });
  const readers = new Map<number, { unsubscribe(): void }>();
  const say = (word: Word): void => void process.send?.(word);

  process.on('message', ({ what, reader, id, after }: Order) => {
    if (what === 'leave') {
      readers.get(reader)?.unsubscribe();
      return;
    }
    if (what === 'close') {
      void turns.close().then(() => client.destroy());
      process.disconnect();
      return;
    }
    const events =
      what === 'run'
        ? turns.run(id, turn, { after })
        : what === 'follow'
          ? turns.follow(id, { after })
          : turns.stop(id);
    const subscription = events.subscribe({
      next: (event) => say({ reader, what: 'event', event }),
      error: (error: unknown) => say({ reader, what: 'error', name: (error as Error).name }),
      complete: () => say({ reader, what: 'complete' }),
    });
    readers.set(reader, subscription);
  });
  process.send?.('ready');
}

void main();
