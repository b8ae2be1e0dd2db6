import type { ResponseFormat } from '../prompt/tools.js';
import { jsonSchemaOf, type Schema } from '../turn/schema.js';
import { strictSchemaOf } from './strict-schema.js';

/**
 * The `responseFormat` that asks a model for JSON of a schema.
 *
 * The schema is one of zod or arktype, `{ validate, jsonSchema }` for libraries that write no JSON schema (valibot), or a
 * JSON schema. It is sent with `strict: true`, which OpenAI enforces, where OpenAI takes it as strict: an object at its
 * root, every property required, and nothing but the keywords that strict schemas may have. Objects that do not say
 * whether they have further properties, as those of `z.object()`, are then closed (`additionalProperties: false`). Any other
 * schema, such as one with optional properties, is sent as it is, without `strict`: make them nullable if
 * it should be enforced. To set it yourself, spread the format: `{ ...jsonFormat(schema), strict: true }`.
 *
 * @example
 * ```ts
 * const City = z.object({ name: z.string(), population: z.number() });
 * const turn = streamChatCompletions('The largest city of Italy?', { ...options, responseFormat: jsonFormat(City) });
 * ```
 *
 * @param name - what the model is told that it is: letters, digits, `_` and `-`. Default `'answer'`
 * @throws TypeError if the schema cannot be written as JSON schema
 * @see {@link toJson}, which reads the answer
 */
export function jsonFormat(schema: Schema, name = 'answer'): ResponseFormat {
  const written = jsonSchemaOf(schema, 'jsonFormat(schema)');
  const strict = strictSchemaOf(written);
  return strict === undefined
    ? { type: 'json_schema', name, schema: written }
    : { type: 'json_schema', name, schema: strict, strict: true };
}
