import { createClient } from '@redis/client';
import { Redis } from 'ioredis';
import { from, lastValueFrom } from 'rxjs';
import { type RedisClient, redisLog, type RedisLogOptions } from '../../src/redis/index.js';
import { itIsATurnLog, type LogUnderTest } from '../shared/turn-log-contract.js';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis-server.js';

/** A client with what it takes to close it. */
interface Connected {
  readonly client: RedisClient;
  readonly options: RedisLogOptions;
  close(): void;
}

async function nodeRedis(path: string): Promise<Connected> {
  const client = createClient({ socket: { path, tls: false } });
  client.on('error', () => undefined);
  await client.connect();
  return { client, options: {}, close: () => client.destroy() };
}

async function ioredis(path: string): Promise<Connected> {
  const io = new Redis({ path });
  const blocking = io.duplicate();
  for (const each of [io, blocking]) each.on('error', () => undefined);
  const commands = (each: Redis) => ({
    sendCommand: ([name = '', ...args]: string[]) => each.call(name, ...args),
  });
  return {
    client: commands(io),
    options: { reader: commands(blocking) },
    close() {
      io.disconnect();
      blocking.disconnect();
    },
  };
}

const clients = { '@redis/client': nodeRedis, ioredis };

describeWithRedis('redisLog()', () => {
  let server: RedisServer;
  beforeAll(async () => (server = await startRedis()));
  afterAll(() => server.close());

  describe.each(Object.entries(clients))('with %s', (prefix, connect) => {
    itIsATurnLog(async (): Promise<LogUnderTest> => {
      const connected = await Promise.all([connect(server.path), connect(server.path)]);
      const [one, other] = connected.map(({ client, options }) => redisLog(client, { ...options, prefix }));
      return {
        logs: [one!, other!],
        async end() {
          await Promise.all(
            [one!, other!].map((log) => lastValueFrom(from(log.close()), { defaultValue: undefined })),
          );
          for (const each of connected) each.close();
        },
      };
    });
  });
});
