import { map, NEVER, of, timer } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import { IdleTimeoutError, RetryLimitError, StreamError } from '../../src/index.js';
import { completedEvent, observableMatcher, textEvent, toolCallEvents } from '../../src/testing/index.js';

const events = { a: textEvent('Hel'), b: textEvent('lo'), c: textEvent('la'), C: completedEvent() };

type Failure = Error & {
  readonly actual: unknown;
  readonly expected: unknown;
  readonly showDiff: unknown;
  readonly matcherResult: unknown;
};

function failureOf(run: (helpers: RunHelpers) => void): Failure {
  try {
    new TestScheduler(observableMatcher).run(run);
  } catch (error) {
    return error as Failure;
  }
  throw new Error('It passed.');
}

const picture = (...lines: readonly string[]): string => lines.join('\n');

describe('observableMatcher()', () => {
  it('takes what is as it was drawn', () => {
    const error = new IdleTimeoutError(30_000);
    new TestScheduler(observableMatcher).run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-(bC)- 2s #', events, error);
      expectObservable(source).toBe(
        '-a-(bC)- 2s #',
        { ...events, a: textEvent('Hel') },
        new IdleTimeoutError(30_000),
      );
      expectObservable(hot('x-^-y-|')).toBe('--y-|');
      expectObservable(cold('-x|', { x: cold('-a|', events) })).toBe('-x|', { x: cold('-a|', events) });
      expectObservable(NEVER).toBe('');
      expectSubscriptions(source.subscriptions).toBe('^------- 2s !');
    });
  });

  it('draws a value that is another, and where the two differ', () => {
    const { message } = failureOf(({ cold, expectObservable }) => {
      expectObservable(cold('2s ----a(cC|)', events)).toBe('2s ----a(bC|)', events);
    });
    expect(message).toBe(
      picture(
        'The Observable differs from what was drawn, first at 2005 ms.',
        '',
        '  expected  2s ----a(bc|)',
        '  actual    2s ----a(dc|)',
        '                     ^ 2005 ms',
        '',
        '  b  text_delta "lo"',
        '  d  text_delta "la"',
        '  d is not b at .item.content[0].text: expected "lo", actual "la"',
      ),
    );
  });

  it('draws a value that came at another time with the same letter', () => {
    const { message } = failureOf(({ cold, expectObservable }) => {
      expectObservable(cold('2s ----a-b|', events)).toBe('2s ----ab-|', events);
    });
    expect(message).toBe(
      picture(
        'The Observable differs from what was drawn, first at 2005 ms.',
        '',
        '  expected  2s ----ab-|',
        '  actual    2s ----a-b|',
        '                    ^^ 2006 ms',
        '',
        '  b  text_delta "lo"',
      ),
    );
  });

  it('tells an error by its class, status, code and message, and nothing that the provider said', () => {
    const limit = new RetryLimitError({ status: 429, code: 'rate_limit_exceeded', body: 'sk-secret' }, []);
    const { message, cause } = failureOf(({ cold, expectObservable }) => {
      expectObservable(cold('-x#', undefined, limit)).toBe('-x#', undefined, new StreamError());
    });
    expect(message).toBe(
      picture(
        'The Observable differs from what was drawn, first at 2 ms.',
        '',
        '  expected  -x#',
        '  actual    -x#',
        '              ^ 2 ms',
        '',
        '  # expected  StreamError "The event stream broke off."',
        `  # actual    RetryLimitError 429 rate_limit_exceeded ${JSON.stringify(limit.message)}`,
      ),
    );
    expect(cause).toBe(limit);
  });

  it('tells where two errors of a class differ', () => {
    const { message } = failureOf(({ cold, expectObservable }) => {
      const ours = new StreamError({ retryable: false });
      expectObservable(cold('#', undefined, ours)).toBe('#', undefined, new StreamError());
    });
    expect(message).toBe(
      picture(
        'The Observable differs from what was drawn, first at 0 ms.',
        '',
        '  expected  #',
        '  actual    #',
        '            ^ 0 ms',
        '',
        '  # expected  StreamError "The event stream broke off."',
        '  # actual    StreamError "The event stream broke off."',
        '  # is not # at .retryable: expected true, actual false',
      ),
    );
  });

  it.each([
    ['nothing came', () => NEVER, '-x-|', ['-x-|', '----']],
    ['nothing was drawn', ({ cold }: RunHelpers) => cold('-x-|'), '---', ['----', '-x-|']],
  ])('draws an empty line where %s', (_, source, marbles, [expected, actual]) => {
    const { message } = failureOf((helpers) => {
      helpers.expectObservable(source(helpers)).toBe(marbles);
    });
    expect(message).toBe(
      picture(
        'The Observable differs from what was drawn, first at 1 ms.',
        '',
        `  expected  ${expected}`,
        `  actual    ${actual}`,
        '             ^ ^ 3 ms',
      ),
    );
  });

  it('draws an inner Observable', () => {
    const { message } = failureOf(({ cold, expectObservable }) => {
      const inner = { x: cold('--a-b|', events) };
      expectObservable(cold('-x--|', inner)).toBe('-x--|', { x: cold('--a-a|', events) });
    });
    expect(message).toBe(
      picture(
        'The Observable differs from what was drawn, first at 1 ms.',
        '',
        '  expected  -a--|',
        '  actual    -b--|',
        '             ^ 1 ms',
        '',
        '  a  Observable --a-a| { a: text_delta "Hel" }',
        '  b  Observable --a-b| { a: text_delta "Hel", b: text_delta "lo" }',
        '  b is not a at [1].notification.value.item.content[0].text: expected "Hel", actual "lo"',
      ),
    );
  });

  it('draws the frames before a hot source is subscribed to', () => {
    const { message } = failureOf(({ hot, expectObservable }) => {
      expectObservable(hot('a-^-a-b')).toBe('a-^-a-b');
    });
    expect(message).toBe(
      picture(
        'The Observable differs from what was drawn, first at -2 ms.',
        '',
        '  expected  a-^-a-b',
        '  actual    --^-a-b',
        '            ^ -2 ms',
      ),
    );
  });

  it('draws each subscription that differs, of several connections', () => {
    const { message, expected, actual } = failureOf(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('--a-|');
      expectObservable(source);
      expectObservable(source, '--^-!');
      expectSubscriptions(source.subscriptions).toBe(['^---!', '--(^!)', '---^--!']);
    });
    expect(message).toBe(
      picture(
        'Subscription 2 of 3 differs from what was drawn, first at 2 ms.',
        '',
        '  expected  --(^!)',
        '  actual    --^   !',
        '              ^   ^ 4 ms',
        '',
        'Subscription 3 of 3 differs from what was drawn, first at 3 ms.',
        '',
        '  expected  ---^--!',
        '  actual    (none)',
        '               ^  ^ 6 ms',
      ),
    );
    expect([expected, actual]).toEqual(['--(^!)\n---^--!', '--^   !\n(none)']);
  });

  it('draws one subscription that ended late as a line each', () => {
    const { message } = failureOf(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-');
      expectObservable(source, '^ 2s --!');
      expectSubscriptions(source.subscriptions).toBe('^ 2s -!');
    });
    expect(message).toBe(
      picture(
        'The subscription differs from what was drawn, first at 2002 ms.',
        '',
        '  expected  ^ 2s -!',
        '  actual    ^ 2s --!',
        '                  ^^ 2003 ms',
      ),
    );
  });

  it('stays short where hundreds of values came', () => {
    const { message } = failureOf(({ expectObservable }) => {
      const values = timer(0, 7).pipe(map((index) => (index === 300 ? 'no' : 'a')));
      expectObservable(values, '^ 4201ms !').toBe('a 6ms '.repeat(601));
    });
    const [heading, , expected = '', actual = '', carets, , ...notes] = message.split('\n');
    expect(heading).toBe('The Observable differs from what was drawn, first at 2100 ms.');
    expect(expected).toMatch(/^ {2}expected {2}… (?:a------){10,14}a?-* …$/);
    expect(actual).toBe(
      expected.replace('expected  ', 'actual    ').replace(/^(.{12}… (?:a------){8})a/, '$1b'),
    );
    expect(carets).toBe(`${' '.repeat(12 + 2 + 8 * 7)}^ 2100 ms`);
    expect(notes).toEqual(['  b  "no"']);
  });

  it('cuts a long group around its first difference', () => {
    const letters = Array.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ');
    const { message } = failureOf(({ expectObservable }) => {
      expectObservable(of(...letters)).toBe(`(${letters.join('').replace('A', '_')}|)`);
    });
    expect(message).toBe(
      picture(
        'The Observable differs from what was drawn, first at 0 ms.',
        '',
        '  expected  (…stuvwxyz_BCDEFGHIJKLMNOP…)',
        '  actual    (…stuvwxyzABCDEFGHIJKLMNOP…)',
        '                      ^ 0 ms',
      ),
    );
  });

  it('draws outside of run() in columns of 10 ms', () => {
    const scheduler = new TestScheduler(observableMatcher);
    scheduler.expectObservable(scheduler.createColdObservable('--a--b|')).toBe('--a-b-|');
    expect(() => scheduler.flush()).toThrow(
      new Error(
        picture(
          'The Observable differs from what was drawn, first at 40 ms.',
          '',
          '  expected  --a-b-|',
          '  actual    --a--b|',
          '                ^^ 50 ms',
        ),
      ),
    );
  });

  it('tells a missing property from one that is undefined', () => {
    const { message } = failureOf(({ cold, expectObservable }) => {
      expectObservable(cold('x', { x: { a: undefined } })).toBe('x', { x: {} });
    });
    expect(message).toContain('  b is not a at .a: expected nothing, actual undefined');
  });

  it("takes the runner's asymmetric matchers in the place of values and errors", () => {
    const error = new RetryLimitError({ status: 429 }, []);
    const matcher = (status: number): unknown => expect.objectContaining({ name: 'RetryLimitError', status });
    new TestScheduler(observableMatcher).run(({ cold, expectObservable }) => {
      expectObservable(cold('x#', { x: 1 }, error)).toBe(
        'x#',
        { x: expect.any(Number) as number },
        matcher(429),
      );
    });
    const { message } = failureOf(({ cold, expectObservable }) => {
      expectObservable(cold('#', undefined, error)).toBe('#', undefined, matcher(503));
    });
    expect(message).toContain('  # expected  ObjectContaining({ name: "RetryLimitError", status: 503 })');
  });

  it('writes calls and ends by what they say', () => {
    const [delta, call] = toolCallEvents({ name: 'weather', arguments: '{"city":"Bern"}' });
    const { message } = failureOf(({ cold, expectObservable }) => {
      expectObservable(cold('dwe', { d: delta, w: call, e: events.C })).toBe('');
    });
    expect(message.split('\n').slice(-3)).toEqual([
      '  a  function_call_arguments_delta weather "{\\"city\\":\\"Bern\\"}"',
      '  b  function_call weather "{\\"city\\":\\"Bern\\"}"',
      '  c  completed "stop"',
    ]);
  });

  it('gives runners the two lines, and asks them for no difference of their own', () => {
    const failure = failureOf(({ cold, expectObservable }) => {
      expectObservable(cold('-a|')).toBe('-b|');
    });
    const { message, expected, actual, showDiff, matcherResult } = failure;
    expect({ expected, actual, showDiff }).toEqual({ expected: '-b|', actual: '-a|', showDiff: false });
    expect(matcherResult).toEqual({ pass: false, message, expected, actual });
    expect(Object.keys(failure)).toEqual([]);
  });

  it('compares what is no marbles', () => {
    observableMatcher({ a: 1 }, { a: 1 });
    expect(() => observableMatcher({ a: 1 }, { a: 2 })).toThrow(
      new Error('The values differ at .a: expected 2, actual 1.'),
    );
  });
});
