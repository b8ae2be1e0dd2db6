import { concat, from, map, NEVER, of, throwError } from 'rxjs';
import * as v from 'valibot';
import { z } from 'zod';
import { OutputError, partialJson, toJson } from '../../src/json/index.js';
import { aggregate } from '../../src/operators/aggregate.js';
import { StreamError } from '../../src/turn/errors.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { refusalEvent, textEvent, toolCallEvents } from '../../src/testing/turn-events.js';
import { type } from '../support/arktype.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { completed, text } from '../support/events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

const City = z.object({ city: z.string() });
const anything = {};
const whole = completed({ finishReason: 'stop' });
const calling = [...toolCallEvents({ name: 'look' }), completed({ finishReason: 'tool_calls' })];
const outputOf = (...events: readonly ResponseEvent[]): unknown =>
  received(from(events).pipe(toJson(anything)))[0];
const errorOf = (...events: readonly ResponseEvent[]): unknown =>
  failureOf(from(events).pipe(toJson(anything)));

describe('toJson', () => {
  it('emits the validated value at completed, and completes with its source', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const events = { a: text('{"city":'), b: text('"Rome"}'), z: whole };
      const source = cold<ResponseEvent>('-a--b--z--|', events);
      expectObservable(source.pipe(toJson(City))).toBe('-------C--|', { C: { city: 'Rome' } });
      expectSubscriptions(source.subscriptions).toBe('^---------!');
    });
  });

  it('errors at completed where the value does not match, and unsubscribes', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a--z--|', { a: text('{"city":7}'), z: whole });
      const answer = { text: '', refusal: '', finishReason: 'stop' };
      const error = new OutputError('invalid_output', answer);
      expectObservable(source.pipe(toJson(City))).toBe('----#', undefined, error);
      expectSubscriptions(source.subscriptions).toBe('^---!');
    });
  });

  it('unsubscribes from its source and from an asynchronous schema', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a--z--|', { a: text('{}'), z: whole });
      expectObservable(source.pipe(toJson(anything)), '--!').toBe('---');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
    expect(received(concat(of(text('{"city":"Rome"}'), whole), NEVER).pipe(toJson(City)))).toHaveLength(1);
  });

  it('passes the error of its source', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = new StreamError();
      const source = cold<ResponseEvent>('-a-#', { a: text('{}') }, error);
      expectObservable(source.pipe(toJson(anything))).toBe('---#', undefined, error);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('begins anew at restarting and after completed', () => {
    const restarting: ResponseEvent = { type: 'restarting', attempt: 1, delay: 0, error: new StreamError() };
    const events = [text('{"a":1'), restarting, text('{"a":2}'), whole, text('{"a":3}'), whole];
    expect(received(from(events).pipe(toJson(anything)))).toEqual([{ a: 2 }, { a: 3 }]);
  });

  it('takes what aggregate() makes of the turn', () => {
    expect(received(of(text('{"a"'), text(':1}'), whole).pipe(aggregate(), toJson(anything)))).toEqual([
      { a: 1 },
    ]);
  });

  it('reads choice 0 alone', () => {
    expect(outputOf(text('{"a"'), textEvent('{"b":2}', { choice: 1 }), text(':1}'), whole)).toEqual({ a: 1 });
  });

  it.each<[string, string, unknown]>([
    ['white space', ' \n{"a":1}\n', { a: 1 }],
    ['a code fence', '```json\n{"a":1}\n```', { a: 1 }],
    ['prose before and after', 'Sure {friend}! Here: {"a":[1]} I hope [that] helps [ ].', { a: [1] }],
    ['prose around an array', 'The list: [1, 2].', [1, 2]],
    ['fences in its strings', '{"a":"```json\\n{}\\n```"}', { a: '```json\n{}\n```' }],
    ['a scalar as the whole text', ' "[1] {\\"a\\":2}" ', '[1] {"a":2}'],
    ['a number as the whole text', '42', 42],
    ['a key that occurs twice', '{"a":1,"a":2}', { a: 2 }],
    ['numbers beyond all bounds', `[1e400,${'9'.repeat(1_000)},-1e-400]`, [Infinity, Infinity, -0]],
    ['half a character', '["\ud800","\\ud800"]', ['\ud800', '\ud800']],
    ['the key __proto__', '{"__proto__":{"x":1}}', JSON.parse('{"__proto__":{"x":1}}')],
    ['brackets in prose after it', '{"a":1} [unlike {"b":oops}]', { a: 1 }],
  ])('takes a value with %s', (_, answer, value) => {
    expect(outputOf(text(answer), whole)).toStrictEqual(value);
  });

  it.each<[string, string, readonly ResponseEvent[]]>([
    ['refused', 'a refusal', [refusalEvent('I will '), refusalEvent('not.'), whole]],
    ['refused', 'a refusal after half an answer', [text('{"a"'), refusalEvent('No.'), whole]],
    ['content_filter', 'a filter', [text('{"a":1}'), completed({ finishReason: 'content_filter' })]],
    ['content_filter', "Gemini's filter", [completed({ finishReason: 'SAFETY' })]],
    ['incomplete', 'the token limit', [text('{"a":"x'), completed({ finishReason: 'length' })]],
    [
      'incomplete',
      'the token limit after whole JSON',
      [text('{"a":1}'), completed({ finishReason: 'length' })],
    ],
    ['incomplete', 'a reason that is not known', [text('{"a":1}'), completed({ finishReason: 'abort' })]],
    ['incomplete', 'the end of the stream', [text('{"a":1}'), completed({ endedBy: 'eof' })]],
    ['stopped', 'a stop', [text('{"a":1}'), completed({ stopped: true })]],
    ['tool_calls', 'calls that nothing answers', calling],
    ['invalid_json', 'no text', [whole]],
    ['invalid_json', 'no JSON', [text('I do not know.'), whole]],
    ['invalid_json', 'JSON with an error', [text('{"a":1,}'), whole]],
    ['invalid_json', 'JSON left open', [text('{"a":[1'), whole]],
    ['invalid_json', 'a string left open', [text('{"a":"1}'), whole]],
    ['several_values', 'two objects', [text('{"a":1}\n{"a":1}'), whole]],
    ['several_values', 'two fences', [text('```json\n{}\n```\nor\n```json\n[1]\n```'), whole]],
    ['too_large', 'a thousand levels', [text('['.repeat(1_001) + ']'.repeat(1_001)), whole]],
    ['too_large', '1 MB of opening brackets', [text('['.repeat(1_000_000)), whole]],
    ['too_large', 'a million values', [text(`[${'1,'.repeat(1_000_000)}1]`), whole]],
  ])('errors with %s after %s', (code, _, events) => {
    const error = errorOf(...events);
    expect(error).toBeInstanceOf(OutputError);
    expect(error).toMatchObject({ code, issues: [] });
  });

  it('takes a whole answer of a server that tells no reason but [DONE]', () => {
    expect(outputOf(text('[1]'), completed())).toEqual([1]);
  });

  it('tells what came and why the model stopped, and keeps it out of what is logged', () => {
    const events = [text('{"city":"se'), text('cret"}'), completed({ finishReason: 'length' })];
    expect(errorOf(...events)).toMatchObject({
      finishReason: 'length',
      text: '{"city":"secret"}',
      refusal: '',
    });
    const refused = errorOf(refusalEvent('secret'), whole);
    expect(refused).toMatchObject({ refusal: 'secret' });
    const invalid = failureOf(
      of(text('{"city":{"secret":1}}'), whole).pipe(toJson(z.never({ error: 'secret' }))),
    );
    expect(invalid).toMatchObject({ issues: [{ message: 'secret' }] });
    for (const error of [errorOf(...events), refused, invalid] as Error[]) {
      expect(`${error.stack} ${JSON.stringify(error)} ${Object.values(error).join()}`).not.toContain(
        'secret',
      );
      expect(error.cause).toBeUndefined();
    }
  });

  it('passes over turns that call tools, until one answers', () => {
    const events = [text('[1] Let me look.'), ...calling, text('{"a":1}'), whole];
    expect(received(from(events).pipe(toJson(anything)))).toEqual([{ a: 1 }]);
    expect(errorOf(text('{"a":1}'), whole, ...calling)).toMatchObject({ code: 'tool_calls' });
  });

  it('reads a run: what happens between its turns is not its answer', () => {
    const run: readonly RunEvent[] = [
      ...calling,
      { type: 'tool_progress', callId: 'c', value: '{"a":0}' },
      { type: 'tool_finished', callId: 'c', output: '{"a":0}', duration: 0 },
      text('{"a":1}'),
      whole,
      { type: 'run_completed', reason: 'answered', items: [], usage: null, turns: 2 },
    ];
    expect(received(from(run).pipe(toJson(anything)))).toEqual([{ a: 1 }]);
    expect(received(from(run).pipe(partialJson()))).toEqual([{ a: 1 }]);
  });

  it('has no work that grows faster than the text', () => {
    const hostile = [
      '{"a":'.repeat(900),
      '[{"'.repeat(300_000),
      '[1] {"'.repeat(150_000),
      '\\"['.repeat(300_000),
    ];
    for (const answer of hostile) expect(errorOf(text(answer), whole)).toBeInstanceOf(OutputError);
  });
});

