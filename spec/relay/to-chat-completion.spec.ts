import fc from 'fast-check';
import { concat, EMPTY, from, map, type Observable, of, range, throwError } from 'rxjs';
import { IncompleteStreamError } from '../../src/operators/require-finish.js';
import { userMessage } from '../../src/prompt/prompt.js';
import { toChatCompletion, type ToChatCompletionOptions } from '../../src/relay/to-chat-completion.js';
import { toChatCompletionChunks } from '../../src/relay/to-chat-completion-chunks.js';
import {
  reasoningEvent,
  refusalEvent,
  restartingEvent,
  textEvent,
  toolCallEvents,
  turnOf,
} from '../../src/testing/index.js';
import { tokenUsage } from '../../src/testing/turn-events.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { completed, text } from '../support/events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';
import { runCompleted, toolEvents, wholeRun } from '../support/run-events.js';

const fixed = { id: 'chatcmpl-1', model: 'mine', created: 7 };

const whole = (message: object, finishReason: string | null = 'stop') => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 7,
  model: 'mine',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: null, refusal: null, ...message },
      logprobs: null,
      finish_reason: finishReason,
    },
  ],
});

const stop = completed({ finishReason: 'stop' });

/** The one completion of a turn. */
function completionOf(events: readonly ResponseEvent[], options: ToChatCompletionOptions = fixed) {
  const completions = received(from(events).pipe(toChatCompletion(options)));
  expect(completions).toHaveLength(1);
  return completions[0];
}

const call = (name: string, args: string) => ({
  id: `id-${name}`,
  type: 'function',
  function: { name, arguments: args },
});

