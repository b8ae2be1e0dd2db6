import type { ResponseFormat } from '../prompt/tools.js';
import { jsonSchemaOf, type Schema } from '../turn/schema.js';
import { strictSchemaOf } from './strict-schema.js';

/**
 * Returns the `responseFormat` that asks a model for JSON matching a schema.
 *
 * The schema is from zod or arktype, `{ validate, jsonSchema }` for libraries that do not produce JSON schemas
 * (valibot), or a JSON schema. It is sent with `strict: true`, which OpenAI enforces, if it meets OpenAI's
 * rules: an object at the root, every property required, and only the keywords that strict schemas allow.
 * Objects that do not specify `additionalProperties`, such as those of `z.object()`, then get
 * `additionalProperties: false`. Any other schema, such as one with optional properties, is sent unchanged,
 * without `strict`: make the properties nullable to have it enforced. To set it yourself, spread the format: `{
 * ...jsonFormat(schema), strict: true }`.
 *
 * @example
 * ```ts
 * const City = z.object({ name: z.string(), population: z.number() });
 * const turn = streamChatCompletions('The largest city of Italy?', { ...options, responseFormat: jsonFormat(City) });
 * ```
 *
 * @param name - the name of the format for the model: letters, digits, `_` and `-`. Default `'answer'`
 * @throws TypeError if the schema cannot be converted to a JSON schema
 * @see {@link toJson}, which reads the output
 */
export function jsonFormat(schema: Schema, name = 'answer'): ResponseFormat {
  const written = jsonSchemaOf(schema, 'jsonFormat(schema)');
  const strict = strictSchemaOf(written);
  return strict === undefined
    ? { type: 'json_schema', name, schema: written }
    : { type: 'json_schema', name, schema: strict, strict: true };
}