describe('toJson, by the schemas of others', () => {
  const rome = of(text('{"name":"Rome","size":"3"}'), whole);
  const wrong = of(text('{"name":7}'), whole);

  it('takes zod, with its transforms and defaults', () => {
    const schema = z.object({
      name: z.string(),
      size: z.coerce.number(),
      river: z.string().default('Tiber'),
    });
    const output = rome.pipe(
      toJson(schema),
      map(({ name, size, river }): [string, number, string] => [name, size, river]),
    );
    expect(received(output)).toEqual([['Rome', 3, 'Tiber']]);
    expect(failureOf(wrong.pipe(toJson(schema)))).toMatchObject({
      code: 'invalid_output',
      issues: [{ path: ['name'] }, { path: ['size'] }],
    });
  });

  it('takes arktype', () => {
    const schema = type({ name: 'string', size: 'string.numeric.parse' });
    expect(received(rome.pipe(toJson(schema)))).toEqual([{ name: 'Rome', size: 3 }]);
    const { code, issues } = failureOf(wrong.pipe(toJson(schema))) as OutputError;
    expect([code, issues.map(({ path }) => path?.[0])]).toEqual(['invalid_output', ['name', 'size']]);
  });

  it('takes valibot, alone or as { validate, jsonSchema }', () => {
    const schema = v.object({ name: v.string(), size: v.pipe(v.string(), v.transform(Number)) });
    const pair = { validate: schema, jsonSchema: {} };
    const output = rome.pipe(
      toJson(pair),
      map(({ name, size }): [string, number] => [name, size]),
    );
    expect(received(output)).toEqual([['Rome', 3]]);
    expect(received(rome.pipe(toJson(schema)))).toEqual([{ name: 'Rome', size: 3 }]);
    expect(failureOf(wrong.pipe(toJson(pair)))).toMatchObject({ code: 'invalid_output', issues: [{}, {}] });
  });

  it('takes a function, whose error is the issue', () => {
    const validate = (value: unknown): number => {
      if (typeof value !== 'number') throw new Error('A number, please.');
      return value;
    };
    const schema = { validate, jsonSchema: { type: 'number' } };
    expect(received(of(text('7'), whole).pipe(toJson(schema)))).toEqual([7]);
    expect(failureOf(rome.pipe(toJson(schema)))).toMatchObject({
      issues: [{ message: 'A number, please.' }],
    });
  });

  it('waits for one that is asynchronous', async () => {
    const schema = z.object({ name: z.string().refine(async (name) => name === 'Rome') });
    const outputs: unknown[] = [];
    await rome.pipe(toJson(schema)).forEach((value) => outputs.push(value));
    expect(outputs).toEqual([{ name: 'Rome' }]);
  });

  it('passes what one throws', () => {
    const error = new RangeError('out of order');
    const validate = (): never => {
      throw error;
    };
    const schema = { '~standard': { version: 1, vendor: 'test', validate } } as const;
    expect(failureOf(rome.pipe(toJson(schema)))).toBe(error);
    expect(failureOf(throwError(() => error).pipe(toJson(schema)))).toBe(error);
  });
});
