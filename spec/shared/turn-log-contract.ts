import { setImmediate as nextTurn } from 'node:timers/promises';
import { from, lastValueFrom, type ObservableInput, type Subscription } from 'rxjs';
import type { LogEntry, TurnLog } from '../../src/shared/index.js';

/** A log that is tried, and what it stands on. */
export interface LogUnderTest {
  /** Two logs on one store: of two instances, or twice the same where a store has only one. */
  readonly logs: readonly [TurnLog, TurnLog];
  end(): Promise<unknown>;
}

const long = 600_000;

/** What a reader has been given, list by list. */
interface Reading<T> {
  readonly lists: (readonly T[])[];
  readonly all: () => readonly T[];
  /** Resolves once a condition holds. */
  when(condition: (lists: readonly (readonly T[])[]) => boolean): Promise<void>;
  readonly subscription: Subscription;
}

/** Reads until it is told to stop. An error fails whoever waits. */
export function reading<T>(source: ObservableInput<readonly T[]>): Reading<T> {
  const lists: (readonly T[])[] = [];
  let failure: { readonly error: unknown } | undefined;
  let check = (): void => undefined;
  const subscription = from(source).subscribe({
    next(list) {
      lists.push(list);
      check();
    },
    error(error: unknown) {
      failure = { error };
      check();
    },
  });
  return {
    lists,
    all: () => lists.flat(),
    when: (condition) =>
      new Promise((resolve, reject) => {
        check = () => {
          if (failure !== undefined)
            reject(failure.error instanceof Error ? failure.error : new Error('No error.'));
          else if (condition(lists)) resolve();
        };
        check();
      }),
    subscription,
  };
}

const resultOf = <T>(source: ObservableInput<T>): Promise<T | undefined> =>
  lastValueFrom(from(source), { defaultValue: undefined });

const entry = (id: string, data = `t${id}`): LogEntry => ({ id, data });

