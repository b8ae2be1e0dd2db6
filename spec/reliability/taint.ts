import { inspect } from 'node:util';
import { ChatCompletionsError } from '../../src/index.js';

/** What must not come out of a turn by any way but its events. */
export interface Taint {
  readonly key: string;
  readonly prompt: string;
  /** The provider's own text. It may stand in the properties that are named for it. */
  readonly answer: string;
}

/** The properties in which a provider's words may stand, where they are not enumerable. */
const providerText: readonly PropertyKey[] = ['body', 'snippet', 'providerMessage', 'turn'];

/** What a value, such as an error, gives away: where, and of what. Empty where it keeps everything. */
export function leaksOf(value: unknown, taint: Taint): readonly string[] {
  const leaks = new Set<string>();
  const found = (text: string, where: string, what: readonly (keyof Taint)[]) => {
    const readings = readingsOf(text);
    for (const name of what) {
      if (readings.some((read) => read.includes(taint[name]))) leaks.add(`the ${name} in ${where}`);
    }
  };
  const all: readonly (keyof Taint)[] = ['key', 'prompt', 'answer'];
  // What loggers do.
  found(String(value), 'String()', all);
  found(JSON.stringify(value) ?? '', 'JSON.stringify()', all);
  found(inspect(value, { depth: Infinity, maxArrayLength: null, maxStringLength: null }), 'inspect()', all);
  for (const { text, path, isProviderText } of textsOf(value)) {
    found(text, path, isProviderText ? ['key', 'prompt'] : all);
  }
  return [...leaks];
}

/** A text as somebody reads it who decodes it, in whatever way. */
function readingsOf(text: string): readonly string[] {
  const read = unescaped(text);
  const all = [
    text,
    read,
    unescaped(percentDecoded(read)),
    percentDecoded(percentDecoded(text)),
    fromHtml(read),
  ];
  const words = new Set(all.flatMap((one) => one.match(/[\w+/-]{11,}/g) ?? []));
  const decoded = Array.from(words, (word) =>
    // A word may begin before its Base64 does.
    [0, 1, 2, 3].map((skipped) => Buffer.from(word.slice(skipped), 'base64').toString('latin1')),
  );
  const hex = (text.match(/[\da-f]{16,}/gi) ?? []).map((digits) => Buffer.from(digits, 'hex').toString());
  return [...all, ...decoded.flat(), ...hex];
}

const percentDecoded = (text: string): string =>
  text.replace(/%([\da-f]{2})/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));

const fromHtml = (text: string): string =>
  text
    .replace(/&#x([\da-f]{1,4});/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)))
    .replace(/&#(\d{1,5});/g, (_, digits: string) => String.fromCharCode(Number(digits)))
    .replace(
      /&(?:amp;)*(lt|gt|quot|apos);/g,
      (_, name: string) => ({ lt: '<', gt: '>', quot: '"' })[name] ?? "'",
    )
    .replace(/&(?:amp;)+/g, '&');

/** A text as somebody reads it who parses it as JSON, however often it was written as JSON. */
function unescaped(text: string): string {
  return text
    .replace(/\\{1,8}u([\da-f]{4})/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)))
    .replace(/\\{1,8}(["\\/])/g, '$1');
}

interface Found {
  readonly text: string;
  readonly path: string;
  readonly isProviderText: boolean;
}

/** Every text that can be reached over own properties, enumerable or not: causes, stacks and bytes among them. */
function* textsOf(root: unknown): Generator<Found> {
  const seen = new Set<object>();
  const open: { value: unknown; path: string; isProviderText: boolean }[] = [
    { value: root, path: 'it', isProviderText: false },
  ];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { value, path, isProviderText } = at;
    if (typeof value === 'string') yield { text: value, path, isProviderText };
    if (value instanceof Uint8Array) yield { text: Buffer.from(value).toString(), path, isProviderText };
    if (typeof value !== 'object' || value === null || seen.has(value) || ArrayBuffer.isView(value)) continue;
    seen.add(value);
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
      const isNamed =
        value instanceof ChatCompletionsError && providerText.includes(name) && property.enumerable === false;
      open.push({
        value: property.value as unknown,
        path: `${path}.${name}`,
        isProviderText: isProviderText || isNamed,
      });
    }
  }
}
