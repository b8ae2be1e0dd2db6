import { UnexpectedStatusError } from '../../src/index.js';
import { type Logged, memoryLog, sharedTurns } from '../../src/shared/index.js';
import { entryData, errorPart, eventPart, joined, partsOf } from '../../src/shared/log-parts.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { completed, text, thought } from '../support/events.js';
import { wholeRun } from '../support/run-events.js';

const eventsIn = (data: string, seq: number): readonly RunEvent[] =>
  partsOf({ id: `1-${seq}`, data }).flatMap((part) => (part.type === 'event' ? [part.event] : []));

const errorless = ({ error: _error, ...event }: RunEvent & { error?: unknown }): unknown => event;

describe('the parts of a log', () => {
  it('give every event of a run as it was, one to an entry or all in one', () => {
    const parts = wholeRun.map(eventPart);
    const one = parts.flatMap((part, at) => eventsIn(entryData([part]), at + 1));
    expect(one.map(errorless)).toEqual(wholeRun.map(errorless));
    expect(eventsIn(entryData(parts), parts.length).map(errorless)).toEqual(wholeRun.map(errorless));
  });

  it('take 8,125 bytes for 1,000 pieces of four characters, eight to an entry', () => {
    const pieces = Array.from({ length: 1_000 }, () => eventPart(text('word')));
    const entries = Array.from({ length: 125 }, (_, at) => entryData(pieces.slice(8 * at, 8 * at + 8)));
    const bytes = (all: readonly string[]) => all.reduce((sum, data) => sum + Buffer.byteLength(data), 0);
    expect(bytes(pieces)).toBe(5_000);
    expect(bytes(entries)).toBe(8_125);
    expect(bytes(Array.from({ length: 1_000 }, () => JSON.stringify(text('word'))))).toBeGreaterThan(100_000);
  });

  it('keep halves of characters, which some providers cut', () => {
    for (const half of ['\ud83d', '\ude00', 'a\ud83d']) {
      const data = Buffer.from(entryData([eventPart(text(half))])).toString();
      expect(eventsIn(data, 1)).toEqual([text(half)]);
    }
  });

  it('say nothing of an event that cannot be written, and keep its place', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const part = eventPart({ type: 'tool_progress', callId: 'c', value: circular });
    const after = partsOf({ id: '1-2', data: entryData([part, eventPart(text('a'))]) });
    expect(after).toEqual([{ type: 'event', id: '1-2', event: text('a') }]);
  });

  it('hold nothing that a provider said of an error', () => {
    const error = new UnexpectedStatusError({ status: 401, body: 'the key sk-secret is wrong' });
    const written =
      errorPart(error) +
      eventPart({ type: 'restarting', attempt: 1, delay: 0, error }) +
      errorPart(new Error('sk-secret'));
    expect(written).not.toContain('secret');
    expect(written).toContain('401');
  });

  it('join pieces of one text, across signs of life, and no others', () => {
    const data = [text('a'), text('b')].map(eventPart);
    const parts = partsOf({
      id: '1-6',
      data: entryData([...data, 'h', eventPart(text('c')), eventPart(thought('d')), eventPart(completed())]),
    });
    expect(joined(parts)).toEqual([
      { type: 'event', id: '1-4', event: text('abc') },
      { type: 'event', id: '1-5', event: thought('d') },
      { type: 'event', id: '1-6', event: completed() },
    ]);
  });

  it('take nothing from a turn that was logged elsewhere', () => {
    const logged: Logged[] = [];
    const turns = sharedTurns(memoryLog());
    turns.run('x', () => [{ ...text('a'), id: '7-7' } as RunEvent]).subscribe((event) => logged.push(event));
    expect(logged.map(({ id }) => id)).toEqual(['1-1']);
  });
});
