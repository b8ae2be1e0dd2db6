import { EMPTY, NEVER, type Observable, of, throwError, VirtualTimeScheduler } from 'rxjs';
import * as v from 'valibot';
import { z } from 'zod';
import type { Approve, CallOptions } from '../../src/run/call-options.js';
import { type ReadyCall, readyCall } from '../../src/run/ready-call.js';
import { tool, type ToolOptions } from '../../src/run/tool.js';
import type { FunctionCallItem, ToolCallItem } from '../../src/turn/events.js';
import type { ToolEvent } from '../../src/turn/run-events.js';
import { ToolError } from '../../src/turn/tool-error.js';
import { testScheduler } from '../support/marbles.js';
import { call, callOptions, failed, outcomeOf, requested } from '../support/runs.js';

const execute = () => 'never';
const scheduler = new VirtualTimeScheduler();

/** What becomes of a call of a tool `a`. */
const readying = (
  given: Partial<ToolOptions<never>>,
  item: ToolCallItem = call('a'),
  options: Partial<CallOptions> = {},
): Observable<ToolEvent | ReadyCall> =>
  readyCall(item, callOptions([tool({ name: 'a', execute, ...given } as never)], { scheduler, ...options }));

/** What the tool would be given. */
const argsOf = (given: object, item?: ToolCallItem): unknown => {
  const [step] = outcomeOf(readying(given, item)).events;
  return step !== undefined && 'args' in step ? step.args : step;
};

const told = (item: ToolCallItem, text: string): ToolEvent =>
  failed(item, 'invalid_arguments', `Invalid arguments.\n${text}`);

const settled = <T>(source: Observable<T>): Promise<readonly T[]> =>
  new Promise((resolve, reject) => {
    const values: T[] = [];
    source.subscribe({
      next: (value) => values.push(value),
      error: reject,
      complete: () => resolve(values),
    });
  });

