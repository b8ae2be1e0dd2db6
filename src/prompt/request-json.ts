import { InvalidRequestError } from '../turn/errors.js';
import { writeJson } from '../turn/wire.js';

/**
 * The body of a request as JSON, or the error that its turn ends with if it cannot be serialised.
 *
 * @throws TypeError if `request` throws one, for an argument of the wrong type
 */
export function requestJson(request: () => object): string | InvalidRequestError {
  try {
    const body = request();
    const json = writeJson(body);
    if (json !== undefined) return json;
    // One part at a time, so that the error can name it.
    for (const [name, value] of Object.entries(body)) partJson({ [name]: value as unknown }, name);
    return new InvalidRequestError();
  } catch (error) {
    if (error instanceof TypeError) throw error;
    return error instanceof InvalidRequestError ? error : new InvalidRequestError({ reason: error });
  }
}

/**
 * A part of a request as JSON; `undefined` for a value that JSON omits, such as a function.
 *
 * @throws InvalidRequestError if `JSON.stringify` rejects it: a cycle, a BigInt, a `toJSON` that throws, too
 * many levels
 */
export function partJson(value: unknown, part: string): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new InvalidRequestError({ part, reason: error });
  }
}
