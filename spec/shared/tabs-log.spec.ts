import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  concat,
  firstValueFrom,
  from,
  lastValueFrom,
  NEVER,
  type ObservableInput,
  of,
  Subject,
  tap,
  toArray,
} from 'rxjs';
import { sharedTurns, tabsLog, type TabsLogOptions } from '../../src/shared/index.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { completed, text } from '../support/events.js';
import { FakeLocks } from './fake-locks.js';
import { itIsATurnLog, reading } from './turn-log-contract.js';

const long = 600_000;

const resultOf = <T>(source: ObservableInput<T>): Promise<T | undefined> =>
  lastValueFrom(from(source), { defaultValue: undefined });

/** Tabs of one origin, over Node's own channels. */
class Origin {
  readonly locks = new FakeLocks();
  readonly #ends: (() => Promise<unknown>)[] = [];

  open(options: TabsLogOptions = {}) {
    const tab = this.locks.tab();
    const channels: BroadcastChannel[] = [];
    const log = tabsLog({
      locks: tab.locks,
      channel: (name) => {
        const channel = new BroadcastChannel(name);
        channels.push(channel);
        return channel;
      },
      ...options,
    });
    this.#ends.push(() => resultOf(log.close()));
    return {
      log,
      /** As a browser closes a tab: it hears and says nothing any more, and its locks are free. */
      close() {
        for (const channel of channels) channel.close();
        tab.close();
      },
      /** It is there, and does nothing. */
      freeze() {
        for (const channel of channels) channel.close();
      },
    };
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0)) await end();
  }
}

