import type { FunctionCallItem, ResponseEvent } from '../../../src/turn/events.js';
import { extrasKeeper } from '../../../src/turn/extras.js';
import { toolCalls } from '../../../src/response/chunks/tool-calls.js';

interface Asked {
  readonly id?: unknown;
  readonly index?: unknown;
  readonly name?: unknown;
  readonly arguments?: unknown;
}

/** An entry of `tool_calls`: only what is given stands in it. */
function entry({ id, index, ...body }: Asked): object {
  return {
    ...(index !== undefined && { index }),
    ...(id !== undefined && { id }),
    type: 'function',
    function: body,
  };
}

/** What the deltas of one choice give, each a list of entries; `'end'` stands where the answer ends. */
function decode(...deltas: readonly (readonly unknown[] | 'end')[]): readonly ResponseEvent[] {
  const events: ResponseEvent[] = [];
  const calls = toolCalls({
    emit: (event) => events.push(event),
    label: {},
    makeId: (index) => `made_${index}`,
  });
  for (const delta of deltas) {
    if (delta === 'end') calls.end('finished');
    else calls.push(delta);
  }
  return events;
}

const progress = (callId: string, name: string, index: number, delta: string): ResponseEvent => ({
  type: 'function_call_arguments_delta',
  callId,
  name,
  index,
  delta,
});

const call = (call_id: string, name: string, text: string): ResponseEvent => ({
  type: 'output_item_done',
  item: { type: 'function_call', call_id, name, arguments: text },
});

/** The calls alone, as `id name arguments`. */
const callsOf = (...deltas: readonly (readonly unknown[])[]): readonly string[] =>
  decode(...deltas, 'end').flatMap((event) => {
    if (event.type !== 'output_item_done') return [];
    const { call_id, name, arguments: text } = event.item as FunctionCallItem;
    return [`${call_id} ${name} ${text}`];
  });

