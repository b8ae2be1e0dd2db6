import { from, lastValueFrom, toArray } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { IncompleteLogError, type LogEntry, memoryLog, type TurnLog } from '../../src/shared/index.js';
import { followLog } from '../../src/shared/follow-log.js';
import { entryData } from '../../src/shared/log-parts.js';

const scheduler = () => new TestScheduler((actual, expected) => expect(actual).toEqual(expected));

/** A log of which nothing but reading is asked. */
const logOf = (...lists: readonly (readonly LogEntry[])[]): TurnLog => ({
  ...memoryLog(),
  read: () => from(lists),
});

const entries: readonly LogEntry[] = [
  { id: '1-0', data: 'c' },
  { id: '1-1', data: 'ta' },
  { id: '1-4', data: entryData(['tb', 'tc', 'td']) },
  { id: '1-5', data: 'te' },
  { id: '1-6', data: '.' },
];

const textsFrom = (log: TurnLog, after: string) =>
  lastValueFrom(followLog(log, 'x', { after, lapse: 1_000, scheduler: scheduler() }).pipe(toArray())).then(
    (parts) =>
      parts.flatMap((part) =>
        part.type === 'event' && part.event.type === 'output_item_done' && part.event.item.type === 'message'
          ? part.event.item.content.map((content) => ('text' in content ? content.text : ''))
          : [],
      ),
  );

describe('followLog()', () => {
  it.each([
    ['1-0', 'abcde'],
    ['1-1', 'bcde'],
    ['1-2', 'cde'],
    ['1-3', 'de'],
    ['1-4', 'e'],
    ['1-5', ''],
  ])('gives what comes after %s alone, in the middle of an entry too', async (after, text) => {
    const rest = entries.slice(entries.findIndex(({ id }) => id > after));
    expect((await textsFrom(logOf(rest), after)).join('')).toBe(text);
    expect((await textsFrom(logOf([], rest), after).catch(() => ['unknown'])).join('')).toBe('unknown');
  });

  it('fails where the beginning is no longer there', async () => {
    await expect(textsFrom(logOf(entries.slice(1)), '')).rejects.toBeInstanceOf(IncompleteLogError);
  });

  it('fails where entries are missing in the middle, at first and later', async () => {
    const gap = [...entries.slice(0, 2), ...entries.slice(3)];
    await expect(textsFrom(logOf(gap), '')).rejects.toBeInstanceOf(IncompleteLogError);
    await expect(textsFrom(logOf(entries.slice(3)), '1-2')).rejects.toBeInstanceOf(IncompleteLogError);
    await expect(textsFrom(logOf(entries.slice(0, 2), entries.slice(3)), '')).rejects.toBeInstanceOf(
      IncompleteLogError,
    );
  });

  it('takes a later epoch where it begins, and only there', async () => {
    const next = [
      { id: '2-0', data: 'c' },
      { id: '2-1', data: 'tz' },
      { id: '2-2', data: '.' },
    ];
    expect((await textsFrom(logOf([...entries.slice(0, 3), ...next]), '')).join('')).toBe('abcdz');
    await expect(textsFrom(logOf([...entries.slice(0, 3), ...next.slice(1)]), '')).rejects.toBeInstanceOf(
      IncompleteLogError,
    );
  });
});
