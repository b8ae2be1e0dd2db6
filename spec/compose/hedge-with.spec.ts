import { EMPTY, NEVER, of, take, throwError } from 'rxjs';
import { hedgeWith } from '../../src/compose/hedge-with.js';
import { StreamError, TransportError } from '../../src/turn/errors.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { completed, text } from '../support/events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

const values: Record<string, ResponseEvent> = {
  a: text('Hel'),
  b: text('lo'),
  c: completed({ finishReason: 'stop' }),
  x: text('Hal'),
  y: text('lo'),
  k: { type: 'chunk', chunk: { id: 'first' } },
  l: { type: 'chunk', chunk: { id: 'second' } },
  w: { type: 'retrying', attempt: 1, delay: 3, error: new TransportError() },
  r: { type: 'restarting', attempt: 1, delay: 0, error: new StreamError() },
};
const down = new TransportError();

interface Case {
  readonly source: string;
  readonly other: string;
  readonly after?: number;
  readonly result: string;
  readonly ofSource: string;
  readonly ofOther: readonly string[];
  readonly leave?: string;
}

const cases: Readonly<Record<string, Case>> = {
  'asks no second time where content comes in time': {
    source: '  --a-b-(c|)',
    other: '   -x',
    after: 3,
    result: '  --a-b-(c|)',
    ofSource: '^-----!',
    ofOther: [],
  },
  'asks a second time when no content has come for so long, and goes on with it where it speaks first': {
    source: '  ---------a-b',
    other: '   --x-y-(c|)',
    after: 3,
    result: '  -----x-y-(c|)',
    ofSource: '^----!',
    ofOther: ['---^-----!'],
  },
  'goes on with the first where that speaks first after all': {
    source: '  ----a-b-(c|)',
    other: '   --x-y-(c|)',
    after: 3,
    result: '  ----a-b-(c|)',
    ofSource: '^-------!',
    ofOther: ['---^!'],
  },
  'takes the first where both speak in one frame': {
    source: '  -----a-(c|)',
    other: '   --x-(c|)',
    after: 3,
    result: '  -----a-(c|)',
    ofSource: '^------!',
    ofOther: ['---^-!'],
  },
  'asks at once where the first fails before': {
    source: '  -#',
    other: '   --x-(c|)',
    after: 5,
    result: '  ---x-(c|)',
    ofSource: '^!',
    ofOther: ['-^---!'],
  },
  'waits for the second where the first fails after it was asked': {
    source: '  ----#',
    other: '   ---x-(c|)',
    after: 2,
    result: '  -----x-(c|)',
    ofSource: '^---!',
    ofOther: ['--^----!'],
  },
  'waits for the first where the second fails': {
    source: '  -----a-(c|)',
    other: '   -#',
    after: 2,
    result: '  -----a-(c|)',
    ofSource: '^------!',
    ofOther: ['--^!'],
  },
  'fails where both fail': {
    source: '  ----#',
    other: '   -#',
    after: 2,
    result: '  ----#',
    ofSource: '^---!',
    ofOther: ['--^!'],
  },
  'fails with the one that has spoken': {
    source: '  -a-#',
    other: '   -x',
    after: 2,
    result: '  -a-#',
    ofSource: '^--!',
    ofOther: [],
  },
  'takes no retry for content': {
    source: '  -w-----a',
    other: '   -x',
    after: 3,
    result: '  -w--x',
    ofSource: '^---!',
    ofOther: ['---^'],
  },
  'takes no chunk for content, and gives those of the one that speaks': {
    source: '  -k---',
    other: '   -lx---(c|)',
    after: 2,
    result: '  ----(lx)(c|)',
    ofSource: '^---!',
    ofOther: ['--^-----!'],
  },
  'takes an answer without a word for an answer': {
    source: '  --(c|)',
    other: '   -x',
    after: 5,
    result: '  --(c|)',
    ofSource: '^-!',
    ofOther: [],
  },
  'ends where the first ends without an event': {
    source: '  --|',
    other: '   -x',
    after: 5,
    result: '  --|',
    ofSource: '^-!',
    ofOther: [],
  },
  'stays with the one that has spoken when that restarts': {
    source: '  -a-r---b-(c|)',
    other: '   -x',
    after: 2,
    result: '  -a-r---b-(c|)',
    ofSource: '^--------!',
    ofOther: [],
  },
  'lets go of the first alone before the second is asked': {
    source: '  ------',
    other: '   ------',
    after: 3,
    leave: '  ^-!',
    result: '  --',
    ofSource: '^-!',
    ofOther: [],
  },
  'lets go of both while neither has spoken': {
    source: '  ------',
    other: '   ------',
    after: 3,
    leave: '  ^----!',
    result: '  -----',
    ofSource: '^----!',
    ofOther: ['---^-!'],
  },
  'lets go of the one that speaks': {
    source: '  --------',
    other: '   -x-y----',
    after: 2,
    leave: '  ^-----!',
    result: '  ---x-y',
    ofSource: '^--!',
    ofOther: ['--^---!'],
  },
  'never asks a second time with Infinity': {
    source: '  2147483650ms a',
    other: '   -x',
    after: Infinity,
    leave: '  ^ 2147483654ms !',
    result: '  2147483650ms a',
    ofSource: '^ 2147483654ms !',
    ofOther: [],
  },
};

