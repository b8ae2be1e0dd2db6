import { catchError, defer, from, map, type Observable, of } from 'rxjs';
import { propertyOf } from './errors.js';
import { isRecord, own, stringOf } from './wire.js';

/** A JSON schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A validation issue. */
export interface SchemaIssue {
  readonly message: string;
  /** The path in the value; absent or empty for the whole value. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The result of validating with a Standard Schema. */
export type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

/**
 * A schema from zod, valibot, arktype and others.
 *
 * @see https://standardschema.dev, for `StandardSchemaV1` and `StandardJSONSchemaV1`
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    /** Absent if the schema can only be converted to a JSON schema. */
    readonly validate?:
      ((value: unknown) => StandardResult<Output> | PromiseLike<StandardResult<Output>>) | undefined;
    readonly jsonSchema?:
      { readonly input: (options: { readonly target: 'draft-07' }) => Record<string, unknown> } | undefined;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** A schema in two parts, for libraries such as valibot that do not produce JSON schemas themselves. */
export interface SchemaPair<Output = unknown> {
  /**
   * A Standard Schema, or a function that returns the value or a promise of it, and throws if it does not
   * match.
   */
  readonly validate:
    StandardSchema<unknown, Output> | StandardSchema<never, Output> | ((value: unknown) => Output);
  readonly jsonSchema: JsonSchema;
}

/**
 * A Standard Schema that can be converted to a JSON schema, both as two parts, or a JSON schema alone, which is
 * not validated.
 */
export type Schema = StandardSchema<never, unknown> | StandardSchema | SchemaPair | JsonSchema;

/** The type of the values that match a schema; `unknown` for a JSON schema alone. */
export type SchemaOutput<S> = S extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly output: infer Output }
    ? Output
    : unknown
  : S extends { readonly validate: (value: unknown) => infer Output; readonly jsonSchema: JsonSchema }
    ? Awaited<Output>
    : S extends { readonly validate: infer V; readonly jsonSchema: JsonSchema }
      ? SchemaOutput<V>
      : unknown;

/** The result of validating a value. */
export type Validation<Output> = { readonly value: Output } | { readonly issues: readonly SchemaIssue[] };

const isObject = (value: unknown): value is Record<string, unknown> =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

/** Not own properties: schemas are often class instances. */
const isStandard = (schema: unknown): schema is StandardSchema =>
  isObject(schema) && '~standard' in schema && isObject(schema['~standard']);

const isPair = (schema: unknown): schema is SchemaPair =>
  isRecord(schema) && isRecord(own(schema, 'jsonSchema')) && isObject(own(schema, 'validate'));

/**
 * The JSON schema to send to a model.
 *
 * @param where - what the schema is for, for the error: `tool("weather").input`
 * @throws TypeError if there is none
 */
export function jsonSchemaOf(schema: Schema, where: string): JsonSchema {
  if (isPair(schema)) return schema.jsonSchema;
  if (isStandard(schema)) {
    const write = schema['~standard'].jsonSchema?.input;
    if (typeof write !== 'function')
      throw new TypeError(
        `${where}: this schema cannot be converted to a JSON schema. Use { validate: schema, jsonSchema }.`,
      );
    // Without `$schema`, which some providers reject as an unknown field.
    const { $schema: _draft, ...written } = write({ target: 'draft-07' });
    return written;
  }
  if (isRecord(schema)) return schema;
  throw new TypeError(`${where} must be a Standard Schema, a JSON schema, or { validate, jsonSchema }.`);
}

/** Validates a value. A JSON schema alone accepts every value. An error that the schema throws is emitted. */
export function validate<S extends Schema>(
  schema: S,
  value: unknown,
): Observable<Validation<SchemaOutput<S>>> {
  const check: unknown = isPair(schema) ? schema.validate : schema;
  return defer(() => {
    if (isStandard(check)) {
      const standard = check['~standard'];
      if (standard.validate === undefined) return of({ value });
      const given = standard.validate(value);
      return 'then' in given ? from(given) : of(given);
    }
    return typeof check === 'function'
      ? byFunction(check as (value: unknown) => unknown, value)
      : of({ value });
  }).pipe(map(validationOf<SchemaOutput<S>>));
}

const byFunction = (
  check: (value: unknown) => unknown,
  value: unknown,
): Observable<StandardResult<unknown>> =>
  defer(() => {
    const checked = check(value);
    return isThenable(checked) ? from(checked) : of(checked);
  }).pipe(
    map((output): StandardResult<unknown> => ({ value: output })),
    catchError((error: unknown) =>
      of({ issues: [{ message: error instanceof Error ? error.message : noMatch }] }),
    ),
  );

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  isObject(value) && typeof propertyOf(value, 'then') === 'function';

const noMatch = 'The value does not match.';

const validationOf = <Output>(result: StandardResult<unknown>): Validation<Output> =>
  result.issues === undefined
    ? { value: result.value as Output }
    : { issues: Array.isArray(result.issues) ? result.issues : [] };

/**
 * Issues as text for a model, one per line: `/city: Required`. At most 20, of 500 characters each, since some
 * quote the value. They come from a foreign library, so nothing is trusted.
 */
export const describeIssues = (issues: readonly SchemaIssue[]): string =>
  issues
    .slice(0, 20)
    .map((issue) => {
      const path = propertyOf(issue, 'path');
      const message = stringOf(propertyOf(issue, 'message')) || noMatch;
      const line = Array.isArray(path) && path.length > 0 ? `${pointerOf(path)}: ${message}` : message;
      return line.slice(0, 500);
    })
    .join('\n');

const pointerOf = (path: readonly unknown[]): string => path.map((step) => `/${keyOf(step)}`).join('');

function keyOf(step: unknown): string {
  const key = typeof step === 'object' ? propertyOf(step, 'key') : step;
  return typeof key === 'string' || typeof key === 'number' || typeof key === 'symbol' ? String(key) : '';
}