/** What holds of every log, whatever it stands on. */
export function itIsATurnLog(make: () => Promise<LogUnderTest>): void {
  let tried: LogUnderTest;
  let one: TurnLog;
  let other: TurnLog;
  let turns = 0;
  let id: string;
  const readings: Subscription[] = [];

  function read(log: TurnLog, after = '', of = id): Reading<LogEntry> {
    const started = reading(log.read(of, after));
    readings.push(started.subscription);
    return started;
  }

  function told(log: TurnLog): Reading<string> {
    const started = reading(log.told(id));
    readings.push(started.subscription);
    return started;
  }

  async function written(...entries: readonly LogEntry[]): Promise<void> {
    for (const each of entries) {
      const isFirst = each.id.endsWith('-0');
      expect(await resultOf(isFirst ? one.claim(id, each, long) : one.append(id, each))).toBe(true);
    }
  }

  async function untilGone(source: (log: TurnLog) => ObservableInput<readonly unknown[]>): Promise<void> {
    for (let left = 1; left > 0;) {
      await nextTurn();
      const now = reading(source(other));
      await now.when((lists) => lists.length > 0);
      now.subscription.unsubscribe();
      left = now.all().length;
    }
  }

  beforeAll(async () => {
    tried = await make();
    [one, other] = tried.logs;
  });
  beforeEach(() => (id = `turn ${(turns += 1)}`));
  afterEach(() => {
    for (const subscription of readings.splice(0)) subscription.unsubscribe();
  });
  afterAll(async () => {
    await tried.end();
  });

  describe('claim()', () => {
    it('lets one of many begin an epoch', async () => {
      const claims = Array.from({ length: 20 }, (_, place) =>
        resultOf((place % 2 === 0 ? one : other).claim(id, entry('1-0', `c${place}`), long)),
      );
      const results = await Promise.all(claims);
      expect(results.filter(Boolean)).toHaveLength(1);
      const log = read(one);
      await log.when((lists) => lists.length > 0);
      expect(log.all()).toEqual([entry('1-0', `c${results.indexOf(true)}`)]);
    });

    it('refuses an epoch that is not higher, and lets a higher one begin', async () => {
      await written(entry('2-0'), entry('2-1'));
      expect(await resultOf(other.claim(id, entry('1-0'), long))).toBe(false);
      expect(await resultOf(other.claim(id, entry('2-0'), long))).toBe(false);
      expect(await resultOf(other.claim(id, entry('3-0'), long))).toBe(true);
    });
  });

  describe('append()', () => {
    it('refuses a writer whose epoch is over', async () => {
      await written(entry('1-0'), entry('1-1'));
      expect(await resultOf(other.claim(id, entry('2-0'), long))).toBe(true);
      expect(await resultOf(one.append(id, entry('1-2')))).toBe(false);
      expect(await resultOf(one.append(id, entry('1-1')))).toBe(false);
      const log = read(one);
      await log.when((lists) => lists.length > 0);
      expect(log.all()).toEqual([entry('1-0'), entry('1-1'), entry('2-0')]);
    });

    it('says true for an entry that is there, and has it once', async () => {
      await written(entry('1-0'), entry('1-1'));
      expect(await resultOf(one.append(id, entry('1-1')))).toBe(true);
      const log = read(one);
      await log.when((lists) => lists.length > 0);
      expect(log.all()).toEqual([entry('1-0'), entry('1-1')]);
    });

    it.each([
      ['halves of characters', 'tHi \ud83d'],
      ['what looks like JSON', '"\\ud83d"'],
      ['an empty text', ''],
      ['controls and line ends', 't\0\r\n\u2028\x7f'],
      ['100,000 characters', `t${'é'.repeat(100_000)}`],
    ])('keeps %s as they are', async (_, data) => {
      await written(entry('1-0'), entry('1-1', data));
      const log = read(other);
      await log.when((lists) => lists.length > 0);
      expect(log.all()).toEqual([entry('1-0'), entry('1-1', data)]);
    });
  });

  describe('read()', () => {
    const entries = ['1-0', '1-1', '1-4', '1-12', '2-0', '2-3', '10-0', '10-1'].map((each) => entry(each));

    it('gives all that is there in the first list, from every place', async () => {
      await written(...entries);
      for (const [place, { id: after }] of entries.entries()) {
        const log = read(other, after);
        await log.when((lists) => lists.length > 0);
        expect(log.lists[0]).toEqual(entries.slice(place + 1));
      }
      const between = read(other, '1-7');
      await between.when((lists) => lists.length > 0);
      expect(between.lists[0]).toEqual(entries.slice(3));
    });

    it.each(['', 'x', '1', '-1', '1-1 ', '1-1\r\nDEL', '99999999999999999999-1'])(
      'takes %j for the start where it is no id',
      async (after) => {
        await written(...entries);
        const log = read(other, after);
        await log.when((lists) => lists.length > 0);
        expect(log.lists[0]).toEqual(entries);
      },
    );

    it('gives 2,500 entries in the first list', async () => {
      const many = Array.from({ length: 2_500 }, (_, seq) => entry(`1-${seq}`, 't'));
      await written(...many);
      const log = read(other);
      await log.when((lists) => lists.length > 0);
      expect(log.lists[0]).toEqual(many);
    });

    it('goes on with what is added, for each of several readers, once and in order', async () => {
      await written(...entries.slice(0, 2));
      const logs = [read(one), read(other), read(other, '1-0'), read(other, '1-4')];
      await Promise.all(logs.map((log) => log.when((lists) => lists.length > 0)));
      await written(...entries.slice(2));
      await Promise.all(logs.map((log) => log.when((lists) => lists.flat().at(-1)?.id === '10-1')));
      expect(logs.map((log) => log.all())).toEqual([
        entries,
        entries,
        entries.slice(1),
        // What is not there yet is not what was asked for, either.
        entries.slice(3),
      ]);
    });

    it('gives an empty list for a turn that is not there, and what is written later', async () => {
      const log = read(other);
      await log.when((lists) => lists.length > 0);
      expect(log.lists[0]).toEqual([]);
      await written(entry('1-0'));
      await log.when((lists) => lists.flat().length > 0);
      expect(log.all()).toEqual([entry('1-0')]);
    });

    it('gives an empty list where there was nothing new for a while', async () => {
      await written(entry('1-0'));
      const log = read(other);
      await log.when((lists) => lists.length >= 3);
      expect(log.lists).toEqual([[entry('1-0')], [], []]);
    });

    it('lets nobody wait for others to read: a reader that comes later has what is added at once', async () => {
      await written(entry('1-0'));
      const before = read(other, '', 'another turn');
      await before.when((lists) => lists.length >= 2);
      const log = read(other);
      await log.when((lists) => lists.length > 0);
      await written(entry('1-1'));
      await log.when((lists) => lists.flat().length === 2);
      // No empty list of the other reader came between: it is told each second.
      expect(log.all()).toEqual([entry('1-0'), entry('1-1')]);
    });

    it('ends by unsubscribing alone', async () => {
      await written(entry('1-0'));
      const log = read(other);
      const still = read(other);
      await Promise.all([log, still].map((each) => each.when((lists) => lists.length > 0)));
      log.subscription.unsubscribe();
      await written(entry('1-1'));
      await still.when((lists) => lists.flat().length === 2);
      expect(log.all()).toEqual([entry('1-0')]);
    });
  });

  describe('told()', () => {
    it('gives what was told before and what is told after, in order', async () => {
      await written(entry('1-0'));
      await resultOf(other.tell(id, 'a'));
      await resultOf(other.tell(id, 'b'));
      const messages = told(one);
      await messages.when((lists) => lists.length > 0);
      expect(messages.lists[0]).toEqual(['a', 'b']);
      await resultOf(other.tell(id, 'c'));
      await messages.when((lists) => lists.flat().length === 3);
      expect(messages.all()).toEqual(['a', 'b', 'c']);
    });

    it('gives an empty list where nothing was told, and nothing of another turn', async () => {
      await written(entry('1-0'));
      await resultOf(one.claim('yet another turn', entry('1-0'), long));
      await resultOf(other.tell('yet another turn', 'a'));
      const messages = told(one);
      await messages.when((lists) => lists.length >= 2);
      expect(messages.all()).toEqual([]);
    });

    it('keeps nothing for a turn that is not there', async () => {
      await resultOf(other.tell(id, 'a'));
      await written(entry('1-0'));
      const messages = told(one);
      await messages.when((lists) => lists.length > 0);
      expect(messages.all()).toEqual([]);
    });
  });

  describe('the time that a turn is kept', () => {
    it('ends it, with its messages', async () => {
      await resultOf(one.claim(id, entry('1-0'), 50));
      await resultOf(one.tell(id, 'a'));
      await untilGone((log) => log.read(id, ''));
      await untilGone((log) => log.told(id));
      await written(entry('1-0'));
      const messages = told(other);
      await messages.when((lists) => lists.length > 0);
      expect(messages.all()).toEqual([]);
    });

    it('begins anew where an append says so', async () => {
      const reference = `${id} as long`;
      await resultOf(one.claim(id, entry('1-0'), 200));
      expect(await resultOf(one.append(id, entry('1-1'), long))).toBe(true);
      await resultOf(one.claim(reference, entry('1-0'), 200));
      await untilGone((log) => log.read(reference, ''));
      const log = read(other);
      await log.when((lists) => lists.length > 0);
      expect(log.all()).toEqual([entry('1-0'), entry('1-1')]);
    });
  });
}