describe('hedgeWith', () => {
  it('goes on with the turn that speaks first, and unsubscribes the other in that frame', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('---------a-b-(c|)', values);
      const other = cold<ResponseEvent>('     --x-y-(c|)', values);
      const turn = source.pipe(hedgeWith(other, { after: 5 }));
      expectObservable(turn).toBe('       -------x-y-(c|)', values);
      expectSubscriptions(source.subscriptions).toBe('^------!');
      expectSubscriptions(other.subscriptions).toBe(' -----^-----!');
    });
  });

  it.each(Object.entries(cases))('%s', (_, { after = 3, leave, ...each }) => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>(each.source.trim(), values, down);
      const other = cold<ResponseEvent>(each.other.trim(), values, down);
      expectObservable(source.pipe(hedgeWith(other, { after })), leave).toBe(
        each.result.trim(),
        values,
        down,
      );
      expectSubscriptions(source.subscriptions).toBe(each.ofSource);
      expectSubscriptions(other.subscriptions).toBe([...each.ofOther]);
    });
  });

  it('asks a second time at the first value of what a function gives', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const signal = cold('--s-s');
      const source = cold<ResponseEvent>('----------a', values);
      const other = cold<ResponseEvent>('--x', values);
      expectObservable(source.pipe(hedgeWith(other, { after: () => signal }))).toBe('----x', values);
      expectSubscriptions(signal.subscriptions).toBe('^-!');
      expectSubscriptions(other.subscriptions).toBe('--^');
    });
  });

  it('does not ask where that ends without a value, and ends with its error', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('---a-(c|)', values);
      const other = cold<ResponseEvent>('-x', values);
      const error = new RangeError('signal');
      expectObservable(source.pipe(hedgeWith(other, { after: () => EMPTY }))).toBe('---a-(c|)', values);
      expectObservable(source.pipe(hedgeWith(other, { after: () => cold('-#', {}, error) }))).toBe(
        '-#',
        {},
        error,
      );
      expectSubscriptions(source.subscriptions).toBe(['^----!', '^!']);
      expectSubscriptions(other.subscriptions).toBe([]);
    });
  });

  it('starts no timer where the first speaks synchronously', () => {
    let asked = 0;
    const after = () => {
      asked += 1;
      return NEVER;
    };
    expect(received(of(values['a']!, values['c']!).pipe(hedgeWith(NEVER, { after })))).toEqual([
      values['a'],
      values['c'],
    ]);
    expect(asked).toBe(0);
  });

  it('stops both where its consumer leaves while one speaks synchronously', () => {
    const other = of(values['x']!, values['y']!, values['c']!);
    const turn = throwError(() => down).pipe(hedgeWith(other, { after: 5 }), take(1));
    expect(received(turn)).toEqual([values['x']]);
  });

  it('tells of both failures in the last', () => {
    const [first, second] = [new TransportError(), new TransportError()];
    const turn = throwError(() => first).pipe(
      hedgeWith(
        throwError(() => second),
        { after: 5 },
      ),
    );
    expect(failureOf(turn)).toBe(second);
    expect(second.attempts).toEqual([first, second]);
    expect(second.cause).toMatchObject({ errors: [first, second] });
  });

  it('fails with the error of a second turn that is none', () => {
    const none = undefined as unknown as typeof EMPTY;
    expect(failureOf(throwError(() => down).pipe(hedgeWith(none, { after: 5 })))).toBeInstanceOf(TypeError);
  });

  it('fails with the last error where nothing can be said in it', () => {
    const frozen = Object.freeze(new TransportError());
    const other = throwError(() => frozen);
    expect(failureOf(throwError(() => down).pipe(hedgeWith(other, { after: 5 })))).toBe(frozen);
  });
});
