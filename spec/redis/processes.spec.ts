import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';
import type { Logged } from '../../src/shared/index.js';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis-server.js';
import type { Order, Word } from './instance.js';

/** What the provider says, when the spec wants it to. */
class Speech implements AsyncIterable<string> {
  private readonly words: (string | undefined)[] = [];
  private wake = (): void => undefined;

  say(...words: readonly string[]): void {
    this.words.push(...words);
    this.wake();
  }

  end(): void {
    this.words.push(undefined);
    this.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      while (this.words.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
      const word = this.words.shift();
      if (word === undefined) return;
      yield word;
    }
  }
}

/** What a reader of an instance was given. */
class Reader {
  readonly events: Logged[] = [];
  /** `complete`, or the name of the error. */
  ended: string | undefined;
  private check = (): void => undefined;

  hear(word: Word): void {
    if (word.what === 'event') this.events.push(word.event);
    else this.ended = word.what === 'complete' ? 'complete' : word.name;
    this.check();
  }

  /** The text as it is shown: what came before `restarting` is void. */
  get text(): string {
    return this.events.reduce((text, event) => {
      if (event.type === 'restarting') return '';
      if (event.type !== 'output_item_done' || event.item.type !== 'message') return text;
      return text + event.item.content.map((part) => ('text' in part ? part.text : '')).join('');
    }, '');
  }

  get types(): readonly string[] {
    return this.events
      .map(({ type }) => (type === 'output_item_done' ? 'text' : type))
      .filter((type, place, all) => type !== all[place - 1]);
  }

  when(condition: (reader: this) => boolean): Promise<this> {
    return new Promise((resolve) => {
      this.check = () => {
        if (condition(this)) resolve(this);
      };
      this.check();
    });
  }

  whenText = (text: string): Promise<this> => this.when((reader) => reader.text === text);
  whenEnded = (): Promise<this> => this.when(({ ended }) => ended !== undefined);
}

class Instance {
  private readonly readers: Reader[] = [];

  private constructor(readonly child: ChildProcess) {
    child.on('message', (word: Word) => this.readers[word.reader]?.hear(word));
  }

  static async start(script: string, ...args: readonly string[]): Promise<Instance> {
    const child = fork(script, args, { execArgv: [] });
    await once(child, 'message');
    return new Instance(child);
  }

  do(what: Order['what'], id: string, after?: string): Reader {
    const reader = new Reader();
    this.readers.push(reader);
    const order: Order = { what, reader: this.readers.length - 1, id, ...(after !== undefined && { after }) };
    this.child.send(order);
    return reader;
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
  }
}

