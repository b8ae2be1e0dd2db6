import { of } from 'rxjs';
import * as v from 'valibot';
import { z } from 'zod';
import { type Tool, tool, ToolProgress, toolProgress } from '../../src/run/tool.js';

const execute = () => 1;

/** Compiles only where both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const expectType =
  <T>() =>
  <A>(_value: A, same: Same<A, T>) =>
    expect(same).toBe(true);

describe('tool', () => {
  it('tells the model its name, what it is for and a JSON schema of its arguments', () => {
    const { definition } = tool({
      name: 'weather',
      description: 'The weather in a city, now',
      input: z.object({ city: z.string() }),
      strict: true,
      execute,
    });
    expect(definition).toEqual({
      type: 'function',
      name: 'weather',
      description: 'The weather in a city, now',
      parameters: expect.objectContaining({
        type: 'object',
        properties: { city: { type: 'string' } },
        required: ['city'],
      }) as unknown,
      strict: true,
    });
  });

  it('tells a JSON schema as it is, and that of a pair', () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } } } as const;
    for (const input of [schema, { validate: v.object({ city: v.string() }), jsonSchema: schema }])
      expect(tool({ name: 'a', input, execute }).definition).toEqual({
        type: 'function',
        name: 'a',
        parameters: schema,
      });
  });

  it('tells of no arguments by default, and of a custom tool no schema', () => {
    expect(tool({ name: 'now', execute }).definition).toEqual({
      type: 'function',
      name: 'now',
      parameters: { type: 'object', properties: {} },
    });
    expect(tool({ name: 'shell', input: 'text', execute }).definition).toEqual({
      type: 'custom',
      name: 'shell',
    });
  });

  it('needs no approval by default', () => {
    expect(tool({ name: 'a', execute })).toMatchObject({ approve: false, timeout: undefined });
  });

  it.each(['', 'a b', 'a.b', 'ä', 'x'.repeat(65)])('throws a TypeError for the name %p', (name) => {
    expect(() => tool({ name, execute })).toThrow(TypeError);
  });

  it.each(['a', 'A-b_9', '__proto__', 'x'.repeat(64)])('takes the name %p', (name) => {
    expect(tool({ name, execute }).definition).toMatchObject({ name });
  });

  it.each<[string, object, RegExp]>([
    ['no execute', { execute: undefined }, /tool\("a"\)\.execute must be a function/],
    [
      'an approve that decides nothing',
      { approve: 'always' },
      /tool\("a"\)\.approve must be a boolean or a function/,
    ],
    ['a timeout of 0', { timeout: 0 }, /timeout must be a number of at least 1/],
    [
      'a schema that writes none',
      { input: v.object({}) },
      /tool\("a"\)\.input: this schema cannot be converted/,
    ],
    ['an input that is none', { input: 'json' }, /tool\("a"\)\.input must be a Standard Schema/],
  ])('throws a TypeError for %s', (_, options, message) => {
    const calling = () => tool({ name: 'a', execute, ...options });
    expect(calling).toThrow(TypeError);
    expect(calling).toThrow(message);
  });

  it('infers what execute and approve are given', () => {
    const tools: readonly Tool[] = [
      tool({
        name: 'zod',
        input: z.object({ city: z.string(), days: z.coerce.number().default(1) }),
        approve: (args) => {
          expectType<{ city: string; days: number }>()(args, true);
          return of(true);
        },
        execute: (args, context) => {
          expectType<{ city: string; days: number }>()(args, true);
          expectType<AbortSignal>()(context.signal, true);
        },
      }),
      tool({
        name: 'valibot',
        input: { validate: v.object({ city: v.string() }), jsonSchema: {} },
        execute: (args) => expectType<{ city: string }>()(args, true),
      }),
      tool({
        name: 'function',
        input: { validate: (value: unknown) => ({ city: String(value) }), jsonSchema: {} },
        execute: (args) => expectType<{ city: string }>()(args, true),
      }),
      tool({
        name: 'json',
        input: { type: 'object', properties: { city: { type: 'string' } } },
        execute: (args) => expectType<unknown>()(args, true),
      }),
      tool({ name: 'text', input: 'text', execute: (args) => expectType<string>()(args, true) }),
      tool({ name: 'none', execute: (args) => expectType<unknown>()(args, true) }),
    ];
    expect(tools).toHaveLength(6);
  });
});

describe('toolProgress', () => {
  it('marks a value, which nothing else is taken for', () => {
    expect(toolProgress(1)).toEqual(new ToolProgress(1));
    expect(toolProgress(1)).toBeInstanceOf(ToolProgress);
  });
});
