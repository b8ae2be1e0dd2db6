import fc from 'fast-check';
import { concat, from, map, NEVER, of, range, take, toArray } from 'rxjs';
import { TransportError } from '../../src/turn/errors.js';
import type { OutputItemDoneEvent, ResponseEvent } from '../../src/turn/events.js';
import { aggregate } from '../../src/operators/aggregate.js';
import { splitThinking, type SplitThinkingOptions } from '../../src/operators/split-thinking.js';
import { userMessage } from '../../src/prompt/prompt.js';
import { restartingEvent } from '../../src/testing/index.js';
import { completed, text } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';
import { inputAdded, runCompleted, toolEvents } from '../support/run-events.js';

const thought = (said: string): OutputItemDoneEvent => ({
  type: 'output_item_done',
  item: { type: 'reasoning', content: [{ type: 'reasoning_text', text: said }] },
});

const ofChoice = (event: OutputItemDoneEvent, choice: number): OutputItemDoneEvent => ({ ...event, choice });

const split = (events: readonly ResponseEvent[], options?: SplitThinkingOptions) =>
  received(from(events).pipe(splitThinking(options)));

/** What is said, as `r:` reasoning and `t:` text, one entry for each event. */
function saidIn(events: readonly ResponseEvent[]): readonly string[] {
  return events.flatMap((event) => {
    if (event.type !== 'output_item_done') return [];
    const { item } = event;
    if (item.type === 'reasoning') return item.content.map((part) => `r:${part.text}`);
    if (item.type !== 'message') return [];
    return item.content.map((part) => `t:${part.type === 'output_text' ? part.text : ''}`);
  });
}

/** The whole text and the whole reasoning. */
function totals(events: readonly ResponseEvent[]) {
  const said = saidIn(events);
  const all = (mark: string) =>
    said
      .filter((entry) => entry.startsWith(mark))
      .map((entry) => entry.slice(2))
      .join('');
  return { text: all('t:'), reasoning: all('r:') };
}

const values = {
  a: text('Hi <th'),
  b: text('ink>Hm'),
  c: completed(),
  d: text('</think>4'),
  h: text('Hi '),
  r: thought('Hm'),
  x: text('4'),
  y: text('<th'),
  n: text('ink>Hm'),
  s: restartingEvent(),
};