describe('toChatCompletion', () => {
  it('gives the whole answer where the source completes', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-(c|)', { a: text('Hel'), b: text('lo'), c: stop });
      expectObservable(source.pipe(toChatCompletion(fixed))).toBe('-----(w|)', {
        w: whole({ content: 'Hello' }),
      });
      expectSubscriptions(source.subscriptions).toBe('^----!');
    });
  });

  it('waits for the source to end, not for completed, since what follows may be an error', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const events = { a: text('Hello'), c: stop };
      const source = cold<ResponseEvent>('-a-c--|', events);
      const broken = cold<ResponseEvent>('-a-c--#', events, 'broken');
      expectObservable(source.pipe(toChatCompletion(fixed))).toBe('------(w|)', {
        w: whole({ content: 'Hello' }),
      });
      expectObservable(broken.pipe(toChatCompletion(fixed))).toBe('------#', {}, 'broken');
      expectSubscriptions(source.subscriptions).toBe('^-----!');
      expectSubscriptions(broken.subscriptions).toBe('^-----!');
    });
  });

  it('errors as the source does, at once', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-#', { a: text('Hel') }, 'broken');
      expectObservable(source.pipe(toChatCompletion(fixed))).toBe('---#', {}, 'broken');
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('leaves out what restarting takes back', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-v-r-a-(c|)', {
        v: text('Void'),
        r: restartingEvent(),
        a: text('Hello'),
        c: stop,
      });
      expectObservable(source.pipe(toChatCompletion(fixed))).toBe('-------(w|)', {
        w: whole({ content: 'Hello' }),
      });
      expectSubscriptions(source.subscriptions).toBe('^------!');
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-(c|)', { a: text('Hel'), b: text('lo'), c: stop });
      expectObservable(source.pipe(toChatCompletion(fixed)), '^--!').toBe('----');
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('gives nothing where there is no completed, and the last of several turns', () => {
    expect(received(EMPTY.pipe(toChatCompletion()))).toEqual([]);
    expect(received(of(text('a')).pipe(toChatCompletion()))).toEqual([]);
    expect(completionOf([text('a'), stop, text('b'), stop])).toEqual(whole({ content: 'b' }));
  });

  it('writes refusals, reasoning and what the provider wants back', () => {
    const events = turnOf(
      reasoningEvent('H', { provider: 'p', extras: { reasoning_opaque: 'x' } }),
      reasoningEvent('m', { details: [{ type: 'reasoning.encrypted', data: 'y' }] }),
      refusalEvent('I '),
      refusalEvent('cannot.'),
    );
    expect(completionOf(events)).toEqual(
      whole({
        refusal: 'I cannot.',
        reasoning_content: 'Hm',
        reasoning_opaque: 'x',
        reasoning_details: [{ type: 'reasoning.encrypted', data: 'y' }],
      }),
    );
  });

  it('writes a field as a field, whatever its name', () => {
    const extras = JSON.parse('{"__proto__":{"polluted":true}}') as Record<string, unknown>;
    const message = completionOf(turnOf(reasoningEvent('Hm', { extras })))?.choices[0]?.message as object;
    expect(Object.getPrototypeOf(message)).toBe(Object.prototype);
    expect(message).not.toHaveProperty('polluted', true);
  });

  it('writes each call once, whole, of functions and custom tools, with what the provider wants back', () => {
    const events = [
      text('Let me look.'),
      ...turnOf(
        toolCallEvents([
          { name: 'weather', callId: 'id-weather', arguments: ['{"a"', ':1}'], extras: { signature: 's' } },
          { name: 'time', callId: 'id-time', arguments: '' },
          { name: 'run', callId: 'id-run', input: ['print', '(1)'] },
        ]),
      ),
    ];
    expect(completionOf(events)).toEqual(
      whole(
        {
          content: 'Let me look.',
          tool_calls: [
            { ...call('weather', '{"a":1}'), signature: 's' },
            call('time', ''),
            { id: 'id-run', type: 'custom', custom: { name: 'run', input: 'print(1)' } },
          ],
        },
        'tool_calls',
      ),
    );
  });

  it('writes many calls in linear time', () => {
    const count = 20_000;
    const calls = range(0, count).pipe(
      map((n): ResponseEvent => ({
        type: 'output_item_done',
        item: { type: 'function_call', call_id: `${n}`, name: 'f', arguments: '' },
      })),
    );
    const [completion] = received(concat(calls, of(stop)).pipe(toChatCompletion()));
    expect(completion?.choices[0]?.message.tool_calls).toHaveLength(count);
  });

  it('writes each choice, in order', () => {
    const events = [
      textEvent('c', { choice: 2 }),
      textEvent('b', { choice: 1 }),
      completed({
        finishReason: 'stop',
        choices: [
          { choice: 2, finishReason: 'length' },
          { choice: 1, finishReason: 'stop' },
        ],
      }),
    ];
    expect(
      completionOf(events)?.choices.map(({ index, message, finish_reason: reason }) => [
        index,
        message.content,
        reason,
      ]),
    ).toEqual([
      [0, null, 'stop'],
      [1, 'b', 'stop'],
      [2, 'c', 'length'],
    ]);
  });

  it('writes the usage, and none where the turn has none', () => {
    const usage = tokenUsage({ inputTokens: 5, outputTokens: 4 });
    expect(completionOf([completed({ finishReason: 'stop', usage })])).toEqual({
      ...whole({}),
      usage: {
        prompt_tokens: 5,
        completion_tokens: 4,
        total_tokens: 9,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
    });
    expect(completionOf([stop])).not.toHaveProperty('usage');
  });

  it("names the turn's model where no other is given, and gives each subscription its own id and time", () => {
    const source = of<ResponseEvent[]>(completed({ model: 'theirs', finishReason: 'stop' })).pipe(
      toChatCompletion(),
    );
    const [a] = received(source);
    const [b] = received(source);
    expect(a?.model).toBe('theirs');
    expect(a?.id).toMatch(/^chatcmpl-\w+$/);
    expect(b?.id).not.toBe(a?.id);
    expect(Math.abs((a?.created ?? 0) - Date.now() / 1_000)).toBeLessThan(60);
  });

  it('leaves out what no model says, raw chunks and retries', () => {
    const events: ResponseEvent[] = [
      { type: 'output_item_done', item: userMessage('asked') },
      { type: 'chunk', chunk: { choices: [{ delta: { content: 'raw' } }] } },
      text('Hi'),
      stop,
    ];
    expect(completionOf(events)).toEqual(whole({ content: 'Hi' }));
  });

  describe('of what was cut', () => {
    const open: ResponseEvent = {
      type: 'function_call_arguments_delta',
      callId: 'a',
      name: 'run',
      index: 0,
      delta: 'rm -rf /',
    };

    it.each<[string, readonly ResponseEvent[]]>([
      ['text', [text('Hel'), completed({ endedBy: 'eof' })]],
      ['a call at eof', [open, completed({ endedBy: 'eof', incompleteCalls: 1 })]],
      [
        'a call that its finish reason calls whole',
        [open, completed({ finishReason: 'tool_calls', incompleteCalls: 1 })],
      ],
      ['a call before [DONE]', [open, completed({ incompleteCalls: 1 })]],
      [
        "a further choice's call",
        [
          text('Hi'),
          { ...open, choice: 1 },
          completed({
            finishReason: 'stop',
            choices: [{ choice: 1, finishReason: 'stop' }],
            incompleteCalls: 1,
          }),
        ],
      ],
    ])('gives an IncompleteStreamError: %s', (_, events) => {
      const error = failureOf(from(events).pipe(toChatCompletion()));
      expect(error).toBeInstanceOf(IncompleteStreamError);
      expect(String(error)).not.toMatch(/Hel|rm/);
      // The chunks of the same turn have no [DONE].
      const messages = received(from(events).pipe(toChatCompletionChunks()));
      expect(messages.at(-1)).not.toEqual({ data: '[DONE]' });
    });

    it('gives what is whole, where the finish reason says that it was cut', () => {
      const end = completed({ finishReason: 'length', incompleteCalls: 1 });
      expect(completionOf([text('Hi'), open, end])).toEqual(whole({ content: 'Hi' }, 'length'));
    });

    it('gives what had come where the turn was stopped', () => {
      const end = completed({ stopped: true });
      expect(completionOf([text('Hi'), open, end])).toEqual(whole({ content: 'Hi' }, null));
    });
  });

  describe('of a run', () => {
    const ofRun = (...events: readonly RunEvent[]) =>
      received(from(events).pipe(toChatCompletion({ ...fixed, run: true })));
    const { started, finished } = toolEvents;

    it('gives the text of all turns as one answer, with one finish reason, one usage and no call', () => {
      const completions = ofRun(...wholeRun);
      expect(completions).toMatchObject([
        {
          ...whole({ content: 'Let me see. It is rainy.', reasoning_content: 'They want the weather.' }),
          usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
        },
      ]);
      expect(JSON.stringify(completions)).not.toMatch(/tool|weather"|Bern|shell/);
    });

    it('gives it where the run ends', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const end = completed({ finishReason: 'tool_calls' });
        const source = cold<RunEvent>('-a-(cx)-z-b-(dR|)', {
          ...{ a: text('Hel'), b: text('lo'), c: end, d: stop },
          ...{ x: started, z: finished, R: { ...runCompleted, usage: null } },
        });
        expectObservable(source.pipe(toChatCompletion({ ...fixed, run: true }))).toBe('------------(w|)', {
          w: whole({ content: 'Hello' }),
        });
        expectSubscriptions(source.subscriptions).toBe('^-----------!');
      });
    });

    it("writes the calls of the client's own tools", () => {
      const events = toolCallEvents({ name: 'mine', callId: 'id-mine', arguments: '{}' });
      const items = events.flatMap((event) => (event.type === 'output_item_done' ? [event.item] : []));
      const asked = completed({ finishReason: 'tool_calls' });
      expect(ofRun(...events, asked, { ...runCompleted, reason: 'pending', items, usage: null })).toEqual([
        whole({ tool_calls: [call('mine', '{}')] }, 'tool_calls'),
      ]);
    });

    it('takes back only the turn that restarts', () => {
      const asked = completed({ finishReason: 'tool_calls' });
      expect(
        ofRun(
          ...[text('Void'), restartingEvent(), text('Hel'), asked, started, finished],
          ...[text('never'), restartingEvent(), text('lo'), stop, { ...runCompleted, usage: null }],
        ),
      ).toEqual([whole({ content: 'Hello' })]);
    });

    it('errors as the run does', () => {
      const error = new Error('broken');
      const run = concat(
        of<RunEvent[]>(text('Hel'), stop, started),
        throwError(() => error),
      );
      expect(failureOf(run.pipe(toChatCompletion({ run: true })))).toBe(error);
    });

    it('without run: true, errors at what no turn has', () => {
      for (const event of [...Object.values(toolEvents), runCompleted]) {
        const run = of<RunEvent[]>(text('Hel'), stop, event, text('lo'), stop) as Observable<ResponseEvent>;
        expect(failureOf(run.pipe(toChatCompletion()))).toEqual(
          new TypeError('The events of a run need toChatCompletion({ run: true }).'),
        );
      }
    });
  });

  it('is what the chunks say, joined', () => {
    const piece = fc.oneof(
      fc.string({ minLength: 1 }).map((said) => textEvent(said)),
      fc.string({ minLength: 1 }).map((said) => refusalEvent(said)),
      fc.string({ minLength: 1 }).map((said) => reasoningEvent(said)),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.constantFrom('stop', 'length', null), (pieces, finishReason) => {
        const events = [...pieces, completed({ finishReason })];
        const deltas = received(from(events).pipe(toChatCompletionChunks(fixed)))
          .slice(0, -1)
          .map(({ data }) => JSON.parse(data) as { choices: [{ delta: Record<string, string> }] })
          .map(({ choices: [{ delta }] }) => delta);
        const joined = (field: string) => deltas.map((delta) => delta[field] ?? '').join('') || null;
        const message = completionOf(events)?.choices[0]?.message;
        expect([message?.content, message?.refusal, message?.reasoning_content ?? null]).toEqual(
          ['content', 'refusal', 'reasoning_content'].map(joined),
        );
      }),
    );
  });
});
