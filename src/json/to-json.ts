import {
  concat,
  concatMap,
  defer,
  EMPTY,
  filter,
  map,
  type Observable,
  type OperatorFunction,
  tap,
} from 'rxjs';
import { type EndedTurn, endedTurns } from '../operators/ended-turns.js';
import { isTurnEvent } from '../turn/is-turn-event.js';
import type { RunEvent } from '../turn/run-events.js';
import { type Schema, type SchemaOutput, validate } from '../turn/schema.js';
import type { Turn } from '../turn/turn.js';
import { valueIn } from './json-in-text.js';
import { OutputError } from './output-error.js';
import { hasCalls, turnFault } from './turn-fault.js';

/**
 * Emits the model's output as a parsed and validated value, at the end of the turn.
 *
 * The schema is from zod, valibot, arktype or any other Standard Schema library, also an asynchronous one, or
 * `{ validate, jsonSchema }`; a JSON schema alone is not validated. The value is the schema's result, with
 * defaults and transforms. The JSON may be the whole text, or an object or array inside prose or a code fence.
 *
 * ```
 * source   --{"city":--"Rome"}--(completed|)
 *          toJson(z.object({ city: z.string() }))
 * result   ---------------------({ city: 'Rome' }|)
 * ```
 *
 * Errors with an {@link OutputError} whose `code` says why there is no value: the model refused, or its output
 * was cut off by the token limit or a filter, is not JSON, has two values, or does not match the schema. If
 * there are two objects or arrays, neither is used, since the model may have corrected itself or given
 * examples. An error that the schema throws passes.
 *
 * Only choice 0 counts. A turn that calls tools is skipped unless it is the last, so it works on runs too.
 * `restarting` starts over.
 *
 * @example
 * ```ts
 * const City = z.object({ name: z.string(), population: z.number() });
 * streamChatCompletions('The largest city of Italy?', { ...options, responseFormat: jsonFormat(City) })
 *   .pipe(toJson(City))
 *   .subscribe(({ name, population }) => console.log(name, population));
 * ```
 *
 * @see {@link jsonFormat}, which asks the model for JSON, and {@link reask}, which asks again
 */
export function toJson<S extends Schema>(schema: S): OperatorFunction<RunEvent, SchemaOutput<S>> {
  return (source) =>
    defer(() => {
      let calling: Turn | undefined;

      const noteCalls = ({ turn }: EndedTurn): void => {
        calling = hasCalls(turn) ? turn : undefined;
      };
      const checkCalls = defer(() => {
        if (calling !== undefined) throw new OutputError('tool_calls', calling);
        return EMPTY;
      });
      const outputs = source.pipe(
        filter(isTurnEvent),
        endedTurns(),
        tap(noteCalls),
        filter(({ turn }) => !hasCalls(turn)),
        concatMap((ended) => outputOf(ended, schema)),
      );
      return concat(outputs, checkCalls);
    });
}

function outputOf<S extends Schema>({ turn, event }: EndedTurn, schema: S): Observable<SchemaOutput<S>> {
  const code = turnFault(turn, event);
  const found = code === undefined ? valueIn(turn.text) : { code };
  if ('code' in found) throw new OutputError(found.code, turn);
  return validate(schema, found.value).pipe(
    map((validation) => {
      if ('issues' in validation) throw new OutputError('invalid_output', turn, validation.issues);
      return validation.value;
    }),
  );
}
