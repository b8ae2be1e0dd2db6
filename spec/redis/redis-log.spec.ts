import { createClient } from '@redis/client';
import { Redis } from 'ioredis';
import { from, lastValueFrom, type ObservableInput } from 'rxjs';
import {
  type RedisClient,
  type RedisLog,
  redisLog,
  RedisLogError,
  type RedisLogOptions,
} from '../../src/redis/index.js';
import type { LogEntry } from '../../src/shared/index.js';
import { itIsATurnLog, type LogUnderTest, reading } from '../shared/turn-log-contract.js';
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

const result = <T>(source: ObservableInput<T>): Promise<T | undefined> =>
  lastValueFrom(from(source), { defaultValue: undefined });

const entry = (id: string, data = `t${id}`): LogEntry => ({ id, data });

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

  describe('what is stored', () => {
    let connected: Connected;
    // All but the stream that wakes the reader.
    const keys = async () =>
      ((await connected.client.sendCommand(['KEYS', '*'])) as string[])
        .filter((key) => !key.includes(':wake:'))
        .sort();
    const ask = (...args: string[]) => connected.client.sendCommand(args);
    beforeAll(async () => (connected = await nodeRedis(server.path)));
    beforeEach(() => ask('FLUSHALL'));
    afterAll(() => connected.close());

    it('is two streams with one hash tag, which expire when the turn does', async () => {
      const log = redisLog(connected.client);
      await result(log.claim('a', entry('1-0'), 60_000));
      await result(log.tell('a', 'stop'));
      expect(await keys()).toEqual(['turn:{a}', 'turn:{a}:told']);
      const left = (await Promise.all((await keys()).map((key) => ask('PTTL', key)))).map(Number);
      expect(left.every((each) => each > 0 && each <= 60_000)).toBe(true);
      await result(log.append('a', entry('1-1'), Infinity));
      // The expiry is sent after the entry, on the same connection.
      expect(await ask('PTTL', 'turn:{a}')).toBe(-1);
      await result(log.remove('a'));
      expect(await keys()).toEqual([]);
      await result(log.close());
    });

    it('has a key of its own for every id, and none for a message to a turn that is not there', async () => {
      const log = redisLog(connected.client);
      const ids = [
        '',
        '%',
        '{',
        '}',
        'a}',
        'a}:told',
        'a:told',
        'A',
        'a',
        'ä',
        'a b',
        'a\r\nDEL x',
        '\ud83d',
        '\ufffd',
        '*',
      ];
      for (const id of ids) await result(log.claim(id, entry('1-0', `t${id}`), 60_000));
      expect(await keys()).toHaveLength(ids.length);
      for (const key of await keys()) expect(key).toMatch(/^turn:\{[^{}]+\}$/);
      for (const id of ids) {
        const log2 = reading(log.read(id, ''));
        await log2.when((lists) => lists.length > 0);
        log2.subscription.unsubscribe();
        expect(log2.all()).toEqual([entry('1-0', `t${id}`)]);
      }
      await result(log.tell('guessed', 'stop'));
      expect(await keys()).toHaveLength(ids.length);
      await result(log.close());
    });

    it('is nothing to a log of another prefix', async () => {
      const one = redisLog(connected.client, { prefix: 'a:' });
      const other = redisLog(connected.client, { prefix: 'b:' });
      await result(one.claim('x', entry('1-0'), 60_000));
      await result(other.tell('x', 'stop'));
      const seen = reading(other.read('x', ''));
      await seen.when((lists) => lists.length > 0);
      seen.subscription.unsubscribe();
      expect(seen.all()).toEqual([]);
      expect(await keys()).toEqual(['a:{x}']);
      await result(one.close());
      await result(other.close());
    });

    it('is what encode makes of it; what decode throws is the error of the reader alone', async () => {
      const encode = (text: string) => Buffer.from(text, 'utf8').toString('hex');
      const decode = (text: string) => {
        if (text.length % 2 === 1) throw new RangeError('not of this key');
        return Buffer.from(text, 'hex').toString('utf8');
      };
      const log = redisLog(connected.client, { encode, decode });
      await result(log.claim('x', entry('1-0', 'secret'), 60_000));
      await result(log.tell('x', 'secret'));
      const stored = JSON.stringify([
        await ask('XRANGE', 'turn:{x}', '-', '+'),
        await ask('XRANGE', 'turn:{x}:told', '-', '+'),
      ]);
      expect(stored).not.toContain('secret');
      expect(stored).toContain(encode('secret'));
      const seen = reading(log.read('x', ''));
      await seen.when((lists) => lists.length > 0);
      expect(seen.all()).toEqual([entry('1-0', 'secret')]);
      await ask('XADD', 'turn:{x}', '1-1', 'd', 'odd');
      await expect(seen.when(() => false)).rejects.toThrow('not of this key');
      await result(log.close());
    });

    it('is trimmed to about as many entries as maxLength says', async () => {
      const log = redisLog(connected.client, { maxLength: 100 });
      await result(log.claim('x', entry('1-0'), 60_000));
      for (let seq = 1; seq <= 500; seq += 1) await result(log.append('x', entry(`1-${seq}`, 't')));
      expect(Number(await ask('XLEN', 'turn:{x}'))).toBeLessThan(250);
      await result(log.close());
    });

    it('is an error without a word of it where Redis refuses', async () => {
      await ask('SET', 'turn:{x}', 'a text');
      const log = redisLog(connected.client);
      const refused = new RedisLogError('XADD', 'WRONGTYPE');
      await expect(result(log.claim('x', entry('1-0', 'secret'), 60_000))).rejects.toEqual(refused);
      await expect(reading(log.read('x', '')).when(() => false)).rejects.toEqual(
        new RedisLogError('XRANGE', 'WRONGTYPE'),
      );
      await result(log.close());
    });
  });

  describe('an entry that is sent late, or twice', () => {
    let connected: Connected;
    beforeAll(async () => (connected = await nodeRedis(server.path)));
    afterAll(() => connected.close());

    /** A client that does what it is told, but loses the reply to the first command of a name. */
    const forgetful = (name: string): RedisClient => {
      let lost = false;
      return {
        async sendCommand(args) {
          const reply = await connected.client.sendCommand(args);
          if (args[0] !== name || lost) return reply;
          lost = true;
          throw new Error('Socket closed unexpectedly');
        },
        duplicate: () => connected.client.duplicate!(),
      };
    };

    it('is there once: the same append again says true', async () => {
      const log = redisLog(forgetful('XADD'), { prefix: 'lost:' });
      const claim = () => result(log.claim('x', entry('1-0'), 60_000));
      await expect(claim()).rejects.toEqual(new RedisLogError('XADD', 'CONNECTION'));
      expect(await result(log.append('x', entry('1-1')))).toBe(true);
      expect(await result(log.append('x', entry('1-1')))).toBe(true);
      await result(log.close());
    });

    it('is a claim of its own where the client has sent it twice', async () => {
      const twice: RedisClient = {
        async sendCommand(args) {
          if (args[0] === 'XADD') await connected.client.sendCommand(args);
          return connected.client.sendCommand(args);
        },
        duplicate: () => connected.client.duplicate!(),
      };
      const log = redisLog(twice, { prefix: 'twice:' });
      expect(await result(log.claim('x', entry('1-0'), 60_000))).toBe(true);
      expect(await result(log.claim('x', entry('1-0'), 60_000))).toBe(false);
      await result(log.close());
    });

    it('is refused after a later epoch has begun, with all that waits in the queue of the client', async () => {
      const late = await nodeRedis(server.path);
      const stale = redisLog(late.client, { prefix: 'late:', commandTimeout: 100 });
      const log = redisLog(connected.client, { prefix: 'late:' });
      expect(await result(stale.claim('x', entry('1-0'), 60_000))).toBe(true);
      server.pause();
      const appended = result(stale.append('x', entry('1-1')));
      await expect(appended).rejects.toEqual(new RedisLogError('XADD', 'TIMEOUT'));
      server.resume();
      expect(await result(log.claim('x', entry('2-0'), 60_000))).toBe(true);
      expect(await result(stale.append('x', entry('1-2')))).toBe(false);
      await result(stale.close());
      late.close();
      await result(log.close());
    });

    it('is taken back where the client was not connected and nobody waits for it any more', async () => {
      const own = await startRedis();
      const client = createClient({ socket: { path: own.path, tls: false, reconnectStrategy: 20 } });
      client.on('error', () => undefined);
      await client.connect();
      const log = redisLog(client, { commandTimeout: 100 });
      await own.kill();
      await expect(result(log.claim('x', entry('1-0'), 60_000))).rejects.toBeInstanceOf(RedisLogError);
      await expect(result(log.claim('x', entry('1-0'), 60_000))).rejects.toEqual(
        new RedisLogError('XADD', 'TIMEOUT'),
      );
      await own.start();
      expect(await client.sendCommand(['EXISTS', 'turn:{x}'])).toBe(0);
      await result(log.close());
      client.destroy();
      await own.close();
    });
  });

  describe('when Redis is gone for a while', () => {
    it.each([
      ['keeps all', ['--appendonly', 'yes', '--appendfsync', 'always']],
      ['keeps nothing', []],
    ])('followers wait, and go on with what is appended (Redis %s)', async (_, options) => {
      const own = await startRedis(...options);
      const [writer, reader] = await Promise.all([nodeRedis(own.path), nodeRedis(own.path)]);
      const [log, other] = [redisLog(writer.client), redisLog(reader.client)];
      await result(log.claim('x', entry('1-0'), 60_000));
      await result(log.append('x', entry('1-1')));
      const seen = reading(other.read('x', ''));
      await seen.when((lists) => lists.flat().length === 2);
      await own.kill();
      const lists = seen.lists.length;
      await expect(result(log.append('x', entry('1-2')))).rejects.toBeInstanceOf(RedisLogError);
      expect(seen.lists).toHaveLength(lists);
      await own.start();
      for (let isAppended; isAppended !== true;)
        isAppended = await result(log.append('x', entry('1-2'))).catch(() => false);
      await seen.when((all) => all.flat().length === 3);
      expect(seen.all()).toEqual([entry('1-0'), entry('1-1'), entry('1-2')]);
      expect(Number(await writer.client.sendCommand(['PTTL', 'turn:{x}']))).toBeGreaterThan(0);
      await Promise.all([log, other].map((each) => result(each.close())));
      writer.close();
      reader.close();
      await own.close();
    });
  });

  it('reads in a cluster by hash tag, where one read of several slots is refused', async () => {
    const own = await startRedis('--cluster-enabled', 'yes');
    const connected = await nodeRedis(own.path);
    const { client } = connected;
    await client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
    for (let info = ''; !info.includes('cluster_state:ok');)
      info = String(await client.sendCommand(['CLUSTER', 'INFO']));
    const turns = async (log: RedisLog) => {
      for (const id of ['a', 'b']) await result(log.claim(id, entry('1-0'), 60_000));
      const seen = ['a', 'b'].map((id) => reading(log.read(id, '')));
      const told = reading(log.told('a'));
      await Promise.all(seen.map((each) => each.when((lists) => lists.length > 1)));
      await result(log.append('b', entry('1-1')));
      await result(log.tell('a', 'stop'));
      await seen[1]!.when((lists) => lists.flat().length === 2);
      await told.when((lists) => lists.flat().length === 1);
      await result(log.close());
    };
    await expect(turns(redisLog(client))).rejects.toEqual(new RedisLogError('XREAD', 'CROSSSLOT'));
    await turns(redisLog(client, { prefix: 'by turn:', cluster: true }));
    // With a tag in the prefix all its turns are in one slot: one connection, cluster or not.
    await turns(redisLog(client, { prefix: 'chat{1}:' }));
    connected.close();
    await own.close();
  });

  it('opens one connection for all that it follows, when it is needed first, and closes it', async () => {
    const own = await startRedis();
    const connected = await nodeRedis(own.path);
    const count = async () =>
      String(await connected.client.sendCommand(['CLIENT', 'LIST']))
        .trim()
        .split('\n').length;
    const log = redisLog(connected.client);
    await result(log.claim('x', entry('1-0'), 60_000));
    expect(await count()).toBe(1);
    const seen = Array.from({ length: 200 }, () => reading(log.read('x', '')));
    const others = Array.from({ length: 300 }, (_, place) => reading(log.told(`${place}`)));
    await Promise.all([...seen, ...others].map((each) => each.when((lists) => lists.length > 1)));
    expect(await count()).toBe(2);
    await result(log.append('x', entry('1-1')));
    await Promise.all(seen.map((each) => each.when((lists) => lists.flat().length === 2)));
    await result(log.close());
    await expect(seen[0]!.when(() => false)).rejects.toEqual(new RedisLogError('XREAD', 'CLOSED'));
    while ((await count()) > 1);
    connected.close();
    await own.close();
  });

  it('asks for a second connection where the client cannot open one', () => {
    expect(() => redisLog({ sendCommand: () => Promise.resolve(null) })).toThrow(TypeError);
  });
});
