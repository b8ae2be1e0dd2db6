import fc from 'fast-check';
import { of } from 'rxjs';
import {
  accumulate,
  aggregate,
  type FunctionCallItem,
  type ResponseEvent,
  streamChatCompletions,
} from '../../src/index.js';
import { scriptedTransport } from '../../src/testing/index.js';
import { record } from '../conformance/record-events.js';
import { provider } from '../support/events.js';

/** What a model means: calls, in order. */
interface Meant {
  readonly name: string;
  readonly arguments: string;
}

/** How a provider labels what it sends of them. */
interface Habits {
  /** Its own for each call, all the same, or none. */
  readonly index: 'number' | 'text' | 'from seven' | 'zero' | 'none';
  /** On the first fragment, on each, on each another without a name, or none. */
  readonly id: 'first' | 'each' | 'changing' | 'empty' | 'missing';
  readonly name: 'first' | 'each' | 'pieces';
  readonly arguments: 'deltas' | 'whole' | 'again' | 'twice' | 'placeholder' | 'growing';
  readonly order: 'in order' | 'backwards' | 'interleaved';
  readonly finish: 'last' | 'each' | 'early' | 'none';
}

const meant: fc.Arbitrary<readonly Meant[]> = fc.array(
  fc.record({
    name: fc.constantFrom('weather', 'clock', 'find_file'),
    arguments: fc
      .record({
        q: fc.oneof(fc.string(), fc.constantFrom('{}', '}{', '{"q":1}', '\\"', 'ha')),
        deep: fc.option(fc.constantFrom({}, { q: {} }, [{ q: 1 }, { q: 1 }])),
      })
      .map((value) => JSON.stringify(value)),
  }),
  { minLength: 1, maxLength: 4 },
);

const anyHabits: fc.Arbitrary<Habits> = fc.record({
  index: fc.constantFrom('number', 'text', 'from seven', 'zero', 'none'),
  id: fc.constantFrom('first', 'each', 'changing', 'empty', 'missing'),
  name: fc.constantFrom('first', 'each', 'pieces'),
  arguments: fc.constantFrom('deltas', 'whole', 'again', 'twice', 'placeholder', 'growing'),
  order: fc.constantFrom('in order', 'backwards', 'interleaved'),
  finish: fc.constantFrom('last', 'each', 'early', 'none'),
});

/** What nobody could tell apart is left out. */
const habits = anyHabits.map((wild): Habits => {
  const hasIndex = wild.index !== 'zero' && wild.index !== 'none';
  const hasId = wild.id !== 'empty' && wild.id !== 'missing';
  return {
    ...wild,
    // One call after the other, where nothing but their order tells which fragment is whose.
    order: hasIndex ? wild.order : 'in order',
    // All of it again, with the name, without id and index of its own, is the next call.
    arguments: hasIndex || hasId || wild.arguments === 'deltas' ? wild.arguments : 'whole',
    name: wild.name === 'each' && (wild.id === 'changing' || (!hasIndex && !hasId)) ? 'first' : wild.name,
  };
});

const cut = (text: string): readonly string[] => {
  const third = Math.ceil(text.length / 3);
  return [text.slice(0, third), text.slice(third, 2 * third), text.slice(2 * third)];
};

function piecesOf({ arguments: text }: Meant, how: Habits['arguments']): readonly string[] {
  const [first = '', second = ''] = cut(text);
  switch (how) {
    case 'deltas':
      return cut(text);
    case 'whole':
      return [text];
    case 'again':
      return [...cut(text), text];
    case 'twice':
      return [text, text];
    case 'placeholder':
      return ['{}', ...cut(text)];
    case 'growing':
      return [first, first + second, text, text];
  }
}

