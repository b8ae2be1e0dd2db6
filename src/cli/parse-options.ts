import { parseArgs, type ParseArgsConfig } from 'node:util';
import { nearest } from './nearest.js';

/** The command line is invalid. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>;

type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ readonly args: string[]; readonly options: T; readonly allowPositionals: true }>
>;

/** Where else an option belongs, and what to do about it. */
type Elsewhere = (name: string) => string | undefined;

/**
 * Node's `parseArgs`, with readable errors.
 *
 * @param elsewhere - a message for an option that does not exist here, if there is better advice than the nearest name
 * @throws UsageError
 */
export function parseOptions<T extends Options>(
  argv: readonly string[],
  options: T,
  elsewhere: Elsewhere,
): Parsed<T> {
  const args = [...argv];
  const { tokens } = parseArgs({ args, options, allowPositionals: true, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined) throw new UsageError(unknown(name, rawName, Object.keys(options), elsewhere));
    if (option.type === 'boolean' && inlineValue === true) throw new UsageError(`${rawName} takes no value.`);
    if (option.type === 'boolean' || inlineValue === true) continue;
    if (value === undefined) throw new UsageError(`${rawName} needs a value.`);
    if (/^-./s.test(value))
      throw new UsageError(
        `${rawName} needs a value. If the value starts with a dash, write ${rawName}=VALUE.`,
      );
  }
  return parseArgs({ args, options, allowPositionals: true });
}

function unknown(name: string, rawName: string, names: readonly string[], elsewhere: Elsewhere): string {
  const advice = elsewhere(name);
  if (advice !== undefined) return advice;
  const near = nearest(name, names);
  return `Unknown option ${rawName}.${near === undefined ? '' : ` Did you mean --${near}?`}`;
}