/** Forwards to Redis, until it is told to stop. What comes meanwhile arrives later. */
async function startProxy(path: string) {
  const sockets = new Set<Socket>();
  let isStalled = false;
  const server = createServer((from) => {
    const to = connect(path);
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (data) => other.write(data));
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      if (isStalled) socket.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: String((server.address() as AddressInfo).port),
    stall() {
      isStalled = true;
      for (const socket of sockets) socket.pause();
    },
    goOn() {
      isStalled = false;
      for (const socket of sockets) socket.resume();
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describeWithRedis('shared turns of several processes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'instances-'));
  const script = join(folder, 'instance.cjs');
  let server: RedisServer;
  let mock: MockProvider;
  let speeches: Speech[];
  /** How many answers were open when each request came, itself included. */
  let open: number[];
  const instances: Instance[] = [];
  let turns = 0;
  let id: string;

  beforeAll(() => {
    // In a process of its own: Jest's globals are not those that esbuild checks.
    const options = {
      entryPoints: [join(__dirname, 'instance.ts')],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile: script,
    };
    execFileSync(process.execPath, ['-e', `require('esbuild').buildSync(${JSON.stringify(options)})`], {
      cwd: join(__dirname, '../..'),
    });
  });
  beforeEach(async () => {
    server = await startRedis();
    speeches = [];
    open = [];
    mock = await startMockProvider({
      pace: 0,
      answers() {
        const content = new Speech();
        speeches.push(content);
        open.push(mock.openAnswers);
        return { content };
      },
    });
    id = `turn ${(turns += 1)}`;
  });
  afterEach(async () => {
    await Promise.all(instances.splice(0).map((instance) => instance.kill()));
    await mock.close();
    await server.close();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function start(count: number, address = server.path, heartbeat = 1_000): Promise<Instance[]> {
    const started = await Promise.all(
      Array.from({ length: count }, () => Instance.start(script, address, mock.baseUrl, String(heartbeat))),
    );
    instances.push(...started);
    return started;
  }

  it('one asks the provider, and all have its words: from the start, and from where they stopped', async () => {
    const [first, second, third] = await start(3);
    const running = [first!, second!, third!].map((instance) => instance.do('run', id));
    await mock.whenRequested();
    speeches[0]!.say('Hel', 'lo', ' you');
    await Promise.all(running.map((reader) => reader.whenText('Hello you')));
    speeches[0]!.say('!', '?');
    speeches[0]!.end();
    await Promise.all(running.map((reader) => reader.whenEnded()));
    for (const reader of running) {
      expect(reader.ended).toBe('complete');
      expect(reader.text).toBe('Hello you!?');
    }
    expect(mock.requests).toHaveLength(1);

    const whole = running.find(({ events }) => events.length === 6) ?? running[0]!;
    for (const [place, { id: after }] of whole.events.entries()) {
      const late = await second!.do('follow', id, after).whenEnded();
      expect([after, late.text, late.ended]).toEqual([
        after,
        'Hello you!?'.slice(textOf(whole.events.slice(0, place + 1)).length),
        'complete',
      ]);
    }
  });

  it('when the runner is killed before the first word, another asks once', async () => {
    const [first, second] = await start(2);
    first!.do('run', id);
    await mock.whenRequested();
    const other = second!.do('run', id);
    const follower = second!.do('follow', id);
    await first!.kill();
    await mock.whenRequested(2);
    speeches[1]!.say('Hello');
    speeches[1]!.end();
    for (const reader of [other, follower]) {
      await reader.whenEnded();
      expect([reader.text, reader.ended]).toEqual(['Hello', 'complete']);
    }
    expect(open).toEqual([1, 1]);
  });

  it('when the runner is killed in the middle, another says that it restarts, and asks once', async () => {
    const [first, second, third] = await start(3);
    const lost = first!.do('run', id);
    await mock.whenRequested();
    const others = [second!.do('run', id), third!.do('run', id), third!.do('follow', id)];
    speeches[0]!.say('Hel');
    await Promise.all([lost, ...others].map((reader) => reader.whenText('Hel')));
    await first!.kill();
    await mock.whenRequested(2);
    speeches[1]!.say('Good', 'bye');
    speeches[1]!.end();
    for (const reader of others) {
      await reader.whenEnded();
      expect([reader.text, reader.types, reader.ended]).toEqual([
        'Goodbye',
        ['text', 'restarting', 'text', 'completed'],
        'complete',
      ]);
    }
    expect(open).toEqual([1, 1]);
  });

  it('when the runner is killed after the last word, nobody asks again', async () => {
    const [first, second] = await start(2);
    first!.do('run', id);
    const other = second!.do('run', id);
    await mock.whenRequested();
    speeches[0]!.say('Hello');
    speeches[0]!.end();
    await other.whenEnded();
    await first!.kill();
    const late = await second!.do('run', id).whenEnded();
    expect([other.text, late.text, late.ended]).toEqual(['Hello', 'Hello', 'complete']);
    expect(mock.requests).toHaveLength(1);
  });

  it('one stops what another runs, and the provider is left', async () => {
    const [first, second] = await start(2);
    const running = first!.do('run', id);
    await mock.whenRequested();
    speeches[0]!.say('Hel');
    await running.whenText('Hel');
    const stopped = second!.do('stop', id);
    await mock.whenAborted();
    await Promise.all([running, stopped].map((reader) => reader.whenEnded()));
    expect([running.ended, stopped.ended]).toEqual(['complete', 'complete']);
    expect(running.events.at(-1)).toMatchObject({ type: 'completed', stopped: true });
    expect(mock.requests).toHaveLength(1);
  });

  it('a Redis that does not answer for a while holds the turn up nowhere but at the followers', async () => {
    const [first, second] = await start(2);
    const running = first!.do('run', id);
    await mock.whenRequested();
    const other = second!.do('run', id);
    speeches[0]!.say('a');
    await other.whenText('a');
    server.pause();
    speeches[0]!.say('b', 'c');
    await running.whenText('abc');
    expect(other.text).toBe('a');
    server.resume();
    await other.whenText('abc');
    speeches[0]!.end();
    await Promise.all([running, other].map((reader) => reader.whenEnded()));
    expect([running.ended, other.ended, other.types, mock.requests.length]).toEqual([
      'complete',
      'complete',
      ['text', 'completed'],
      1,
    ]);
  });

  it('a Redis that is killed and comes back without anything loses no word of a turn that goes on', async () => {
    const [first, second] = await start(2);
    const running = first!.do('run', id);
    await mock.whenRequested();
    const other = second!.do('run', id);
    speeches[0]!.say('a');
    await other.whenText('a');
    await server.kill();
    speeches[0]!.say('b', 'c');
    await running.whenText('abc');
    await server.start();
    speeches[0]!.say('d');
    await Promise.all([running, other].map((reader) => reader.whenText('abcd')));
    speeches[0]!.end();
    await Promise.all([running, other].map((reader) => reader.whenEnded()));
    expect([running.ended, other.ended, other.types, mock.requests.length]).toEqual([
      'complete',
      'complete',
      ['text', 'completed'],
      1,
    ]);
    // Nobody is told that a rest was the whole.
    const late = await second!.do('follow', id).whenEnded();
    expect([late.ended, late.text]).toEqual(['IncompleteLogError', '']);
  });

  it('a follower whose way to Redis is blocked goes on where it stopped', async () => {
    const proxy = await startProxy(server.path);
    const [first] = await start(1);
    const [second] = await start(1, proxy.port);
    const running = first!.do('run', id);
    await mock.whenRequested();
    const other = second!.do('follow', id);
    speeches[0]!.say('a');
    await other.whenText('a');
    proxy.stall();
    speeches[0]!.say('b');
    await running.whenText('ab');
    proxy.goOn();
    speeches[0]!.say('c');
    speeches[0]!.end();
    await Promise.all([running, other].map((reader) => reader.whenEnded()));
    expect([other.text, other.ended, mock.requests.length]).toEqual(['abc', 'complete', 1]);
    proxy.close();
  });

  it('a runner whose way to Redis is blocked is followed no more, and learns so', async () => {
    const proxy = await startProxy(server.path);
    const [first] = await start(1, proxy.port);
    const [second] = await start(1);
    const running = first!.do('run', id);
    await mock.whenRequested();
    const other = second!.do('run', id);
    speeches[0]!.say('a');
    await other.whenText('a');
    proxy.stall();
    speeches[0]!.say('b');
    await running.whenText('ab');
    await mock.whenRequested(2);
    proxy.goOn();
    // The first one is refused with its next word, and leaves its provider.
    await mock.whenAborted();
    speeches[1]!.say('x', 'y');
    speeches[1]!.end();
    await Promise.all([running, other].map((reader) => reader.whenEnded()));
    for (const reader of [running, other])
      expect([reader.text, reader.types, reader.ended]).toEqual([
        'xy',
        ['text', 'restarting', 'text', 'completed'],
        'complete',
      ]);
    proxy.close();
  });

  it('200 follow one turn, and 500 turns run at once', async () => {
    // A busy machine may keep a runner from its heartbeats for seconds.
    const [first, second] = await start(2, server.path, 60_000);
    const running = first!.do('run', id);
    await mock.whenRequested();
    const followers = Array.from({ length: 200 }, (_, place) =>
      (place % 2 === 0 ? first! : second!).do('follow', id),
    );
    for (let word = 0; word < 50; word += 1) speeches[0]!.say(`${word} `);
    speeches[0]!.end();
    await Promise.all([running, ...followers].map((reader) => reader.whenEnded()));
    expect(new Set(followers.map(({ text, ended }) => `${text} ${ended}`))).toEqual(
      new Set([`${running.text} complete`]),
    );

    const many = Array.from({ length: 500 }, (_, place) => [
      (place % 2 === 0 ? first! : second!).do('run', `${id} ${place}`),
      (place % 2 === 0 ? second! : first!).do('run', `${id} ${place}`),
    ]);
    await mock.whenRequested(501);
    for (const [place, speech] of speeches.slice(1).entries()) {
      speech.say(`This is `, `${place}`, '.');
      speech.end();
    }
    await Promise.all(many.flat().map((reader) => reader.whenEnded()));
    for (const [one, other] of many) expect(one!.text).toBe(other!.text);
    expect(new Set(many.map(([one]) => one!.text)).size).toBe(500);
    expect(mock.requests).toHaveLength(501);
  });
});

const textOf = (events: readonly Logged[]): string => {
  const reader = new Reader();
  reader.events.push(...events);
  return reader.text;
};
