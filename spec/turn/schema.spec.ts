import { firstValueFrom, map, merge, type Observable } from 'rxjs';
import * as v from 'valibot';
import { z } from 'zod';
import { describeIssues, jsonSchemaOf, type Schema, validate } from '../../src/turn/schema.js';
import { type } from '../support/arktype.js';
import { failureOf, received } from '../support/marbles.js';

const standard = (parts: object): Schema => ({ '~standard': { version: 1, vendor: 'test', ...parts } });

describe('jsonSchemaOf', () => {
  const written = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };

  it.each<[string, Schema]>([
    ['zod', z.object({ a: z.string() })],
    ['arktype', type({ a: 'string' })],
    ['a pair', { validate: v.object({ a: v.string() }), jsonSchema: written }],
    ['a JSON schema', written],
  ])('gives the JSON schema of %s, without its draft', (_, schema) => {
    expect(jsonSchemaOf(schema, 'x')).toEqual(written);
  });

  it('asks for what the model writes, and in draft 7', () => {
    const input = jest.fn(() => ({}));
    jsonSchemaOf(standard({ jsonSchema: { input } }), 'x');
    expect(input).toHaveBeenCalledWith({ target: 'draft-07' });
    const defaulted = z.object({ a: z.string().default('b') });
    expect(jsonSchemaOf(defaulted, 'x')['required']).toBeUndefined();
  });

  it('says what a schema needs that cannot be written', () => {
    expect(() => jsonSchemaOf(v.string(), 'tool("a").input')).toThrow(
      'tool("a").input: this schema cannot be converted to a JSON schema. Use { validate: schema, jsonSchema }.',
    );
    expect(() => jsonSchemaOf('string' as never, 'x')).toThrow(
      new TypeError('x must be a Standard Schema, a JSON schema, or { validate, jsonSchema }.'),
    );
  });

  it('takes properties named as its own for a JSON schema, unless they are a pair', () => {
    const schema = { type: 'object', properties: { validate: {} }, jsonSchema: 'no' };
    expect(jsonSchemaOf(schema, 'x')).toBe(schema);
  });
});

describe('validate', () => {
  it.each<[string, Schema, unknown]>([
    ['zod', z.string().transform(Number), 7],
    ['arktype', type('string.numeric.parse'), 7],
    ['valibot', v.pipe(v.string(), v.transform(Number)), 7],
    ['a pair with a schema', { validate: z.string().transform(Number), jsonSchema: {} }, 7],
    ['a pair with a function', { validate: Number, jsonSchema: {} }, 7],
    ['a JSON schema', { type: 'number' }, '7'],
    ['a schema that can only be written', standard({}), '7'],
  ])('gives what %s makes of the value, at once', (_, schema, value) => {
    expect(received(validate(schema, '7'))).toEqual([{ value }]);
  });

  it('gives the issues, and where they are', () => {
    const [zod] = received(validate(z.object({ a: z.array(z.string()) }), { a: ['x', 7] }));
    expect(zod).toMatchObject({ issues: [{ path: ['a', 1] }] });
    const [valibot] = received(validate(v.object({ a: v.string() }), {}));
    expect(valibot).toMatchObject({ issues: [{ path: [{ key: 'a' }] }] });
    const throwing = (thrown: unknown) => ({
      validate: () => {
        throw thrown;
      },
      jsonSchema: {},
    });
    expect(received(validate(throwing(new Error('No.')), 7))).toEqual([{ issues: [{ message: 'No.' }] }]);
    expect(received(validate(throwing('No.'), 7))).toEqual([
      { issues: [{ message: 'The value does not match.' }] },
    ]);
  });

  it('checks once for each subscription, and waits for a promise', async () => {
    const check = jest.fn(async (value: unknown) => ({ value }));
    const checked = validate(standard({ validate: check }), 7);
    expect(check).not.toHaveBeenCalled();
    const values: unknown[] = [];
    await checked.forEach((value) => values.push(value));
    await checked.forEach((value) => values.push(value));
    expect(values).toEqual([{ value: 7 }, { value: 7 }]);
    expect(check).toHaveBeenCalledTimes(2);
  });

  it('waits for a function that is asynchronous', async () => {
    const text = (value: unknown) => {
      if (typeof value !== 'string') throw new Error('Not a text.');
      return value;
    };
    const checked = (value: unknown) =>
      firstValueFrom(validate({ validate: async (given) => text(given), jsonSchema: {} }, value));
    await expect(checked('x')).resolves.toEqual({ value: 'x' });
    await expect(checked(7)).resolves.toEqual({ issues: [{ message: 'Not a text.' }] });
  });

  it.each<unknown>([null, 'Bad', 5, {}])(
    'takes issues that are no list, as %j, for a value that does not match',
    (issues) => {
      expect(received(validate(standard({ validate: () => ({ issues }) }), 7))).toEqual([{ issues: [] }]);
    },
  );

  it('fails with what the schema throws', () => {
    const error = new RangeError('out of order');
    const check = () => {
      throw error;
    };
    expect(failureOf(validate(standard({ validate: check }), 7))).toBe(error);
  });

  it('knows the type of what matches', () => {
    const ofZod = validate(z.object({ a: z.string() }), { a: 'x' });
    const ofPair = validate({ validate: (value: unknown) => String(value), jsonSchema: {} }, 7);
    // @ts-expect-error a JSON schema alone says nothing of its values
    const numbers: Observable<Validation<number>> = validate({ type: 'number' }, 7);
    const lengths = merge(
      ofZod.pipe(map((checked) => ('value' in checked ? checked.value.a.length : 0))),
      ofPair.pipe(map((checked) => ('value' in checked ? checked.value.length : 0))),
    );
    expect(received(lengths)).toEqual([1, 1]);
    expect(received(numbers)).toEqual([{ value: 7 }]);
  });
});

describe('describeIssues', () => {
  it('writes a line for each, with where it is', () => {
    const issues = [
      { message: 'Bad' },
      { message: 'Required', path: ['a', 0, { key: 'b' }] },
      { message: 'Empty', path: [] },
    ];
    expect(describeIssues(issues)).toBe('Bad\n/a/0/b: Required\nEmpty');
  });

  it('writes what there is of issues that are not as the standard says', () => {
    const said = 'The value does not match.';
    const guarded = {
      get message(): never {
        throw new Error('private');
      },
    };
    const issues = [null, {}, { message: 5, path: ['a'] }, guarded, { message: 'Bad', path: null }];
    const odd = { message: 'Bad', path: [null, Symbol('s'), { key: Object.create(null) as never }] };
    expect(describeIssues(issues as never)).toBe(`${said}\n${said}\n/a: ${said}\n${said}\nBad`);
    expect(describeIssues([odd] as never)).toBe('//Symbol(s)/: Bad');
  });

  it('cuts a line that quotes a long value', () => {
    const [line] = describeIssues([{ message: 'x'.repeat(10_000), path: ['y'] }]).split('\n');
    expect(line).toBe(`/y: ${'x'.repeat(496)}`);
  });

  it('writes twenty at most', () => {
    expect(describeIssues(Array.from({ length: 30 }, () => ({ message: 'Bad' }))).split('\n')).toHaveLength(
      20,
    );
  });
});