describe('readyCall', () => {
  describe('the arguments', () => {
    it('are JSON, and nothing, white space and null are none', () => {
      expect(argsOf({}, call('a', '{"city":"Rome"}'))).toEqual({ city: 'Rome' });
      for (const written of ['', ' ', '\n', 'null', ' null\n'])
        expect(argsOf({}, call('a', written))).toEqual({});
    });

    it.each(['{"city":', 'Rome', '{} {}', "{'city':1}"])('that are no JSON are told of: %s', (written) => {
      const item = call('a', written);
      expect(argsOf({}, item)).toEqual(told(item, 'The arguments are not JSON.'));
    });

    it('of a huge number of values are told of, and end nothing', () => {
      const item = call('a', `[${'0,'.repeat(1_000_001)}0]`);
      const { events, end } = outcomeOf(readying({}, item));
      expect(events).toEqual([failed(item, 'invalid_arguments', 'Invalid arguments.')]);
      expect(events).toHaveProperty('0.error.cause.name', 'StreamError');
      expect(end).toBe('complete');
    });

    it('of a call that has none in the conversation that JavaScript callers hold are told of', () => {
      const item = { type: 'function_call', call_id: 'a', name: 'a' } as FunctionCallItem;
      expect(argsOf({}, item)).toEqual(failed(item, 'invalid_arguments', 'Invalid arguments.'));
    });

    const city = z.object({ city: z.string(), days: z.coerce.number().default(1) });
    const schemas: Record<string, object> = {
      'zod 4': city,
      valibot: {
        validate: v.object({
          city: v.string(),
          days: v.optional(v.pipe(v.string(), v.transform(Number)), '1'),
        }),
        jsonSchema: {},
      },
      'a function': { validate: (value: unknown) => city.parse(value), jsonSchema: {} },
    };
    it.each(Object.entries(schemas))('are what %s makes of them', (_, input) => {
      expect(argsOf({ input }, call('a', '{"city":"Rome","days":"3"}'))).toEqual({ city: 'Rome', days: 3 });
      expect(argsOf({ input }, call('a', '{"city":"Rome"}'))).toEqual({ city: 'Rome', days: 1 });
    });

    it.each(Object.entries(schemas))('that do not match by %s are told of, and where', (_, input) => {
      const item = call('a', '{"city":5}');
      const step = argsOf({ input }, item);
      expect(step).toMatchObject({ type: 'tool_finished', error: { code: 'invalid_arguments' } });
      expect(step).toHaveProperty('output', expect.stringMatching(/^Invalid arguments\.\n.*city/s));
    });

    it('of a JSON schema alone are not checked', () => {
      const input = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
      expect(argsOf({ input }, call('a', '{"town":1}'))).toEqual({ town: 1 });
    });

    it('may be checked asynchronously', async () => {
      const input = z.object({ city: z.string().refine(async (name) => name === 'Rome', 'Unknown city') });
      const [ready] = await settled(readying({ input } as never, call('a', '{"city":"Rome"}')));
      expect(ready).toMatchObject({ args: { city: 'Rome' } });
      const item = call('a', '{"city":"Atlantis"}');
      const [refused] = await settled(readying({ input } as never, item));
      expect(refused).toEqual(told(item, '/city: Unknown city'));
      expect(refused).toMatchObject({ error: { issues: [{ message: 'Unknown city', path: ['city'] }] } });
    });

    it.each<[string, () => unknown]>([
      [
        'throws',
        () => {
          throw new RangeError('theirs');
        },
      ],
      ['rejects', () => Promise.reject(new RangeError('theirs'))],
    ])('by a schema that %s are told of', async (_, validate) => {
      const input = {
        validate: { '~standard': { version: 1, vendor: 'test', validate } },
        jsonSchema: {},
      };
      expect(await settled(readying({ input } as never))).toEqual([
        failed(call('a'), 'invalid_arguments', 'Invalid arguments.'),
      ]);
    });

    it('of a custom tool are its input as it is, whichever way it is called', () => {
      const custom: ToolCallItem = { type: 'custom_tool_call', call_id: 'a', name: 'a', input: ' null' };
      expect(argsOf({ input: 'text' }, custom)).toBe(' null');
      expect(argsOf({ input: 'text' }, call('a', 'echo'))).toBe('echo');
      expect(argsOf({}, { ...custom, input: '{"x":1}' })).toEqual({ x: 1 });
    });

    it("that do not match end the run with toolError: 'fail'", () => {
      const { events, end } = outcomeOf(readying({}, call('a', '{'), { toolError: 'fail' }));
      expect(events).toEqual([]);
      expect(end).toMatchObject({ name: 'ToolError', code: 'invalid_arguments', callId: 'a', toolName: 'a' });
    });
  });

  describe('the approval', () => {
    const item = call('a', '{"sum":5}');
    const ready = { call: item, args: { sum: 5 } };
    const input = z.object({ sum: z.number() });
    const asking = (approve: Approve | undefined, options: Partial<CallOptions> = {}) =>
      readying({ approve: true, input } as never, item, { approve, ...options });

    it('is asked for after the arguments were checked, and only where the tool needs it', () => {
      const asks: unknown[] = [];
      const approve = (asked: ToolCallItem) => {
        asks.push(asked);
        return true;
      };
      outcomeOf(readying({ approve: true, input } as never, call('a', '{}'), { approve }));
      outcomeOf(readying({ input } as never, item, { approve }));
      expect(asks).toEqual([]);
      outcomeOf(asking(approve));
      expect(asks).toEqual([item]);
    });

    it.each<[string, () => ReturnType<Approve>]>([
      ['a boolean', () => true],
      ['an Observable', () => of(true, false)],
      ['an Observable of a decision', () => of({ approved: true })],
      ['a promise', () => Promise.resolve({ approved: true })],
      ['a decision', () => ({ approved: true, reason: 'fine' })],
      ['a list, as RxJS takes one', () => [true]],
      ['a list of a decision', () => [{ approved: true }]],
      [
        'an async generator',
        async function* () {
          yield true;
        },
      ],
    ])('is given as %s', async (_, approve) => {
      const [asked, step] = await settled(asking(approve));
      expect(asked).toEqual(requested(item));
      expect(step).toMatchObject(ready);
    });

    it.each<[unknown, string]>([
      [false, 'The user rejected this call.'],
      [{ approved: false }, 'The user rejected this call.'],
      [{ approved: false, reason: 'Too much.' }, 'The user rejected this call: Too much.'],
      [{ approved: false, reason: 5, arguments: { sum: 1 } }, 'The user rejected this call.'],
      [{ approved: 'yes' }, 'The user rejected this call.'],
      [{}, 'The user rejected this call.'],
      ['true', 'The user rejected this call.'],
      [1, 'The user rejected this call.'],
      [null, 'The user rejected this call.'],
      [undefined, 'The user rejected this call.'],
    ])('%j is none', (decision, text) => {
      for (const toolError of ['tell', 'fail'] as const)
        expect(outcomeOf(asking(() => of(decision) as never, { toolError }))).toEqual({
          events: [requested(item), failed(item, 'rejected', text)],
          end: 'complete',
        });
    });

    it('with other arguments is of those, checked as the first ones; the call stays as it is', () => {
      const decide = (changed: unknown) =>
        outcomeOf(asking(() => ({ approved: true, arguments: changed }))).events[1];
      expect(decide({ sum: 3 })).toMatchObject({ call: item, args: { sum: 3 }, changed: { sum: 3 } });
      expect(decide({ sum: 'three' })).toMatchObject({
        type: 'tool_finished',
        output: expect.stringMatching(/^Invalid arguments\.\n\/sum: /) as string,
        error: { code: 'invalid_arguments' },
      });
    });

    it('with another input for a custom tool is of a text alone', () => {
      const custom: ToolCallItem = { type: 'custom_tool_call', call_id: 'a', name: 'a', input: 'rm -r /' };
      const decide = (changed: unknown) =>
        outcomeOf(
          readying({ approve: true, input: 'text' } as never, custom, {
            approve: () => ({ approved: true, arguments: changed }),
          }),
        ).events[1];
      expect(decide('ls')).toMatchObject({ args: 'ls', changed: 'ls' });
      expect(decide({ input: 'ls' })).toEqual(told(custom, 'The input is not a string.'));
    });

    it('leaves the call pending where it completes without a value, and where nobody is asked', () => {
      const pending = { events: [requested(item)], end: 'complete' };
      expect(outcomeOf(asking(() => EMPTY))).toEqual(pending);
      expect(outcomeOf(asking(undefined))).toEqual(pending);
    });

    it('ends the run with its error, a ToolError too: nobody has decided', () => {
      for (const error of [new RangeError('theirs'), new ToolError('failed', item)]) {
        const failing = { events: [requested(item)], end: error };
        expect(outcomeOf(asking(() => throwError(() => error)))).toEqual(failing);
        const throwing = () => {
          throw error;
        };
        expect(outcomeOf(asking(throwing))).toEqual(failing);
      }
    });

    it('is unsubscribed once it has come, and with the run', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const decision = cold<boolean>('----y--n', { y: true, n: false });
        expectObservable(asking(() => decision)).toBe('q---(y|)', {
          q: requested(item),
          y: expect.objectContaining(ready) as ReadyCall,
        });
        expectSubscriptions(decision.subscriptions).toBe('^---!');
        const never = cold<boolean>('-');
        expectObservable(
          asking(() => never),
          '^--!',
        ).toBe('q', { q: requested(item) });
        expectSubscriptions(never.subscriptions).toBe('^--!');
      });
    });

    describe('that a tool asks for by its arguments', () => {
      const needing = (approve: (args: { sum: number }) => unknown, sum = 5) =>
        outcomeOf(
          readying({ approve, input } as never, call('a', JSON.stringify({ sum })), { approve: () => NEVER }),
        ).events.map((step) => ('type' in step ? step.type : 'ready'));

      it('is asked for where it says so', () => {
        const much = ({ sum }: { sum: number }) => sum > 10;
        expect(needing(much)).toEqual(['ready']);
        expect(needing(much, 11)).toEqual(['approval_requested']);
        expect(needing(() => of(true, false))).toEqual(['approval_requested']);
        expect(needing(() => of(false, true))).toEqual(['ready']);
        expect(needing(() => [false])).toEqual(['ready']);
      });

      it('is asked for where it does not say', () => {
        for (const unsaid of [EMPTY, [], undefined, null, 0, '', () => false])
          expect(needing(() => unsaid)).toEqual(['approval_requested']);
      });

      it('is told to have failed where it fails: the tool is not executed', () => {
        const failing = (): never => {
          throw new RangeError('no limit');
        };
        expect(outcomeOf(readying({ approve: failing, input } as never, item)).events).toEqual([
          failed(item, 'failed', 'The tool failed: no limit'),
        ]);
      });
    });
  });
});