describe('tabsLog()', () => {
  itIsATurnLog(async () => {
    const origin = new Origin();
    return { logs: [origin.open().log, origin.open().log], end: () => origin.end() };
  });

  let origin: Origin;
  beforeEach(() => (origin = new Origin()));
  afterEach(() => origin.end());

  const entries = [
    { id: '1-0', data: 'c' },
    { id: '1-1', data: 'tHel' },
  ] as const;

  it('says that a tab has left when it is closed, once', async () => {
    const [writer, one, other] = [origin.open(), origin.open(), origin.open()];
    await resultOf(writer.log.claim('x', entries[0], long));
    await resultOf(writer.log.append('x', entries[1]));
    const logs = [reading(one.log.read('x', '')), reading(other.log.read('x', ''))];
    await Promise.all(logs.map((log) => log.when((lists) => lists.flat().length === 2)));
    writer.close();
    await Promise.all(logs.map((log) => log.when((lists) => lists.flat().length > 2)));
    await Promise.all(logs.map((log) => log.when((lists) => lists.at(-1)?.length === 0)));
    for (const log of logs) {
      expect(log.all()).toEqual([...entries, { id: '1-2', data: 'l' }]);
      log.subscription.unsubscribe();
    }
  });

  it('says nothing of a tab that is closed after the end', async () => {
    const [writer, other] = [origin.open(), origin.open()];
    const end = { id: '1-2', data: '.' };
    await resultOf(writer.log.claim('x', entries[0], long));
    await resultOf(writer.log.append('x', entries[1]));
    await resultOf(writer.log.append('x', end));
    const log = reading(other.log.read('x', ''));
    await log.when((lists) => lists.length > 0);
    writer.close();
    await log.when((lists) => lists.length > 2);
    expect(log.all()).toEqual([...entries, end]);
    log.subscription.unsubscribe();
  });

  it('keeps a turn while one tab is open that has a copy, and no longer', async () => {
    const [writer, other, late] = [origin.open(), origin.open(), origin.open()];
    await resultOf(writer.log.claim('x', entries[0], long));
    await resultOf(writer.log.append('x', { id: '1-1', data: '.' }));
    await firstValueFrom(other.log.read('x', ''));
    writer.close();
    expect(await firstValueFrom(late.log.read('x', '1-0'))).toEqual([{ id: '1-1', data: '.' }]);
    other.close();
    late.close();
    expect(await firstValueFrom(origin.open().log.read('x', ''))).toEqual([]);
  });

  it('waits for a tab that is silent as long as it may, and refuses what that appends later', async () => {
    const [writer, other] = [origin.open(), origin.open({ tabTimeout: 50 })];
    await resultOf(writer.log.claim('x', entries[0], long));
    await firstValueFrom(other.log.read('x', ''));
    const third = origin.open();
    await firstValueFrom(third.log.read('x', ''));
    writer.freeze();
    expect(await resultOf(other.log.claim('x', { id: '2-0', data: 'c' }, long))).toBe(true);
    const log = reading(third.log.read('x', ''));
    await log.when((lists) => lists.flat().at(-1)?.id === '2-0');
    expect(log.all()).toEqual([entries[0], { id: '2-0', data: 'c' }]);
    log.subscription.unsubscribe();
  });

  it('asks for the whole where its copy lacks something, and shows nothing after the gap', async () => {
    const reader = origin.open();
    const log = reading(reader.log.read('x', ''));
    await log.when((lists) => lists.length > 0);
    const stranger = new BroadcastChannel('turns:');
    void origin.locks.tab().locks.request('turns:tab stranger', {}, () => lastValueFrom(NEVER));
    const asked = new Promise((resolve) => {
      stranger.onmessage = ({ data }: { data?: { last?: unknown } }) => {
        if (data?.last === '1-0') resolve(data);
      };
    });
    const said = { type: 'entry', id: 'x', until: Date.now() + long, writer: 'stranger' };
    stranger.postMessage({ ...said, entry: entries[0], before: '' });
    stranger.postMessage({ ...said, entry: { id: '1-3', data: 'tlo' }, before: '1-2' });
    expect(await asked).toMatchObject({ type: 'ask', id: 'x', last: '1-0', epoch: 0 });
    await log.when((lists) => lists.flat().length === 1);
    expect(log.all()).toEqual([entries[0]]);
    log.subscription.unsubscribe();
    stranger.close();
  });

  it.each([
    [undefined],
    ['entry'],
    [{ type: 'toString' }],
    [{ type: 'entry', id: 'x' }],
    [{ type: 'entry', id: 'x', entry: { id: '1-0' }, before: '', until: 9e15, writer: 'w' }],
    [{ type: 'entry', id: 'x', entry: { id: '1-0', data: 7 }, before: '', until: 9e15, writer: 'w' }],
    [{ type: 'tell', id: 'x', message: {} }],
    [{ type: 'copy', id: 'x', to: 'me', entries: [null] }],
  ])('takes no notice of %j on its channel', async (message) => {
    const reader = origin.open();
    const log = reading(reader.log.read('x', ''));
    await log.when((lists) => lists.length > 0);
    const stranger = new BroadcastChannel('turns:');
    stranger.postMessage(message);
    const until = Date.now() + long;
    stranger.postMessage({ type: 'entry', id: 'x', entry: entries[0], before: '', until, writer: 'w' });
    await log.when((lists) => lists.flat().length > 0);
    expect(log.all()).toEqual([entries[0]]);
    log.subscription.unsubscribe();
    stranger.close();
  });

  it('shows nothing to a log of another prefix', async () => {
    await resultOf(origin.open().log.claim('x', entries[0], long));
    expect(await firstValueFrom(origin.open({ prefix: 'other:' }).log.read('x', ''))).toEqual([]);
  });

  it('takes part only when it is used, and leaves no lock behind', async () => {
    const { log } = origin.open();
    expect(origin.locks.names).toEqual([]);
    await resultOf(log.claim('x', entries[0], long));
    await nextTurn();
    expect(origin.locks.names).toEqual([expect.stringMatching(/^turns:tab /)]);
    await resultOf(log.close());
    await nextTurn();
    expect(origin.locks.names).toEqual([]);
  });

  it.each(['-', '-turns', 7 as unknown as string])('throws a TypeError for the prefix %j', (prefix) => {
    expect(() => tabsLog({ prefix, locks: origin.locks.tab().locks })).toThrow(
      new TypeError('options.prefix must be a string that does not begin with "-".'),
    );
  });

  it('throws a TypeError where the platform has no locks, or no channels', () => {
    const descriptors = ['navigator', 'BroadcastChannel'].map(
      (name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const,
    );
    try {
      for (const [name] of descriptors)
        Object.defineProperty(globalThis, name, { value: undefined, configurable: true });
      expect(() => tabsLog()).toThrow(/navigator\.locks/);
      expect(() => tabsLog({ locks: origin.locks.tab().locks })).toThrow(/needs BroadcastChannel/);
    } finally {
      for (const [name, descriptor] of descriptors)
        if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
        else Object.defineProperty(globalThis, name, descriptor);
    }
  });

  describe('below sharedTurns()', () => {
    // Nobody is noticed by silence here.
    const heartbeat = 3_600_000;

    it('lets an open tab take over at once from one that is closed, and asks anew', async () => {
      const [first, second] = [origin.open(), origin.open()];
      const turns = sharedTurns(first.log, { heartbeat });
      const others = sharedTurns(second.log, { heartbeat });
      const began = new Subject<unknown>();
      const isBegun = firstValueFrom(began);
      turns
        .run('x', () => concat(of(text('Hel')), NEVER))
        .subscribe({ next: (event) => began.next(event), error: () => undefined });
      await isBegun;
      let asked = 0;
      const events = others.run('x', () => {
        asked += 1;
        return of<RunEvent[]>(text('Hello'), completed());
      });
      const seen = await lastValueFrom(
        events.pipe(
          tap(({ id }) => {
            if (id === '1-1') first.close();
          }),
          toArray(),
        ),
      );
      expect(seen).toMatchObject([text('Hel'), { type: 'restarting' }, text('Hello'), completed()]);
      expect(asked).toBe(1);
      await Promise.all([turns.close(), others.close()]);
    });

    it('runs a turn once, whichever tabs run it', async () => {
      const tabs = [1, 2, 3].map(() => sharedTurns(origin.open().log, { heartbeat }));
      let asked = 0;
      const turn = () => {
        asked += 1;
        return of<RunEvent[]>(text('Hello'), completed());
      };
      const seen = await Promise.all(
        tabs.map((turns) => lastValueFrom(turns.run('x', turn).pipe(toArray()))),
      );
      for (const events of seen) expect(events).toMatchObject([text('Hello'), completed()]);
      expect(asked).toBe(1);
      await Promise.all(tabs.map((turns) => turns.close()));
    });
  });
});
