import * as v from 'valibot';
import { z } from 'zod';
import { jsonFormat } from '../../src/json/index.js';
import { chatRequest } from '../../src/prompt/chat-request.js';
import { type } from '../support/arktype.js';

const closed = (properties: object) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

describe('jsonFormat', () => {
  it('closes the objects of zod and is strict, so that OpenAI enforces it', () => {
    const City = z.object({
      name: z.string().describe('In English'),
      population: z.number().nullable(),
      rivers: z.array(z.object({ kind: z.enum(['big', 'small']) })),
    });
    const properties = {
      name: { type: 'string', description: 'In English' },
      population: { type: ['number', 'null'] },
      rivers: { type: 'array', items: closed({ kind: { type: 'string', enum: ['big', 'small'] } }) },
    };
    expect(jsonFormat(City)).toEqual({
      type: 'json_schema',
      name: 'answer',
      schema: closed(properties),
      strict: true,
    });
  });

  it('closes those of arktype', () => {
    const City = type({ name: 'string', rivers: type({ kind: "'big'|'small'" }).array() });
    expect(jsonFormat(City, 'city')).toMatchObject({
      name: 'city',
      schema: {
        additionalProperties: false,
        properties: { rivers: { items: { additionalProperties: false } } },
      },
      strict: true,
    });
  });

  it('takes valibot as { validate, jsonSchema }, and refuses it alone', () => {
    const validate = v.object({ name: v.string() });
    const jsonSchema = closed({ name: { type: 'string' } });
    expect(jsonFormat({ validate, jsonSchema })).toMatchObject({ schema: jsonSchema, strict: true });
    expect(() => jsonFormat(validate)).toThrow(
      new TypeError(
        'jsonFormat(schema): this schema cannot be converted to a JSON schema. Use { validate: schema, jsonSchema }.',
      ),
    );
  });

  it.each<[string, object]>([
    ['an optional property', { ...closed({ a: {}, b: {} }), required: ['a'] }],
    ['none required', { type: 'object', properties: { a: {} } }],
    ['further properties', { ...closed({ a: {} }), additionalProperties: true }],
    ['a record', { type: 'object', additionalProperties: { type: 'number' } }],
    [
      'an optional property deep inside',
      closed({ a: { type: 'array', items: { type: 'object', properties: { b: {} } } } }),
    ],
    ['a keyword that OpenAI refuses', closed({ a: { type: 'string', minLength: 1 } })],
    ['an inherited name as keyword', closed({ a: { constructor: 1 } })],
    ['a format that OpenAI refuses', closed({ a: { type: 'string', format: 'uri' } })],
    ['an intersection', closed({ a: { allOf: [closed({ b: {} })] } })],
    ['an array as root', { type: 'array', items: {} }],
    ['a choice as root', { anyOf: [closed({ a: {} })] }],
    ['any JSON', {}],
    ['a boolean as schema', closed({ a: true })],
  ])('sends a schema with %s as it is, without strict', (_, schema) => {
    expect(jsonFormat(schema as Record<string, unknown>)).toEqual({
      type: 'json_schema',
      name: 'answer',
      schema,
    });
  });

  it('is strict with references, choices and what is nullable', () => {
    const schema = {
      ...closed({ next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } }),
      $defs: { node: { type: ['object', 'null'], properties: { a: {} }, required: ['a'] } },
    };
    expect(jsonFormat(schema)).toMatchObject({
      strict: true,
      schema: { $defs: { node: { additionalProperties: false } } },
    });
    expect(jsonFormat({ type: 'object' })).toMatchObject({ schema: closed({}), strict: true });
  });

  it('changes nothing in the schema that it is given, and takes time in proportion to its depth', () => {
    let schema: Record<string, unknown> = Object.freeze({ type: 'object', properties: Object.freeze({}) });
    for (let depth = 0; depth < 200; depth += 1)
      schema = Object.freeze({ type: 'object', properties: Object.freeze({ a: schema }), required: ['a'] });
    expect(jsonFormat(schema)).toMatchObject({ strict: true });
  });

  it('is what the responseFormat of a turn sends as json_schema', () => {
    const responseFormat = jsonFormat(closed({ a: { type: 'string' } }));
    const body = chatRequest({ input: [] }, { model: 'm', responseFormat }) as unknown as Record<
      string,
      unknown
    >;
    expect(body['response_format']).toEqual({
      type: 'json_schema',
      json_schema: { name: 'answer', schema: closed({ a: { type: 'string' } }), strict: true },
    });
  });
});
