import { defer, from, of, throwError } from 'rxjs';
import { z } from 'zod';
import { OutputError, type OutputErrorCode, reask, toJson } from '../../src/json/index.js';
import { assistantMessage, type Prompt, userMessage } from '../../src/prompt/prompt.js';
import { StreamError } from '../../src/turn/errors.js';
import { turnOf } from '../../src/testing/turn-events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

const City = z.object({ city: z.string(), people: z.number() });
const errorOf = (code: OutputErrorCode, text = 'half', issues: OutputError['issues'] = []): OutputError =>
  new OutputError(code, { text, refusal: '', finishReason: 'stop' }, issues);

describe('reask', () => {
  it('subscribes to a second turn at the error, and emits what that gives', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold('--#', {}, errorOf('invalid_json'));
      const second = cold('        ---v|');
      const outputs = first.pipe(reask('Q', () => second));
      expectObservable(outputs).toBe('-----v|');
      expectSubscriptions(first.subscriptions).toBe(' ^-!');
      expectSubscriptions(second.subscriptions).toBe('--^---!');
    });
  });

  it('asks twice and no more: the second error is the error', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const [one, two] = [errorOf('invalid_json'), errorOf('invalid_output')];
      const first = cold('--#', {}, one);
      const second = cold('  ---#', {}, two);
      expectObservable(first.pipe(reask('Q', () => second))).toBe('-----#', {}, two);
      expectSubscriptions(first.subscriptions).toBe(' ^-!');
      expectSubscriptions(second.subscriptions).toBe('--^--!');
    });
  });

  it('unsubscribes from whichever turn is running', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold('--#', {}, errorOf('invalid_json'));
      const second = cold('        ---v|');
      expectObservable(first.pipe(reask('Q', () => second)), '---!').toBe('----');
      expectSubscriptions(first.subscriptions).toBe(' ^-!');
      expectSubscriptions(second.subscriptions).toBe('--^!');
    });
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold('--#', {}, errorOf('invalid_json'));
      const second = cold('        ---v|');
      expectObservable(first.pipe(reask('Q', () => second)), '-!').toBe('--');
      expectSubscriptions(first.subscriptions).toBe('^!');
      expectSubscriptions(second.subscriptions).toBe([]);
    });
  });

  it('lets a first value pass', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold('--v|');
      const second = cold('-w|');
      expectObservable(first.pipe(reask('Q', () => second))).toBe('--v|');
      expectSubscriptions(second.subscriptions).toBe([]);
    });
  });

  it('tells the model its answer and the issues, after the prompt as it was', () => {
    const asked: Prompt[] = [];
    const answers = ['{"city":7}', '{"city":"Rome","people":3}'];
    const ask = (prompt: Prompt) => {
      asked.push(prompt);
      return from(turnOf(answers.shift()!)).pipe(toJson(City));
    };
    const prompt: Prompt = { instructions: 'Be brief.', input: [userMessage('Q')], tools: [] };
    expect(received(ask(prompt).pipe(reask(prompt, ask)))).toEqual([{ city: 'Rome', people: 3 }]);
    const complaint = [
      'Your answer does not match the schema:',
      '/city: Invalid input: expected string, received number',
      '/people: Invalid input: expected number, received undefined',
      'Answer again with the corrected JSON alone.',
    ];
    expect(asked).toEqual([
      prompt,
      {
        ...prompt,
        input: [userMessage('Q'), assistantMessage('{"city":7}'), userMessage(complaint.join('\n'))],
      },
    ]);
  });

  it('takes a question as a string, and leaves an answer out that was empty', () => {
    let asked: Prompt | undefined;
    const outputs = throwError(() => errorOf('invalid_json', ' ')).pipe(
      reask('Q', (prompt) => ((asked = prompt), of(1))),
    );
    expect(received(outputs)).toEqual([1]);
    expect(asked).toEqual({
      input: [
        userMessage('Q'),
        userMessage('Your answer is not valid JSON.\nAnswer again with the corrected JSON alone.'),
      ],
    });
  });

  it.each(['invalid_json', 'several_values', 'invalid_output'] as const)('asks again after %s', (code) => {
    expect(received(throwError(() => errorOf(code)).pipe(reask('Q', () => [1])))).toEqual([1]);
  });

  it.each(['refused', 'content_filter', 'incomplete', 'stopped', 'tool_calls', 'too_large'] as const)(
    'does not ask again after %s',
    (code) => {
      const error = errorOf(code);
      expect(failureOf(throwError(() => error).pipe(reask('Q', () => [1])))).toBe(error);
    },
  );

  it('passes errors of other kinds, of either turn', () => {
    const error = new StreamError();
    expect(failureOf(throwError(() => error).pipe(reask('Q', () => [1])))).toBe(error);
    const again = throwError(() => errorOf('invalid_json')).pipe(reask('Q', () => throwError(() => error)));
    expect(failureOf(again)).toBe(error);
    expect(error.attempts).toHaveLength(2);
  });

  it('passes what the function throws, and asks anew for each subscription', () => {
    const failing = throwError(() => errorOf('invalid_json'));
    const thrown = new TypeError('no');
    const broken = failing.pipe(
      reask('Q', () => {
        throw thrown;
      }),
    );
    expect(failureOf(broken)).toBe(thrown);
    let count = 0;
    const counted = failing.pipe(reask('Q', () => defer(() => of((count += 1)))));
    expect([...received(counted), ...received(counted)]).toEqual([1, 2]);
  });

  it('takes a promise, as any ObservableInput', async () => {
    const first = from(turnOf('no')).pipe(toJson(City));
    const values: unknown[] = [];
    await first
      .pipe(reask('Q', async () => ({ city: 'Rome', people: 3 })))
      .forEach((value) => values.push(value));
    expect(values).toEqual([{ city: 'Rome', people: 3 }]);
  });
});