function fragmentsOf(call: Meant, place: number, how: Habits): readonly object[] {
  const label = {
    number: { index: place },
    text: { index: String(place) },
    'from seven': { index: place + 7 },
    zero: { index: 0 },
    none: {},
  }[how.index];
  const idAt = (at: number) =>
    ({
      first: at === 0 ? { id: `id_${place}` } : {},
      each: { id: `id_${place}` },
      changing: { id: `id_${place}_${at}` },
      empty: { id: '' },
      missing: {},
    })[how.id];
  const half = Math.ceil(call.name.length / 2);
  const names = how.name === 'pieces' ? [call.name.slice(0, half), call.name.slice(half)] : [call.name];
  const texts = [...names.map(() => ''), ...piecesOf(call, how.arguments)];
  return texts.map((text, at) => {
    const name = names[at] ?? (how.name === 'each' ? call.name : undefined);
    // An id that changes beside a name would be another call's.
    const id = how.id === 'changing' && at > 0 && name !== undefined ? {} : idAt(at);
    return { ...label, ...id, function: { ...(name !== undefined && { name }), arguments: text } };
  });
}

function inOrder(calls: readonly (readonly object[])[], order: Habits['order']): readonly object[] {
  if (order === 'in order') return calls.flat();
  if (order === 'backwards') return [...calls].reverse().flat();
  const longest = Math.max(...calls.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) =>
    calls.flatMap((fragments) => fragments.slice(at, at + 1)),
  ).flat();
}

function eventsOf(calls: readonly Meant[], how: Habits): readonly string[] {
  const entries = inOrder(
    calls.map((call, place) => fragmentsOf(call, place, how)),
    how.order,
  );
  const finishesAt = (at: number) =>
    how.finish === 'each' ||
    (how.finish === 'early' && at === 0) ||
    (how.finish === 'last' && at === entries.length - 1);
  const chunks = entries.map((entry, at) => ({
    choices: [
      { index: 0, delta: { tool_calls: [entry] }, finish_reason: finishesAt(at) ? 'tool_calls' : null },
    ],
  }));
  return [...chunks.map((chunk) => JSON.stringify(chunk)), '[DONE]'].map((data) => `data: ${data}\n\n`);
}

const turnOver = (events: readonly string[]) =>
  record(
    streamChatCompletions('Hi', {
      model: 'm',
      provider,
      transport: scriptedTransport({ body: events.join('') }),
    }),
  );

const itemsOf = (all: readonly ResponseEvent[]) =>
  all.flatMap((event) => (event.type === 'output_item_done' ? [event.item as FunctionCallItem] : []));

const said = ({ name, arguments: text }: FunctionCallItem): Meant => ({ name, arguments: text });

it('A turn gives the calls that a model means, once and in order, however a provider labels what it sends', () => {
  fc.assert(
    fc.property(meant, habits, (calls, how) => {
      const { events, error } = turnOver(eventsOf(calls, how));
      expect(error).toBeUndefined();
      const items = itemsOf(events);
      expect(items.map(said)).toEqual(calls);
      expect(new Set(items.map(({ call_id }) => call_id)).size).toBe(calls.length);
      expect(itemsOf(record(of(...events).pipe(aggregate())).events)).toEqual(items);
      const snapshots = record(of(...events).pipe(accumulate())).events;
      expect(snapshots.at(-1)?.toolCalls.map(({ item }) => item)).toEqual(items);
    }),
    { numRuns: 1_000 },
  );
});

it('A turn that was cut gives no call but those that the model meant, each whole; snapshots keep the others, open', () => {
  fc.assert(
    fc.property(meant, habits, fc.nat(), (calls, how, place) => {
      const whole = eventsOf(calls, how);
      const events = whole.slice(0, place % (whole.length - 1));
      // A stream that calls its first fragment the end says so itself.
      fc.pre(events.length > 1 || how.finish === 'none' || how.finish === 'last');
      const { events: emitted, error } = turnOver(events);
      expect(error).toBeUndefined();
      const items = itemsOf(emitted);
      for (const item of items) expect(calls).toContainEqual(said(item));
      expect(items.length).toBeLessThanOrEqual(calls.length);
      const [turn] = record(of(...emitted).pipe(accumulate())).events.slice(-1);
      expect(turn?.toolCalls.flatMap(({ item }) => item ?? [])).toEqual(items);
      const end = emitted.at(-1);
      expect(end?.type === 'completed' && (end.incompleteCalls ?? 0)).toBe(
        turn?.toolCalls.filter(({ item }) => item === undefined).length,
      );
    }),
    { numRuns: 1_000 },
  );
});
