import { InvalidRequestError } from '../turn/errors.js';
import { writeJson } from '../turn/wire.js';

/**
 * The body of a request as JSON, or the error of one that cannot be written, with which its turn ends.
 *
 * @throws TypeError if `request` throws one: an argument has the wrong type
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
 * A value that stands in a request as JSON; `undefined` where JSON has nothing for it, as with a function.
 *
 * @throws InvalidRequestError where `JSON.stringify` refuses it: a cycle, a BigInt, a `toJSON` that throws, too
 * many levels
 */
export function partJson(value: unknown, part: string): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new InvalidRequestError({ part, reason: error });
  }
}
