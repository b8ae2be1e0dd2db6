import type { JsonSchema } from '../turn/schema.js';
import { isRecord, own } from '../turn/wire.js';

/**
 * Keywords that OpenAI's strict schemas may have, by how their value is read.
 *
 * @see https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
 */
const keywords: Readonly<Record<string, 'plain' | 'schema' | 'list' | 'map'>> = {
  type: 'plain',
  title: 'plain',
  description: 'plain',
  enum: 'plain',
  const: 'plain',
  pattern: 'plain',
  format: 'plain',
  multipleOf: 'plain',
  minimum: 'plain',
  maximum: 'plain',
  exclusiveMinimum: 'plain',
  exclusiveMaximum: 'plain',
  minItems: 'plain',
  maxItems: 'plain',
  required: 'plain',
  additionalProperties: 'plain',
  $ref: 'plain',
  items: 'schema',
  anyOf: 'list',
  properties: 'map',
  $defs: 'map',
  definitions: 'map',
};

/** String formats that strict schemas may have. */
const formats: readonly unknown[] = [
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uuid',
];

/** A schema in the form that OpenAI accepts as strict; `undefined` if that would change its meaning. */
export function strictSchemaOf(schema: JsonSchema): JsonSchema | undefined {
  if (schema['type'] !== 'object' || Object.hasOwn(schema, 'anyOf')) return undefined;
  try {
    return closed(schema);
  } catch (error) {
    if (error === notStrict) return undefined;
    throw error;
  }
}

/** Thrown if a schema cannot be strict. */
const notStrict = /* @__PURE__ */ Symbol('not strict');

function closed(schema: unknown): JsonSchema {
  if (!isRecord(schema)) throw notStrict;
  const entries = Object.entries(schema).map(([key, value]) => [key, closedKeyword(key, value)] as const);
  const isFormat = !Object.hasOwn(schema, 'format') || formats.includes(schema['format']);
  if (!isFormat) throw notStrict;
  return { ...Object.fromEntries(entries), ...(isObjectSchema(schema) && closing(schema)) };
}

function closedKeyword(key: string, value: unknown): unknown {
  switch (own(keywords, key)) {
    case 'plain':
      return value;
    case 'schema':
      return closed(value);
    case 'list':
      if (!Array.isArray(value)) throw notStrict;
      return value.map(closed);
    case 'map':
      if (!isRecord(value)) throw notStrict;
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, closed(inner)]));
    default:
      throw notStrict;
  }
}

function isObjectSchema({ type, properties }: Record<string, unknown>): boolean {
  return type === 'object' || properties !== undefined || (Array.isArray(type) && type.includes('object'));
}

function closing({ properties, required, additionalProperties = false }: Record<string, unknown>): object {
  const names = isRecord(properties) ? Object.keys(properties) : [];
  const isWhole = names.every((name) => Array.isArray(required) && required.includes(name));
  if (!isWhole || additionalProperties !== false) throw notStrict;
  return { ...(properties === undefined && { properties: {} }), required: names, additionalProperties };
}
