import { createClient } from '@redis/client';
import { from, lastValueFrom, NEVER, type Observable, of, startWith } from 'rxjs';
import { fetchTransport, streamChatCompletions } from '../../src/index.js';
import { type MockAnswer, startMockProvider } from '../../src/mock-provider/index.js';
import { redisLog, RedisLogError, type RedisLogOptions } from '../../src/redis/index.js';
import { type SharedTurns, sharedTurns, type SharedTurnsOptions } from '../../src/shared/index.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { leaksOf } from '../reliability/taint.js';
import { completed, text } from '../support/events.js';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis-server.js';

const end = completed({ finishReason: 'stop' });
const endless = NEVER.pipe(startWith(text('said')));

/** How it ends: `complete`, or the name of its error. */
const endOf = (source: Observable<unknown>): Promise<string> =>
  lastValueFrom(source, { defaultValue: undefined }).then(
    () => 'complete',
    (error: unknown) => (error as Error).name,
  );

describeWithRedis('access to shared turns', () => {
  let server: RedisServer;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => (server = await startRedis()));
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  afterAll(() => server.close());

  async function connect(user?: { readonly username: string; readonly password: string }) {
    const client = createClient({ socket: { path: server.path, tls: false }, ...user });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async function instance(
    log: RedisLogOptions = {},
    options: SharedTurnsOptions = {},
    user?: Parameters<typeof connect>[0],
  ): Promise<SharedTurns> {
    const client = await connect(user);
    const turns = sharedTurns(redisLog(client, log), options);
    closing.push(async () => {
      await turns.close();
      client.destroy();
    });
    return turns;
  }

  async function asked<T>(ask: (send: (...args: string[]) => Promise<unknown>) => Promise<T>): Promise<T> {
    const client = await connect();
    try {
      return await ask((...args) => client.sendCommand(args));
    } finally {
      client.destroy();
    }
  }

  const keys = () => asked(async (send) => ((await send('KEYS', '*')) as string[]).sort());
  beforeEach(() => asked((send) => send('FLUSHALL')));

  /** A turn that has said something, and goes on. */
  async function begun(turns: SharedTurns, id: string): Promise<void> {
    await new Promise<void>((resolve) => {
      turns.run(id, () => endless).subscribe({ next: () => resolve(), error: () => undefined });
    });
    // Its own words are known to the log when another can read them.
    await new Promise<void>((resolve) => {
      const reading = turns.follow(id).subscribe({ next: () => resolve(), error: () => undefined });
      closing.unshift(() => {
        reading.unsubscribe();
        return Promise.resolve();
      });
    });
  }

  it('by a guessed id shows nothing, stops nothing and stores nothing', async () => {
    const turns = await instance();
    const other = await instance();
    await begun(turns, 'a-1');
    const before = await keys();
    for (const guess of [
      'a-2',
      'a',
      'A-1',
      'a-1 ',
      'a-1}',
      '{a-1}',
      '*',
      'a-?',
      '',
      'a-1:told',
      'turn:{a-1}',
    ]) {
      expect([guess, await endOf(other.follow(guess))]).toEqual([guess, 'UnknownTurnError']);
      expect([guess, await endOf(other.follow(guess, { after: '1-1' }))]).toEqual([
        guess,
        'UnknownTurnError',
      ]);
      expect([guess, await endOf(other.stop(guess))]).toEqual([guess, 'UnknownTurnError']);
    }
    expect((await keys()).filter((key) => !key.includes('wake'))).toEqual(
      before.filter((key) => !key.includes('wake')),
    );
    expect(await endOf(other.stop('a-1'))).toBe('complete');
  });

  it('by an expired id shows nothing, and asks anew', async () => {
    const turns = await instance({}, { ttl: 60_000 });
    expect(await endOf(turns.run('x', () => of(text('said'), end)))).toBe('complete');
    expect(await endOf(turns.follow('x'))).toBe('complete');
    // As if the time had come.
    await asked(async (send) => {
      expect(Number(await send('PTTL', 'turn:{x}'))).toBeGreaterThan(50_000);
      await send('PEXPIRE', 'turn:{x}', '0');
    });
    expect(await endOf(turns.follow('x'))).toBe('UnknownTurnError');
    expect(await endOf(turns.follow('x', { after: '1-1' }))).toBe('UnknownTurnError');
    expect(await endOf(turns.stop('x'))).toBe('UnknownTurnError');
    let requests = 0;
    const again = turns.run('x', () => ((requests += 1), of(end)));
    expect([await endOf(again), requests]).toEqual(['complete', 1]);
  });

  it('by the id of another prefix shows nothing, stops nothing, and begins a turn beside it', async () => {
    const one = await instance({ prefix: 'one:' });
    const two = await instance({ prefix: 'two:' });
    await begun(one, 'x');
    expect(await endOf(two.follow('x'))).toBe('UnknownTurnError');
    expect(await endOf(two.stop('x'))).toBe('UnknownTurnError');
    expect(await endOf(two.run('x', () => of(end)))).toBe('complete');
    const heard: RunEvent[] = [];
    const reading = one.follow('x').subscribe({ next: (event) => heard.push(event), error: () => undefined });
    expect(await endOf(one.stop('x'))).toBe('complete');
    reading.unsubscribe();
    expect(await keys()).toEqual(expect.arrayContaining(['one:{x}', 'two:{x}']));
  });

  it('needs no more rights than the guide says', async () => {
    await asked((send) =>
      send(
        ...['ACL', 'SETUSER', 'chat', 'on', '>secret', '~chat:turn:*', '-@all'],
        ...['+xadd', '+xread', '+xrange', '+xrevrange', '+pexpire', '+persist', '+pttl', '+del'],
      ),
    );
    const user = { username: 'chat', password: 'secret' };
    const turns = await instance({ prefix: 'chat:turn:' }, {}, user);
    const other = await instance({ prefix: 'chat:turn:' }, { whenLeft: 'abort' }, user);
    await begun(turns, 'x');
    expect(await endOf(other.stop('x'))).toBe('complete');
    expect(await endOf(other.follow('x'))).toBe('complete');
    expect((await keys()).every((key) => key.startsWith('chat:turn:'))).toBe(true);
  });

  it('without rights, or without the key of what is stored, is an error of the reader', async () => {
    await asked(async (send) => {
      await send('ACL', 'SETUSER', 'blind', 'on', '>secret', '~turn:*', '-@all', '+xread', '+pttl');
      await send('XADD', 'turn:{x}', '1-0', 'd', 'cword');
    });
    const blind = await instance({}, {}, { username: 'blind', password: 'secret' });
    const refused = lastValueFrom(blind.follow('x'));
    await expect(refused).rejects.toEqual(new RedisLogError('XRANGE', 'NOPERM'));
    const decode = () => {
      throw new RangeError('not of this key');
    };
    const keyless = await instance({ decode });
    await expect(lastValueFrom(keyless.follow('x'))).rejects.toThrow('not of this key');
  });

  describe('what is stored', () => {
    const taint = {
      key: 'sk-taint.4Fh2mQx9Zr7Lw3',
      prompt: 'prompt-taint-7Kd3wLp5Vn',
      answer: 'answer-taint-9Bt6yGc1Js',
    };
    const { key, answer } = taint;

    /** All that Redis has, as it is stored. */
    const stored = () =>
      asked(async (send) => {
        const all: unknown[] = [];
        for (const name of (await send('KEYS', '*')) as string[])
          all.push(name, await send('XRANGE', name, '-', '+'));
        return all;
      });

    it.each<[string, MockAnswer]>([
      ['an answer', { content: 'Hello' }],
      ['a refusal that repeats the key', { status: 401, body: `${answer} Bearer ${key}` }],
      ['a retry that repeats the key', { status: 503, body: `${answer} ${encodeURIComponent(key)}` }],
    ])('of %s holds no key, no prompt and nothing that a provider said of an error', async (_, given) => {
      const mock = await startMockProvider({ pace: 0, answers: () => given });
      closing.push(() => mock.close());
      const turns = await instance();
      const turn = () =>
        streamChatCompletions(taint.prompt, {
          model: 'm',
          provider: { name: 'p', baseUrl: mock.baseUrl, apiKey: key },
          transport: fetchTransport(),
          retry: { maxRetries: 1, initialDelay: 1 },
          includeRetries: true,
        });
      await endOf(turns.run('x', turn));
      // Until the end is written.
      const ending = await endOf(turns.follow('x'));
      expect(ending).toBe(given.status === undefined ? 'complete' : 'RemoteTurnError');
      expect(mock.requests[0]?.headers.authorization).toBe(`Bearer ${key}`);
      const all = await stored();
      expect(JSON.stringify(all)).toContain('turn:{x}');
      expect(leaksOf(all, taint)).toEqual([]);
    });

    it('of turns under encode holds no word of them', async () => {
      const hidden = (value: string) => Buffer.from(value, 'utf8').map((byte) => byte ^ 0x5a);
      const turns = await instance({
        encode: (value) => Buffer.from(hidden(value)).toString('base64'),
        decode: (value) =>
          Buffer.from(Buffer.from(value, 'base64').map((byte) => byte ^ 0x5a)).toString('utf8'),
      });
      await endOf(turns.run('x', () => from([text(answer), end])));
      expect(await endOf(turns.follow('x'))).toBe('complete');
      const all = await stored();
      expect(leaksOf(all, taint)).toEqual([]);
      expect(JSON.stringify(all)).not.toContain('completed');
    });
  });
});
