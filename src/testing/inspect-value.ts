import { propertyOf } from '../turn/errors.js';
import { isRecord, stringOf } from '../turn/wire.js';
import { absent, isAsymmetricMatcher } from './first-difference.js';
import { drawRows, isOwnSign, letters } from './marble-rows.js';
import { cellsOf, isMessages, signOf, type TestMessage } from './test-messages.js';

/** Limits on how much of a value is written. */
const limits = { text: 60, message: 120, entries: 6, depth: 3, length: 160 } as const;

/**
 * A value in one short line: an event of the library by its content, an error by its class, status, code and message, the
 * notifications of an inner Observable as marbles, anything else as code. The provider's text, which errors keep in
 * non-enumerable properties, is left out.
 */
export function inspectValue(value: unknown): string {
  const text = written(value, limits.depth);
  return text.length <= limits.length ? text : `${text.slice(0, limits.length - 1)}…`;
}

/** A text in quotes; if it is long, only the part around a position. */
export function quoted(text: string, around = 0, limit: number = limits.text): string {
  if (text.length <= limit) return JSON.stringify(text);
  const from = Math.max(0, Math.min(around - 20, text.length - limit));
  const to = Math.min(text.length, from + limit);
  return `${from > 0 ? '…' : ''}${JSON.stringify(text.slice(from, to))}${to < text.length ? '…' : ''}`;
}

function written(value: unknown, depth: number): string {
  if (value === absent) return 'nothing';
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (isAsymmetricMatcher(value)) return matcherOf(value, depth);
  if (isError(value)) return errorOf(value);
  if (isMessages(value) && value.length > 0) return marblesOf(value, depth);
  if (Array.isArray(value)) return listOf(value, '[', ']', (entry) => written(entry, depth - 1), depth);
  return eventOf(value) ?? objectOf(value, depth);
}

const isError = (value: object): boolean =>
  value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';

function errorOf(error: object): string {
  const [name, message] = [propertyOf(error, 'name'), propertyOf(error, 'message')];
  const details = ['status', 'code']
    .map((key) => propertyOf(error, key))
    .filter((detail) => typeof detail === 'string' || typeof detail === 'number');
  return [String(name), ...details, quoted(String(message), 0, limits.message)].join(' ');
}

/** How matchers describe themselves: `ObjectContaining`, with the expected value. */
function matcherOf(matcher: object, depth: number): string {
  const { name } = matcher.constructor;
  const sample = propertyOf(matcher, 'sample') ?? propertyOf(matcher, 'expectedObject');
  if (typeof sample === 'function') return `${name}(${sample.name})`;
  return sample === undefined ? name : `${name}(${written(sample, depth - 1)})`;
}

/** The notifications of an inner Observable. */
function marblesOf(messages: readonly TestMessage[], depth: number): string {
  const values = new Map<unknown, string>();
  const taken = new Set(messages.map(({ notification: { value } }) => value).filter(isOwnSign));
  const unused = letters(taken);
  const signFor = ({ notification: { kind, value } }: TestMessage) => {
    if (kind !== 'N' || isOwnSign(value)) return signOf(kind, value as string);
    if (!values.has(value)) values.set(value, unused.next().value);
    return values.get(value) ?? '';
  };
  const shown = messages.slice(0, 40);
  const cells = cellsOf([shown]).map(({ frame, lists }) => ({
    frame,
    signs: lists.map((list) => list.map(signFor)),
  }));
  const { rows } = drawRows(cells, 1, { before: false, after: shown.length < messages.length });
  const legend = [...values].map(([value, letter]) => `${letter}: ${written(value, depth - 1)}`);
  const error = messages.find(({ notification: { kind } }) => kind === 'E')?.notification.error;
  if (error !== undefined) legend.push(`#: ${written(error, depth - 1)}`);
  return `Observable ${rows.join('')}${legend.length > 0 ? ` { ${legend.join(', ')} }` : ''}`;
}

/** The content of a turn's event; nothing if the value is not an event, or has other fields. */
function eventOf(event: object): string | undefined {
  if (!isRecord(event)) return undefined;
  const { type, item, choice, delta, name, finishReason, ...rest } = event;
  const where = choice === undefined ? '' : ` (choice ${written(choice, 1)})`;
  if (type === 'output_item_done' && isRecord(item) && Object.keys(rest).length === 0) {
    const said = itemOf(item);
    return said === undefined ? undefined : `${said}${where}`;
  }
  if (type === 'function_call_arguments_delta' && typeof delta === 'string')
    return `${type} ${stringOf(name)} ${quoted(delta)}${where}`;
  return type === 'completed' ? `completed ${written(finishReason, 1)}` : undefined;
}

function itemOf({ type, role, content, name, ...rest }: Record<string, unknown>): string | undefined {
  const { arguments: written, input } = rest;
  if (type === 'function_call') return `${type} ${stringOf(name)} ${quoted(stringOf(written))}`;
  if (type === 'custom_tool_call') return `${type} ${stringOf(name)} ${quoted(stringOf(input))}`;
  const [part, ...others] = Array.isArray(content) ? (content as readonly unknown[]) : [];
  if (!isRecord(part) || others.length > 0) return undefined;
  const { type: kind, text, refusal } = part;
  if (type === 'reasoning') return `reasoning_delta ${quoted(stringOf(text))}`;
  if (type !== 'message' || role !== 'assistant') return undefined;
  if (kind === 'output_text') return `text_delta ${quoted(stringOf(text))}`;
  return kind === 'refusal' ? `refusal_delta ${quoted(stringOf(refusal))}` : undefined;
}

function objectOf(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  const type: unknown = prototype === null ? undefined : propertyOf(propertyOf(value, 'constructor'), 'name');
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  const name =
    prototype === null ? '[null prototype] ' : type === 'Object' ? '' : `${stringOf(type) || tag} `;
  if (value instanceof Map)
    return listOf(
      [...value],
      `${name}{`,
      '}',
      ([key, entry]) => `${written(key, 1)} => ${written(entry, depth - 1)}`,
      depth,
    );
  if (value instanceof Set)
    return listOf([...value], `${name}{`, '}', (entry) => written(entry, depth - 1), depth);
  if (value instanceof Date || value instanceof RegExp || value instanceof URL) return String(value);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return listOf(Array.from(value as Uint8Array), `${name}[`, ']', String, depth);
  const entry = (key: string) => {
    const label = /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? key : JSON.stringify(key);
    return `${label}: ${written(propertyOf(value, key), depth - 1)}`;
  };
  const keys = Object.keys(value);
  return keys.length === 0 ? `${name}{}` : listOf(keys, `${name}{ `, ' }', entry, depth);
}

function listOf<T>(
  entries: readonly T[],
  begin: string,
  end: string,
  write: (entry: T) => string,
  depth: number,
): string {
  if (entries.length > 0 && depth <= 0) return `${begin}…${end}`;
  const shown = Array.from(entries.slice(0, limits.entries), write);
  const rest = entries.length - shown.length;
  return `${begin}${[...shown, ...(rest > 0 ? [`… ${rest} more`] : [])].join(', ')}${end}`;
}