describe('splitThinking', () => {
  it('moves what stands between the tags to reasoning items', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-d-(c|)', values);
      expectObservable(source.pipe(splitThinking())).toBe('-h-r-x-(c|)', values);
      expectSubscriptions(source.subscriptions).toBe('  ^------!');
    });
  });

  it('forgets at restarting what it held, and that the model was thinking', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const held = cold<ResponseEvent>('-a-s-b-(c|)', values);
      expectObservable(held.pipe(splitThinking())).toBe('    -h-s-n-(c|)', values);
      expectSubscriptions(held.subscriptions).toBe('        ^------!');
      const thinking = cold<ResponseEvent>('-a-b-s-x-(c|)', values);
      expectObservable(thinking.pipe(splitThinking())).toBe('-h-r-s-x-(c|)', values);
    });
  });

  it('passes on what it holds, then completed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<ResponseEvent>('-a-(c|)', values).pipe(splitThinking())).toBe('-h-(yc|)', values);
    });
  });

  it('passes on what it holds, then the error', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-#', values, 'broken');
      expectObservable(source.pipe(splitThinking())).toBe('-h-(y#)', values, 'broken');
      expectSubscriptions(source.subscriptions).toBe('  ^--!');
    });
  });

  it('passes on what it holds where the source ends without completed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<ResponseEvent>('-a-|', values).pipe(splitThinking())).toBe('-h-(y|)', values);
    });
  });

  it('unsubscribes from the source with its subscriber, and passes nothing more on', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-c', values);
      expectObservable(source.pipe(splitThinking()), '^-!').toBe('-h-', values);
      expectSubscriptions(source.subscriptions).toBe('        ^-!');
    });
  });

  it('gives a consumer that takes one event no other of the same delta', () => {
    const source = of(text('a<think>b</think>c'), completed());
    expect(received(source.pipe(splitThinking(), take(1)))).toEqual([text('a')]);
  });

  it('stops an endless synchronous source', () => {
    let asked = 0;
    const deltas = range(0, Infinity).pipe(map(() => ((asked += 1), text('x'))));
    expect(received(deltas.pipe(splitThinking(), take(2)))).toEqual([text('x'), text('x')]);
    expect(asked).toBe(2);
  });

  it('splits each subscription by itself', () => {
    const turn = of<ResponseEvent[]>(text('<think>a'), completed()).pipe(splitThinking());
    expect(received(turn)).toEqual([thought('a'), completed()]);
    expect(received(turn)).toEqual([thought('a'), completed()]);
  });

  it('gives aggregate() one reasoning item and one message', () => {
    const source = of<ResponseEvent[]>(
      text('<think>Let me '),
      text('see.</think>It is'),
      text(' 4.'),
      completed(),
    );
    expect(received(source.pipe(splitThinking(), aggregate()))).toEqual([
      thought('Let me see.'),
      text('It is 4.'),
      completed(),
    ]);
  });

  const cases: readonly [string, readonly string[], readonly string[], SplitThinkingOptions?][] = [
    ['text without tags', ['a', 'b'], ['t:a', 't:b']],
    ['both tags in one delta', ['a<think>b</think>c'], ['t:a', 'r:b', 't:c']],
    ['a tag that is all of a delta', ['<think>', 'a', '</think>', 'b'], ['r:a', 't:b']],
    ['an empty thought', ['<think></think>a'], ['t:a']],
    ['several thoughts', ['<think>a</think>b<think>c</think>d'], ['r:a', 't:b', 'r:c', 't:d']],
    ['a thought that is never closed', ['<think>a', 'b'], ['r:a', 'r:b']],
    ['a thought that ends inside its closing tag', ['<think>a</thi'], ['r:a', 'r:</thi']],
    ['a closing tag that nothing opened', ['a</think>b'], ['t:a</think>b']],
    ['an opening tag inside a thought', ['<think>a<think>b</think>c'], ['r:a<think>b', 't:c']],
    ['what only begins like a tag', ['a<th', 'ink', 'ing>b'], ['t:a', 't:<thinking>b']],
    ['a tag after what begins like one', ['<', '<think>a'], ['t:<', 'r:a']],
    ['a tag after what begins like one, in pieces', ['<th<', 'think>a'], ['t:<th', 'r:a']],
    ['tags in another case', ['<THINK>a</THINK>'], ['t:<THINK>a</THINK>']],
    ['the line breaks around tags as they are', ['<think>\na\n</think>\n\nb'], ['r:\na\n', 't:\n\nb']],
    ['other tags', ['[[a]]b'], ['r:a', 't:b'], { openingTag: '[[', closingTag: ']]' }],
    ['tags that are the same', ['a|b|c'], ['t:a', 'r:b', 't:c'], { openingTag: '|', closingTag: '|' }],
    ['an omitted opening tag', ['a', 'b</think>c'], ['r:a', 'r:b', 't:c'], { startInReasoning: true }],
    [
      'an opening tag that came all the same',
      ['<think>a</think>b'],
      ['r:a', 't:b'],
      { startInReasoning: true },
    ],
    [
      'one that came in pieces',
      ['<', 'think', '>', 'a</think>b'],
      ['r:a', 't:b'],
      { startInReasoning: true },
    ],
    [
      'the beginning of one that did not come',
      ['<thi', 's a</think>b'],
      ['r:<this a', 't:b'],
      { startInReasoning: true },
    ],
    [
      'an opening tag behind blanks, in pieces',
      ['\n', ' <th', 'ink>a</think>b'],
      ['r:a', 't:b'],
      { startInReasoning: true },
    ],
    ['blanks without an opening tag', ['\n', 'a</think>b'], ['r:\na', 't:b'], { startInReasoning: true }],
    ['nothing but blanks', ['\n', '\n'], ['r:\n\n'], { startInReasoning: true }],
    [
      'more blanks than are waited for',
      [' '.repeat(255), ' ', '<think>a'],
      [`r:${' '.repeat(256)}`, 'r:<think>a'],
      { startInReasoning: true },
    ],
    [
      'a tag that begins with a blank',
      ['\n', '<t>a\n</t>b'],
      ['r:a', 't:b'],
      { startInReasoning: true, openingTag: '\n<t>', closingTag: '\n</t>' },
    ],
    ['the closing tag alone', ['</think>a'], ['t:a'], { startInReasoning: true }],
    ['a second thought', ['a</think>b<think>c'], ['r:a', 't:b', 'r:c'], { startInReasoning: true }],
    [
      'an opening tag later on',
      ['a', '<think>b</think>c'],
      ['r:a', 'r:<think>b', 't:c'],
      { startInReasoning: true },
    ],
    ['nothing but the beginning of a tag', ['<thi'], ['r:<thi'], { startInReasoning: true }],
  ];

  it.each(cases.map(([title, deltas, expected, options = {}]) => ({ title, deltas, expected, options })))(
    'splits $title',
    ({ deltas, expected, options }) => {
      const events = split([...deltas.map(text), completed()], options);
      expect(saidIn(events)).toEqual(expected);
      expect(events.at(-1)).toEqual(completed());
    },
  );

  describe('however the text is cut', () => {
    const piece = fc.oneof(
      fc.constantFrom('<think>', '</think>', '<', '</', '<th', 'think>', '<<think>', 'a', '你好', '👩‍👧‍👦', '\n'),
      fc.string({ maxLength: 6 }),
    );
    const whole = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    const cut = (said: string, offsets: readonly number[]): readonly string[] => {
      const places = [...new Set(offsets.map((offset) => offset % (said.length + 1)))].sort((a, b) => a - b);
      return [0, ...places].map((place, index) => said.slice(place, places[index] ?? said.length));
    };

    it('gives the same text and the same reasoning', () => {
      fc.assert(
        fc.property(
          whole,
          fc.array(fc.nat(), { maxLength: 20 }),
          fc.boolean(),
          (said, offsets, startInReasoning) => {
            const options = { startInReasoning };
            const expected = totals(split([text(said), completed()], options));
            expect(totals(split([...cut(said, offsets).map(text), completed()], options))).toEqual(expected);
            expect(totals(split([...Array.from(said, text), completed()], options))).toEqual(expected);
          },
        ),
        { numRuns: 1000 },
      );
    });

    it('splits at every position of a turn', () => {
      const said = 'Hi <think>Hm < h</think>4 < 5<think>!</think>';
      for (let first = 0; first <= said.length; first += 1) {
        for (let second = first; second <= said.length; second += 1) {
          const deltas = [said.slice(0, first), said.slice(first, second), said.slice(second)];
          expect(totals(split([...deltas.map(text), completed()]))).toEqual({
            text: 'Hi 4 < 5',
            reasoning: 'Hm < h!',
          });
        }
      }
    });

    it('holds nothing back but what may be the beginning of the next tag', () => {
      fc.assert(
        fc.property(whole, fc.boolean(), (said, startInReasoning) => {
          const options = { startInReasoning };
          for (let length = 0; length <= said.length; length += 1) {
            const before = said.slice(0, length);
            const shown = totals(split([text(before), completed()], options));
            const sofar = totals(received(concat(of(text(before)), NEVER).pipe(splitThinking(options))));
            const all = [
              shown.text.slice(sofar.text.length),
              shown.reasoning.slice(sofar.reasoning.length),
            ].join('');
            // The first tag may stand behind blanks.
            const held = startInReasoning && all === before ? all.trimStart() : all;
            expect(held === '' || '<think>'.startsWith(held) || '</think>'.startsWith(held)).toBe(true);
            expect(held).not.toBe('<think>');
            expect(held).not.toBe('</think>');
          }
        }),
      );
    });
  });

  it('passes on at once what is no text of the assistant', () => {
    const others: readonly ResponseEvent[] = [
      { type: 'retrying', attempt: 1, delay: 200, error: new TransportError() },
      { type: 'chunk', chunk: { choices: [] } },
      { type: 'output_item_done', item: userMessage('<think>asked</think>') },
      thought('<think>from the provider</think>'),
      {
        type: 'output_item_done',
        item: { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: '<think>No.' }] },
      },
      { type: 'function_call_arguments_delta', callId: 'a', name: 'f', index: 0, delta: '<think>' },
      {
        type: 'output_item_done',
        item: { type: 'function_call', call_id: 'a', name: 'f', arguments: '<think>' },
      },
      completed(),
    ];
    const passed = split(others);
    expect(passed).toHaveLength(others.length);
    passed.forEach((event, index) => expect(event).toBe(others[index]));
  });

  it('passes on what it holds before an item that comes after it', () => {
    const call: ResponseEvent = {
      type: 'output_item_done',
      item: { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
    };
    expect(split([text('a<'), call, text('think>b'), completed()])).toEqual([
      text('a'),
      text('<'),
      call,
      text('think>b'),
      completed(),
    ]);
  });

  it('drops no opening tag once a part of the thought was passed on', () => {
    const events = split([text('<'), thought('Hm'), text('<think>a'), completed()], {
      startInReasoning: true,
    });
    expect(saidIn(events)).toEqual(['r:<', 'r:Hm', 'r:<think>a']);
  });

  it('leaves a message of several parts as it is', () => {
    const event: OutputItemDoneEvent = {
      type: 'output_item_done',
      item: {
        type: 'message',
        role: 'assistant',
        content: [
          { type: 'output_text', text: '<think>a</think>' },
          { type: 'refusal', refusal: 'No.' },
        ],
      },
    };
    const [passed] = split([event]);
    expect(passed).toBe(event);
  });

  it('splits each choice by itself', () => {
    const source = [
      text('<thi'),
      ofChoice(text('<think>b'), 1),
      text('nk>a'),
      ofChoice(text('</think>c<'), 1),
      text('</think>d</'),
      completed(),
    ];
    expect(split(source)).toEqual([
      ofChoice(thought('b'), 1),
      thought('a'),
      ofChoice(text('c'), 1),
      text('d</'),
      ofChoice(text('<'), 1),
      completed(),
    ]);
  });

  it('starts each turn anew', () => {
    const turns = [text('a</thi'), completed(), text('nk>b'), completed()];
    expect(split(turns, { startInReasoning: true })).toEqual([
      thought('a'),
      thought('</thi'),
      completed(),
      thought('nk>b'),
      completed(),
    ]);
    expect(split([text('<think>a'), completed(), text('b'), completed()])).toEqual([
      thought('a'),
      completed(),
      text('b'),
      completed(),
    ]);
  });

  it('passes what it holds back on before the arguments of a call', () => {
    const delta: ResponseEvent = {
      type: 'function_call_arguments_delta',
      callId: 'call_1',
      name: 'add',
      index: 0,
      delta: '{',
    };
    expect(split([text('a<thi'), delta, text('nk>b')])).toEqual([
      text('a'),
      text('<thi'),
      delta,
      text('nk>b'),
    ]);
  });

  it('holds a tag back across an event that says nothing', () => {
    const chunk: ResponseEvent = { type: 'chunk', chunk: {} };
    const retrying: ResponseEvent = { type: 'retrying', attempt: 1, delay: 0, error: new TransportError() };
    expect(split([text('<thi'), chunk, retrying, text('nk>a')])).toEqual([chunk, retrying, thought('a')]);
  });

  it('gives no choice to what belongs to none', () => {
    expect(split([text('a<think>b')])).toStrictEqual([text('a'), thought('b')]);
  });

  it.each(['openingTag', 'closingTag'])('refuses an empty %s', (option) => {
    expect(() => splitThinking({ [option]: '' })).toThrow(
      new TypeError('openingTag and closingTag must not be empty.'),
    );
  });

  it('adds nothing to a turn without text', () => {
    expect(received(of(completed()).pipe(splitThinking({ startInReasoning: true }), toArray()))).toEqual([
      [completed()],
    ]);
  });

  it('gives what a text of tags holds one by one, and cuts no further than is taken', () => {
    const endless = '<think>a</think>b'.repeat(1_000);
    const searches = jest.spyOn(String.prototype, 'indexOf');
    const given: ResponseEvent[] = [];
    of(text(endless))
      .pipe(splitThinking(), take(2))
      .subscribe((event) => given.push(event));
    const { length } = searches.mock.calls;
    searches.mockRestore();
    expect(given).toHaveLength(2);
    expect(length).toBeLessThan(20);
  });
});

describe('splitThinking of a run', () => {
  it('splits each turn anew, and passes what is between them after what was held', () => {
    const { started, finished } = toolEvents;
    const turn = [text('<think>Hm'), text('</think>4<th')];
    const parts = [thought('Hm'), text('4'), text('<th')];
    const run = [...turn, completed(), started, finished, ...turn, inputAdded, ...turn, runCompleted];
    expect(received(from(run).pipe(splitThinking()))).toEqual([
      ...parts,
      completed(),
      started,
      finished,
      ...parts,
      inputAdded,
      ...parts,
      runCompleted,
    ]);
  });
});