describe('toolCalls', () => {
  describe('keeps what the provider says of a call beyond what is modelled', () => {
    const whole = (extras?: object, more: object = {}): ResponseEvent => ({
      type: 'output_item_done',
      item: {
        type: 'function_call',
        call_id: 'a',
        name: 'f',
        arguments: '{}',
        ...(extras && { extras }),
        ...more,
      } as FunctionCallItem,
    });
    const f = { index: 0, id: 'a', name: 'f', arguments: '{}' };
    const signature = { extra_content: { google: { thought_signature: 'c2ln' } } };
    const wholesOf = (...deltas: readonly (readonly unknown[])[]) =>
      decode(...deltas, 'end').filter(({ type }) => type === 'output_item_done');

    it.each<[string, readonly (readonly unknown[])[]]>([
      ['where it comes with the whole call', [[{ ...entry(f), ...signature }]]],
      [
        'where it comes with the beginning',
        [[{ ...entry({ ...f, arguments: '{' }), ...signature }], [entry({ index: 0, arguments: '}' })]],
      ],
      [
        'where it comes with the end',
        [[entry({ ...f, arguments: '{' })], [{ ...entry({ index: 0, arguments: '}' }), ...signature }]],
      ],
      ['where it comes by itself', [[entry(f)], [{ index: 0, ...signature }]]],
      ['where it comes by itself and names the call by its id', [[entry(f)], [{ id: 'a', ...signature }]]],
      ['where it comes again', [[{ ...entry(f), ...signature }], [{ index: 0, ...signature }]]],
      ['where it comes first', [[{ index: 0, ...signature }], [entry(f)]]],
    ])('%s', (_, deltas) => {
      expect(wholesOf(...deltas)).toStrictEqual([whole(signature)]);
    });

    it('each call its own', () => {
      const other = { index: 1, id: 'b', name: 'f', arguments: '{}' };
      expect(
        wholesOf([
          { ...entry(f), s: 'one' },
          { ...entry(other), s: 'two' },
        ]),
      ).toMatchObject([
        { item: { call_id: 'a', extras: { s: 'one' } } },
        { item: { call_id: 'b', extras: { s: 'two' } } },
      ]);
    });

    it('and who said it, where that is known', () => {
      const events: ResponseEvent[] = [];
      const calls = toolCalls({
        emit: (event) => events.push(event),
        label: {},
        makeId: () => 'a',
        keeper: extrasKeeper('gemini'),
      });
      calls.push([{ ...entry(f), ...signature }]);
      calls.end('finished');
      expect(events.at(-1)).toEqual(whole(signature, { provider: 'gemini' }));
    });

    it('not beyond the bound of an answer: the call comes without it', () => {
      const long = 's'.repeat(4_194_305);
      expect(wholesOf([{ ...entry(f), signature: long }])).toEqual([whole()]);
    });
  });

  it('tells of the arguments while they are written, and gives the whole call at the end', () => {
    expect(
      decode(
        [entry({ index: 0, id: 'a', name: 'find', arguments: '' })],
        [entry({ index: 0, arguments: '{"q":' })],
        [entry({ index: 0, arguments: '"sky"}' })],
        'end',
      ),
    ).toStrictEqual([
      progress('a', 'find', 0, '{"q":'),
      progress('a', 'find', 0, '"sky"}'),
      call('a', 'find', '{"q":"sky"}'),
    ]);
  });

  it('takes no prefix of the arguments that parses for a whole call', () => {
    expect(
      decode(
        [entry({ index: 0, id: 'a', name: 'f', arguments: '{}' })],
        [entry({ index: 0, arguments: '' })],
        [entry({ index: 0, arguments: ' ' })],
      ),
    ).toStrictEqual([progress('a', 'f', 0, '{}'), progress('a', 'f', 0, ' ')]);
  });

  it('gives several calls in the order of their index, and counts them as they began', () => {
    expect(
      decode(
        [entry({ index: 2, id: 'c', name: 'f', arguments: '1' })],
        [entry({ index: 0, id: 'a', name: 'g', arguments: '2' })],
        [entry({ index: 2, arguments: '3' }), entry({ index: 0, arguments: '4' })],
        'end',
      ),
    ).toStrictEqual([
      progress('c', 'f', 0, '1'),
      progress('a', 'g', 1, '2'),
      progress('c', 'f', 0, '3'),
      progress('a', 'g', 1, '4'),
      call('a', 'g', '24'),
      call('c', 'f', '13'),
    ]);
  });

  it('marks what it gives with its choice', () => {
    const events: ResponseEvent[] = [];
    const calls = toolCalls({
      emit: (event) => events.push(event),
      label: { choice: 2 },
      makeId: (index) => `made_${index}`,
    });
    calls.push([entry({ name: 'f', arguments: 'x' })]);
    calls.end('finished');
    expect(events).toStrictEqual([
      { ...progress('made_0', 'f', 0, 'x'), choice: 2 },
      { ...call('made_0', 'f', 'x'), choice: 2 },
    ]);
  });

  it('gives nothing where nothing was asked for', () => {
    expect(decode([], 'end')).toStrictEqual([]);
  });

  it('gives a call without arguments', () => {
    expect(decode([entry({ id: 'a', name: 'f' })], 'end')).toStrictEqual([call('a', 'f', '')]);
  });

  describe('of a call that has no name', () => {
    it('tells nothing until it has one', () => {
      expect(
        decode(
          [entry({ index: 0, id: 'a', arguments: '{"q":' })],
          [entry({ index: 0, arguments: '1' })],
          [entry({ index: 0, name: 'f', arguments: '}' })],
          'end',
        ),
      ).toStrictEqual([progress('a', 'f', 0, '{"q":1}'), call('a', 'f', '{"q":1}')]);
    });

    it('gives nothing at the end, and says so', () => {
      const events: ResponseEvent[] = [];
      const nameless: unknown[] = [];
      const calls = toolCalls({
        emit: (event) => events.push(event),
        label: {},
        makeId: String,
        onNameless: (told) => nameless.push(told),
      });
      calls.push([
        entry({ index: 0, id: 'a', arguments: '{"q":' }),
        entry({ index: 1, id: 'b', name: 'f' }),
        entry({ index: 0, arguments: '1}' }),
      ]);
      calls.end('finished');
      expect(events).toStrictEqual([call('b', 'f', '')]);
      expect(nameless).toStrictEqual([{ length: 7 }]);
    });
  });

  describe('gives the calls in the order', () => {
    it.each<[string, readonly (readonly unknown[])[], readonly string[]]>([
      [
        'of their index',
        [
          [entry({ index: 2, id: 'c', name: 'f' })],
          [entry({ index: 0, id: 'a', name: 'f' })],
          [entry({ index: 1, id: 'b', name: 'f' })],
        ],
        ['a f ', 'b f ', 'c f '],
      ],
      [
        'in which they began, where they share one',
        [[entry({ index: 0, id: 'b', name: 'f' })], [entry({ index: 0, id: 'a', name: 'g' })]],
        ['b f ', 'a g '],
      ],
      [
        'in which they began, where they have none',
        [[entry({ id: 'b', name: 'f' })], [entry({ id: 'a', name: 'f' })]],
        ['b f ', 'a f '],
      ],
      [
        'of their index, one without behind the one before it',
        [
          [entry({ id: 'x', name: 'f' })],
          [entry({ index: 1, id: 'b', name: 'f' })],
          [entry({ id: 'y', name: 'f' })],
          [entry({ index: 0, id: 'a', name: 'f' })],
        ],
        ['x f ', 'a f ', 'b f ', 'y f '],
      ],
      [
        'of the index that came after its beginning',
        [
          [entry({ id: 'b', name: 'f' })],
          [entry({ index: 1, id: 'b', arguments: '{}' })],
          [entry({ index: 0, id: 'a', name: 'f' })],
        ],
        ['a f ', 'b f {}'],
      ],
    ])('%s', (_, deltas, expected) => {
      expect(callsOf(...deltas)).toEqual(expected);
    });
  });

  describe('finds the call of a fragment', () => {
    it.each<[string, readonly (readonly unknown[])[], readonly string[]]>([
      [
        'by its id, which stands on every fragment',
        [
          [entry({ id: 'a', name: 'f', arguments: '1' })],
          [entry({ id: 'b', name: 'g', arguments: '2' })],
          [entry({ id: 'a', arguments: '3' })],
        ],
        ['a f 13', 'b g 2'],
      ],
      [
        'by its id before its index',
        [
          [entry({ index: 0, id: 'a', name: 'f', arguments: '1' })],
          [entry({ index: 1, id: 'b', name: 'g', arguments: '2' })],
          [entry({ index: 1, id: 'a', arguments: '3' })],
        ],
        ['a f 13', 'b g 2'],
      ],
      [
        'by its index, which stays that of the call that began there, although another was named by its id',
        [
          [entry({ index: 0, id: 'a', name: 'f', arguments: '1' })],
          [entry({ index: 1, id: 'b', name: 'g', arguments: '2' })],
          [entry({ index: 1, id: 'a', arguments: '3' })],
          [entry({ index: 1, arguments: '4' })],
        ],
        ['a f 13', 'b g 24'],
      ],
      [
        'by its id without an index, where all of it comes again, written otherwise',
        [
          [entry({ id: 'a', name: 'f', arguments: '{"q":1}' })],
          [entry({ id: 'a', name: 'f', arguments: '{"q": 1}' })],
        ],
        ['a f {"q": 1}'],
      ],
      [
        'by its id without an index, where the name changes while the arguments are half-way',
        [
          [entry({ id: 'a', name: 'f', arguments: '{"q":' })],
          [entry({ id: 'a', name: 'g', arguments: '1}' })],
        ],
        ['a f {"q":1}'],
      ],
      [
        'by its id, where another index comes with its name',
        [
          [entry({ index: 0, id: 'a', arguments: '1' })],
          [entry({ index: 1, id: 'a', name: 'f', arguments: '2' })],
        ],
        ['a f 12'],
      ],
      [
        'where its name follows in the same delta',
        [[entry({ index: 0, arguments: '1' }), entry({ index: 0, name: 'f', arguments: '2' })]],
        ['made_0 f 12'],
      ],
      [
        'where a call with an id is told again without it, written otherwise',
        [
          [entry({ index: 0, id: 'a', name: 'f', arguments: '{"q":1}' })],
          [entry({ index: 0, name: 'f', arguments: '{"q": 1}' })],
        ],
        ['a f {"q": 1}'],
      ],
      [
        'where the name is repeated without ids, and a blank follows whole arguments',
        [
          [entry({ index: 0, name: 'f', arguments: '{"q":1}' })],
          [entry({ index: 0, name: 'f', arguments: ' ' })],
        ],
        ['made_0 f {"q":1} '],
      ],
      [
        'where the name is repeated without ids, and arguments that are no JSON come before others, and again',
        [
          [entry({ index: 0, name: 'f', arguments: '{q}' })],
          [entry({ index: 0, name: 'f', arguments: '{"q":1}' })],
          [entry({ index: 0, name: 'f', arguments: '{"q":2}' })],
        ],
        ['made_0 f {"q":2}'],
      ],
      [
        'by its index',
        [
          [entry({ index: 0, id: 'a', name: 'f' }), entry({ index: 1, id: 'b', name: 'g' })],
          [entry({ index: 0, arguments: '1' })],
          [entry({ index: 1, arguments: '2' })],
          [entry({ index: 0, arguments: '3' })],
        ],
        ['a f 13', 'b g 2'],
      ],
      [
        'by its index before the latest, where the id is empty',
        [
          [entry({ index: 0, id: 'a', name: 'f' }), entry({ index: 1, id: 'b', name: 'g' })],
          [entry({ index: 0, id: '', name: '', arguments: '1' })],
        ],
        ['a f 1', 'b g '],
      ],
      [
        'as the latest, where it has neither',
        [
          [entry({ id: 'a', name: 'f', arguments: '1' })],
          [entry({ arguments: '2' })],
          [entry({ id: 'b', name: 'g', arguments: '3' })],
          [entry({ arguments: '4' })],
        ],
        ['a f 12', 'b g 34'],
      ],
      [
        'as the latest, where it has neither, and the latest has an index',
        [
          [entry({ id: 'a', name: 'f' })],
          [entry({ index: 0, id: 'b', name: 'g' })],
          [entry({ arguments: '1' })],
        ],
        ['a f ', 'b g 1'],
      ],
      [
        'as the latest, where its index has not been seen and nothing says that it begins a call',
        [[entry({ id: 'a', name: 'f' })], [entry({ index: 0, arguments: '1' })]],
        ['a f 1'],
      ],
      [
        'where indices begin above 0',
        [
          [entry({ index: 1, id: 'a', name: 'f' })],
          [entry({ index: 1, arguments: '1' })],
          [entry({ index: 2, id: 'b', name: 'g' })],
          [entry({ index: 2, arguments: '2' })],
        ],
        ['a f 1', 'b g 2'],
      ],
      [
        'where indices come out of order',
        [
          [entry({ index: 1, id: 'b', name: 'g' })],
          [entry({ index: 0, id: 'a', name: 'f' })],
          [entry({ index: 1, arguments: '2' })],
          [entry({ index: 0, arguments: '1' })],
        ],
        ['a f 1', 'b g 2'],
      ],
      [
        'at its index, where its id is that of two calls',
        [
          [entry({ index: 0, id: 'x', name: 'f' })],
          [entry({ index: 1, id: 'x', name: 'g' })],
          [entry({ index: 0, id: 'x', arguments: '1' })],
          [entry({ index: 1, id: 'x', arguments: '2' })],
          [entry({ id: 'x', arguments: '3' })],
        ],
        ['x f 1', 'made_1 g 23'],
      ],
      [
        'at its index without a name, whatever the id',
        [
          [entry({ index: 0, id: 'a', name: 'f' })],
          [entry({ index: 0, id: 'x', arguments: '1' })],
          [entry({ index: 1, id: 'b', name: 'g' })],
          [entry({ index: 1, id: 'x', arguments: '2' })],
          [entry({ index: 0, id: 'y', arguments: '3' })],
        ],
        ['a f 13', 'b g 2'],
      ],
      [
        'as the latest, where it has an unknown id and neither name nor index',
        [[entry({ id: 'a', name: 'f' })], [entry({ id: 'x', arguments: '1' })]],
        ['a f 1'],
      ],
      [
        'where each has a new id and the name, and the arguments are half-way',
        [
          [entry({ index: 0, id: 'a', name: 'f', arguments: '{"q' })],
          [entry({ index: 0, id: 'b', name: 'f', arguments: '":"s' })],
          [entry({ index: 0, id: 'c', name: 'f', arguments: '"}' })],
        ],
        ['a f {"q":"s"}'],
      ],
      [
        'where the name is repeated without ids, and arguments come in pieces after a placeholder',
        [
          [entry({ index: 0, name: 'f', arguments: '{}' })],
          [entry({ index: 0, name: 'f', arguments: '{"q"' })],
          [entry({ index: 0, name: 'f', arguments: ':1}' })],
        ],
        ['made_0 f {"q":1}'],
      ],
      [
        'where the name is repeated after whole arguments, and nothing follows',
        [
          [entry({ index: 0, name: 'f', arguments: '{"q":1}' })],
          [entry({ index: 0, name: 'f', arguments: '' })],
        ],
        ['made_0 f {"q":1}'],
      ],
      [
        'where a call with an id is told again whole, its id aside',
        [
          [entry({ index: 0, id: 'a', name: 'f', arguments: '{"q":1}' })],
          [entry({ index: 0, name: 'f', arguments: '{"q":1}' })],
        ],
        ['a f {"q":1}'],
      ],
      [
        'where the name and all arguments come again without ids',
        [
          [entry({ index: 0, name: 'f', arguments: '{"q"' })],
          [entry({ index: 0, name: 'f', arguments: ':1}' })],
          [entry({ index: 0, name: 'f', arguments: '{"q":1}' })],
          [entry({ index: 0, name: 'f', arguments: '{"q":1}' })],
        ],
        ['made_0 f {"q":1}'],
      ],
      [
        'where its index goes up with each fragment, and its id and name stay',
        [
          [entry({ index: 0, id: 'a', name: 'f', arguments: '{"q"' })],
          [entry({ index: 1, id: 'a', name: 'f', arguments: ':1}' })],
          [entry({ index: 2, id: 'a', name: 'f', arguments: '' })],
        ],
        ['a f {"q":1}'],
      ],
      [
        'where its index is a number as text',
        [
          [entry({ index: '0', id: 'a', name: 'f' })],
          [entry({ index: '1', id: 'b', name: 'g' })],
          [entry({ index: 0, arguments: '1' })],
          [entry({ index: '1', arguments: '2' })],
        ],
        ['a f 1', 'b g 2'],
      ],
      [
        'where its index is a number of two digits as text',
        [
          [entry({ index: 10, id: 'a', name: 'f' }), entry({ index: 11, id: 'b', name: 'g' })],
          [entry({ index: '10', arguments: '1' })],
        ],
        ['a f 1', 'b g '],
      ],
      [
        'where its name comes in pieces',
        [
          [entry({ index: 0, id: 'a', name: 'edit_' })],
          [entry({ index: 0, name: 'file' })],
          [entry({ index: 0, id: 'a', name: '_at', arguments: '1' })],
          [entry({ index: 0, name: 'edit_file_at', arguments: '2' })],
        ],
        ['a edit_file_at 12'],
      ],
      [
        'where its name comes longer each time',
        [
          [entry({ index: 0, name: 'edit' })],
          [entry({ index: 0, name: 'edit_file' })],
          [entry({ index: 0, name: 'edit_file', arguments: '1' })],
        ],
        ['made_0 edit_file 1'],
      ],
      [
        'where its name is repeated on every fragment',
        [
          [entry({ index: 0, id: 'a', name: 'f', arguments: '1' })],
          [entry({ index: 0, name: 'f', arguments: '2' })],
          [entry({ name: 'f', arguments: '3' })],
        ],
        ['a f 123'],
      ],
      [
        'where the name comes after the id',
        [
          [entry({ index: 0, id: 'a' })],
          [entry({ index: 0, name: 'f' })],
          [entry({ index: 0, arguments: '1' })],
        ],
        ['a f 1'],
      ],
      [
        'at an index that was used again, as the one that used it last',
        [
          [entry({ index: 0, id: 'a', name: 'f', arguments: '1' })],
          [entry({ index: 0, id: 'b', name: 'g' })],
          [entry({ index: 0, arguments: '2' })],
        ],
        ['a f 1', 'b g 2'],
      ],
    ])('%s', (_, deltas, expected) => {
      expect(callsOf(...deltas)).toEqual(expected);
    });
  });

  describe('begins a new call', () => {
    it.each<[string, readonly (readonly unknown[])[], readonly string[]]>([
      [
        'at a name alone on an index of its own, where a call of that name is the latest',
        [[entry({ index: 0, name: 'f', arguments: '{}' })], [entry({ index: 1, name: 'f' })]],
        ['made_0 f {}', 'made_1 f '],
      ],
      [
        'at a new id on a used index, in one delta, where the arguments are half-way',
        [
          [
            entry({ index: 0, id: 'a', name: 'f', arguments: '{"q"' }),
            entry({ index: 0, id: 'b', name: 'f', arguments: '{"r"' }),
          ],
        ],
        ['a f {"q"', 'b f {"r"'],
      ],
      [
        'at a new id on a used index, where the name is another and the arguments are half-way',
        [
          [entry({ index: 0, id: 'a', name: 'f', arguments: '{"q"' })],
          [entry({ index: 0, id: 'b', name: 'g', arguments: '{"r"' })],
        ],
        ['a f {"q"', 'b g {"r"'],
      ],
      [
        'at a new id on a used index, after arguments that grew in three steps',
        [
          [entry({ index: 0, id: 'a', name: 'f', arguments: '{"q"' })],
          [entry({ index: 0, arguments: '{"q":' })],
          [entry({ index: 0, arguments: '{"q":1}' })],
          [entry({ index: 0, id: 'b', name: 'f', arguments: '{"q":2}' })],
        ],
        ['a f {"q":1}', 'b f {"q":2}'],
      ],
      [
        'at the name after a placeholder and whole arguments, where ids are missing and more follows in pieces',
        [
          [entry({ index: 0, name: 'f', arguments: '{}' })],
          [entry({ index: 0, arguments: '{"q":1}' })],
          [entry({ index: 0, name: 'f', arguments: '{"q":' })],
          [entry({ index: 0, arguments: '2}' })],
        ],
        ['made_0 f {"q":1}', 'made_1 f {"q":2}'],
      ],
      [
        'at the name alone after {}, where ids are missing and more follows',
        [
          [entry({ index: 0, name: 'f', arguments: '{}' })],
          [entry({ index: 0, name: 'f' })],
          [entry({ index: 0, arguments: '{"q":1}' })],
        ],
        ['made_0 f {}', 'made_1 f {"q":1}'],
      ],
      [
        'at whole arguments after whole ones, where blanks precede them',
        [
          [entry({ index: 0, name: 'f', arguments: '{"q":1}' })],
          [entry({ index: 0, name: 'f', arguments: ' {"q":2}' })],
        ],
        ['made_0 f {"q":1}', 'made_1 f  {"q":2}'],
      ],
      [
        'at whole arguments after others that came with the name in each of their pieces',
        [
          [entry({ index: 0, name: 'f', arguments: '{"q":' })],
          [entry({ index: 0, name: 'f', arguments: '{"r":1' })],
          [entry({ index: 0, name: 'f', arguments: '}}' })],
          [entry({ index: 0, name: 'f', arguments: '{"q":2}' })],
        ],
        ['made_0 f {"q":{"r":1}}', 'made_1 f {"q":2}'],
      ],
      [
        'at an id on an index of its own, before its name has come',
        [
          [entry({ index: 0, name: 'f', arguments: '1' })],
          [entry({ index: 1, id: 'b', arguments: '2' })],
          [entry({ index: 1, name: 'g', arguments: '3' })],
        ],
        ['made_0 f 1', 'b g 23'],
      ],
      [
        'at another name and another index, where the id is the same',
        [
          [entry({ index: 0, id: 'x', name: 'f', arguments: '1' })],
          [entry({ index: 1, id: 'x', name: 'g', arguments: '2' })],
        ],
        ['x f 1', 'made_1 g 2'],
      ],
      [
        'at another index after whole arguments, where id and name are the same',
        [
          [entry({ index: 0, id: 'x', name: 'f', arguments: '{"q":1}' })],
          [entry({ index: 1, id: 'x', name: 'f', arguments: '{"q":2}' })],
        ],
        ['x f {"q":1}', 'made_1 f {"q":2}'],
      ],
      [
        'at another name after whole arguments, where the id is the same and there is no index',
        [
          [entry({ id: 'x', name: 'f', arguments: '{"q":1}' })],
          [entry({ id: 'x', name: 'g', arguments: '{"q":2}' })],
        ],
        ['x f {"q":1}', 'made_1 g {"q":2}'],
      ],
      [
        'at the same id in one delta, after whole arguments',
        [
          [
            entry({ id: 'x', name: 'f', arguments: '{"q":1}' }),
            entry({ id: 'x', name: 'f', arguments: '{"q":2}' }),
          ],
        ],
        ['x f {"q":1}', 'made_1 f {"q":2}'],
      ],
      [
        'at whole arguments after whole ones, where ids are missing',
        [
          [entry({ index: 0, name: 'f', arguments: '{"q":1}' })],
          [entry({ index: 0, name: 'f', arguments: '{"q":2}' })],
          [entry({ index: 0, name: 'f', arguments: '{}' })],
          [entry({ index: 0, name: 'f', arguments: '{"q":3}' })],
        ],
        ['made_0 f {"q":1}', 'made_1 f {"q":2}', 'made_2 f {}', 'made_3 f {"q":3}'],
      ],
      [
        'at whole arguments after whole ones, where ids and indices are missing',
        [
          [entry({ name: 'f', arguments: '{"q":1}' })],
          [entry({ name: 'f', arguments: '{"q":' })],
          [entry({ arguments: '2}' })],
        ],
        ['made_0 f {"q":1}', 'made_1 f {"q":2}'],
      ],
      [
        'at a new id on a used index, after arguments that grew',
        [
          [entry({ index: 0, id: 'a', name: 'f', arguments: '{"q"' })],
          [entry({ index: 0, arguments: '{"q":1}' })],
          [entry({ index: 0, id: 'b', name: 'f', arguments: '{"q":2}' })],
        ],
        ['a f {"q":1}', 'b f {"q":2}'],
      ],
      [
        'at the name alone after whole arguments, where ids are missing and more follows',
        [
          [entry({ index: 0, name: 'f' })],
          [entry({ index: 0, arguments: '{"q":1}' })],
          [entry({ index: 0, name: 'f' })],
          [entry({ index: 0, arguments: '{"q":2}' })],
        ],
        ['made_0 f {"q":1}', 'made_1 f {"q":2}'],
      ],
      [
        'at a new id on a used index, where the name is the same and a custom tool has a quote open',
        [
          [{ index: 0, id: 'a', type: 'custom', custom: { name: 'sh', input: 'echo "' } }],
          [{ index: 0, id: 'b', type: 'custom', custom: { name: 'sh', input: 'ls' } }],
        ],
        ['a sh undefined', 'b sh undefined'],
      ],
      [
        'at a new id on a used index, in one delta',
        [
          [
            entry({ index: 0, id: 'a', name: 'f', arguments: '1' }),
            entry({ index: 0, id: 'b', name: 'f', arguments: '1' }),
          ],
        ],
        ['a f 1', 'b f 1'],
      ],
      [
        'at a new id on a used index, in a later delta',
        [
          [entry({ index: 0, id: 'a', name: 'f', arguments: '1' })],
          [entry({ index: 0, id: 'b', name: 'f', arguments: '1' })],
        ],
        ['a f 1', 'b f 1'],
      ],
      [
        'at a name of its own in one delta, where the index is the same and ids are missing',
        [
          [
            entry({ index: 0, name: 'f', arguments: '1' }),
            entry({ index: 0, name: 'f', arguments: '2' }),
            entry({ index: 0, name: 'g', arguments: '3' }),
          ],
        ],
        ['made_0 f 1', 'made_1 f 2', 'made_2 g 3'],
      ],
      [
        'at a name of its own in one delta, where index and id are missing',
        [[entry({ name: 'f', arguments: '1' }), entry({ name: 'f', arguments: '2' })]],
        ['made_0 f 1', 'made_1 f 2'],
      ],
      [
        'at another name on a used index, where ids are missing',
        [[entry({ index: 0, name: 'f', arguments: '1' })], [entry({ index: 0, name: 'g', arguments: '2' })]],
        ['made_0 f 1', 'made_1 g 2'],
      ],
      [
        'at a new index',
        [[entry({ index: 0, name: 'f', arguments: '1' })], [entry({ index: 1, name: 'f', arguments: '2' })]],
        ['made_0 f 1', 'made_1 f 2'],
      ],
    ])('%s', (_, deltas, expected) => {
      expect(callsOf(...deltas)).toEqual(expected);
    });
  });

  describe('takes the id', () => {
    it('that follows an empty one', () => {
      expect(
        decode(
          [entry({ index: 0, id: '', name: 'f', arguments: '' })],
          [entry({ index: 0, id: 'a', arguments: '{}' })],
          'end',
        ),
      ).toStrictEqual([progress('a', 'f', 0, '{}'), call('a', 'f', '{}')]);
    });

    it('of the first fragment that has one, and goes on with a call whose made-up id was told', () => {
      expect(
        callsOf(
          [entry({ index: 0, id: '', name: 'f', arguments: '{' })],
          [entry({ index: 0, id: 'a', arguments: '}' })],
        ),
      ).toEqual(['made_0 f {}']);
    });

    it.each([null, 7, {}, [], true, '', 'null'])('for none where it is %j', (id) => {
      expect(callsOf([entry({ index: 0, id, name: 'f' })])).toEqual(['made_0 f ']);
    });

    it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s as any other', (id) => {
      expect(
        callsOf([entry({ index: 0, id, name: id, arguments: '1' })], [entry({ id, arguments: '2' })]),
      ).toEqual([`${id} ${id} 12`]);
      expect(Object.hasOwn(Object.prototype, 'index')).toBe(false);
    });
  });

  describe('takes the index', () => {
    it.each([-1, 0.5, NaN, Infinity, 2 ** 53, '1.0', '-1', '9'.repeat(16), '__proto__', null, {}, []])(
      'for none where it is %p',
      (index) => {
        expect(callsOf([entry({ index, name: 'f', arguments: '1' })], [entry({ arguments: '2' })])).toEqual([
          'made_0 f 12',
        ]);
      },
    );

    it.each([-1, 0.5, 2 ** 53, ''])('for none where it is %p and another came before it', (index) => {
      expect(
        callsOf(
          [entry({ index: 0, name: 'f', arguments: '1' })],
          [entry({ index, name: 'f', arguments: '2' })],
        ),
      ).toEqual(['made_0 f 12']);
    });

    it.each([null, '', [], [0], '0.0', '0 ', ' 0', '-0', '0x0', false])(
      'for none where it is %j: the fragment is the latest call’s, not that of index 0',
      (index) => {
        expect(
          callsOf(
            [entry({ index: 0, name: 'f' }), entry({ index: 1, name: 'g' })],
            [{ index, function: { arguments: '1' } }],
          ),
        ).toEqual(['made_0 f ', 'made_1 g 1']);
      },
    );

    it('for known up to 1,024 of them, beside those at which calls began', () => {
      const upward = Array.from({ length: 1_024 }, (_, index) => [entry({ index, id: 'a', name: 'f' })]);
      expect(
        callsOf(
          ...upward,
          [entry({ id: 'b', name: 'g' })],
          [entry({ index: 1_024, id: 'a', arguments: '1' })],
          [entry({ index: 1_024, arguments: '2' })],
          [entry({ index: 1_023, arguments: '3' })],
        ),
      ).toEqual(['a f 13', 'b g 2']);
    });

    it('however huge, and counts its own from 0', () => {
      expect(
        decode([entry({ index: Number.MAX_SAFE_INTEGER, id: 'a', name: 'f', arguments: '1' })]),
      ).toStrictEqual([progress('a', 'f', 0, '1')]);
    });
  });

  describe('takes the arguments', () => {
    it.each<[unknown, string]>([
      [null, ''],
      [undefined, ''],
      [7, ''],
      [true, ''],
      ['', ''],
      [{}, '{}'],
      [{ q: 'sky', n: [1, null] }, '{"q":"sky","n":[1,null]}'],
      [[1], '[1]'],
      ['null', 'null'],
      ['not json {', 'not json {'],
      ['\ud83d', '\ud83d'],
    ])('%j as %j', (given, text) => {
      expect(callsOf([{ index: 0, id: 'a', function: { name: 'f', arguments: given } }])).toEqual([
        `a f ${text}`,
      ]);
    });

    it('for none where an object is nested too deep to be written', () => {
      const deep: unknown = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000));
      expect(callsOf([{ index: 0, id: 'a', function: { name: 'f', arguments: deep } }])).toEqual(['a f ']);
    });
  });

  it.each([null, 7, 'x', [], [{}], true])('passes over an entry that is %j', (raw) => {
    expect(callsOf([raw, entry({ id: 'a', name: 'f', arguments: '1' }), raw])).toEqual(['a f 1']);
  });

  it.each([
    {},
    { index: 0 },
    { index: 0, type: 'function', function: { name: '', arguments: '' } },
    { id: '' },
  ])('begins no call with an entry that says nothing: %j', (raw) => {
    const onNameless = jest.fn();
    const calls = toolCalls({ emit: onNameless, label: {}, makeId: String, onNameless });
    calls.push([raw]);
    calls.push([raw]);
    expect(calls.end('finished')).toBe(0);
    expect(onNameless).not.toHaveBeenCalled();
  });

  it('reads 1,024 calls, and what else comes of them', () => {
    const named = Array.from({ length: 1_026 }, (_, index) => entry({ index, id: `id_${index}`, name: 'f' }));
    const calls = callsOf(named, [entry({ id: 'id_1023', arguments: '1' })]);
    expect(calls).toHaveLength(1_024);
    expect(calls.at(-1)).toBe('id_1023 f 1');
  });

  it.each([null, 'x', 7, []])('takes an entry whose function is %j for one that adds nothing', (body) => {
    expect(
      callsOf(
        [entry({ index: 0, id: 'a', name: 'f', arguments: '1' })],
        [{ index: 0, id: 'a', function: body }],
      ),
    ).toEqual(['a f 1']);
  });

  describe('gives a custom tool its input', () => {
    it('as it is, in pieces and whole', () => {
      expect(
        decode(
          [{ index: 0, id: 'a', type: 'custom', custom: { name: 'sh', input: '' } }],
          [{ index: 0, custom: { input: 'ls ' } }],
          [{ index: 0, type: 'custom', custom: { input: '-l' } }],
          'end',
        ),
      ).toStrictEqual([
        progress('a', 'sh', 0, 'ls '),
        progress('a', 'sh', 0, '-l'),
        {
          type: 'output_item_done',
          item: { type: 'custom_tool_call', call_id: 'a', name: 'sh', input: 'ls -l' },
        },
      ]);
    });

    it('as it is, where it looks like values one after another', () => {
      expect(
        decode([{ index: 0, id: 'a', type: 'custom', custom: { name: 'sh', input: '{}{"q":1}' } }], 'end').at(
          -1,
        ),
      ).toMatchObject({ item: { type: 'custom_tool_call', input: '{}{"q":1}' } });
    });

    it('where its type came before its name', () => {
      expect(
        decode([{ index: 0, id: 'a', type: 'custom' }], [{ index: 0, custom: { name: 'sh' } }], 'end'),
      ).toStrictEqual([
        { type: 'output_item_done', item: { type: 'custom_tool_call', call_id: 'a', name: 'sh', input: '' } },
      ]);
    });

    it('where its type came before its name, which stands where a function’s does', () => {
      expect(
        decode(
          [{ index: 0, id: 'a', type: 'custom' }],
          [entry({ index: 0, name: 'sh', arguments: 'ls' })],
          'end',
        ).at(-1),
      ).toMatchObject({ item: { type: 'custom_tool_call', name: 'sh', input: 'ls' } });
    });

    it('in one piece where it looks like whole arguments and comes with the name each time', () => {
      const sh = (input: string) => ({ index: 0, type: 'custom', custom: { name: 'sh', input } });
      expect(decode([sh('{}')], [sh('{"q":1}')], [sh('{"q":2}')], 'end').slice(3)).toMatchObject([
        { item: { type: 'custom_tool_call', input: '{}{"q":1}{"q":2}' } },
      ]);
    });

    it('beside functions', () => {
      expect(
        decode(
          [
            { index: 0, id: 'a', type: 'custom', custom: { name: 'sh' } },
            { index: 1, id: 'b', type: 'function', custom: null, function: { name: 'f' } },
          ],
          'end',
        ),
      ).toStrictEqual([
        { type: 'output_item_done', item: { type: 'custom_tool_call', call_id: 'a', name: 'sh', input: '' } },
        call('b', 'f', ''),
      ]);
    });
  });

  it('puts a name together up to 1,024 characters', () => {
    const piece = 'n'.repeat(400);
    const pieces = ['a', 'b', 'c', 'd'].map((letter) => [entry({ index: 0, name: letter + piece })]);
    expect(callsOf(...pieces)).toEqual([`made_0 a${piece}b${piece} `]);
    const rest = 'r'.repeat(1_024 - 401);
    expect(callsOf([entry({ name: `a${piece}` })], [entry({ name: rest })])).toEqual([
      `made_0 a${piece}${rest} `,
    ]);
  });

  it('takes a name of any length that comes whole', () => {
    const name = 'n'.repeat(2_000);
    expect(callsOf([entry({ name })], [entry({ name, arguments: '1' })])).toEqual([`made_0 ${name} 1`]);
  });

  it.each([
    ['{}', 1],
    [' {}\n', 1],
    [`{}${' '.repeat(13)}`, 1],
    // Nobody begins with so many blanks, and to look for the end of a million of them takes time.
    [`{}${' '.repeat(14)}`, 0],
    ['{ }', 1],
    ['[]', 1],
  ])('counts %j in one fragment, at an end that may have cut it, as %d that were cut', (text, count) => {
    const calls = toolCalls({ emit: () => {}, label: {}, makeId: String });
    calls.push([entry({ name: 'f', arguments: text })]);
    expect(calls.end('cut')).toBe(count);
  });

  it('counts arguments that follow {} as whole, at an end that may have cut them', () => {
    const calls = toolCalls({ emit: () => {}, label: {}, makeId: String });
    calls.push([entry({ index: 0, name: 'f', arguments: '{}' })]);
    calls.push([entry({ index: 0, arguments: '{"q":1}' })]);
    expect(calls.end('cut')).toBe(0);
  });

  describe('does no work again', () => {
    afterEach(() => jest.restoreAllMocks());

    it('for calls beyond the 1,024 that are read: the last one’s arguments are parsed once', () => {
      const calls = toolCalls({ emit: () => {}, label: {}, makeId: String });
      for (let at = 0; at < 1_024; at += 1) calls.push([entry({ name: 'f', arguments: `{"q":${at}}` })]);
      const parse = jest.spyOn(JSON, 'parse');
      for (let at = 0; at < 100; at += 1) calls.push([entry({ name: 'f', arguments: `{"r":${at}}` })]);
      expect(parse.mock.calls.length).toBeLessThan(10);
    });

    it('for fragments that add nothing but an id: the last one that did is parsed once', () => {
      const calls = toolCalls({ emit: () => {}, label: {}, makeId: String });
      calls.push([entry({ index: 0, id: 'a', name: 'f', arguments: '{"q":' })]);
      const parse = jest.spyOn(JSON, 'parse');
      for (let at = 0; at < 100; at += 1) calls.push([entry({ index: 0, id: `id_${at}`, name: 'f' })]);
      expect(parse.mock.calls.length).toBeLessThan(10);
    });
  });

  it('reads own properties only', () => {
    const inherits: unknown = Object.create(entry({ id: 'x', name: 'x', arguments: 'x' }));
    expect(
      callsOf(
        [entry({ index: 0, id: 'a', name: 'f' })],
        [inherits],
        [JSON.parse('{"index":0,"function":{"__proto__":{"arguments":"x","name":"x"}}}')],
      ),
    ).toEqual(['a f ']);
  });
});
