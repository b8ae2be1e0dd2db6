import { causesOf, platformCode } from '../turn/errors.js';
import type { HttpRequest } from './transport.js';

const secretName = /authori[sz]|auth$|key|token|secret|cookie/i;

/** What of a request must not be repeated by anything that it causes. */
export function secretsOf(
  { url, headers }: Pick<HttpRequest, 'url' | 'headers'>,
  key?: string,
): readonly string[] {
  const secrets = key === undefined ? [] : [key];
  for (const [name, value] of [
    ...Object.entries(headers),
    ...new URLSearchParams(url.replace(/^[^?]*/, '')),
  ]) {
    if (secretName.test(name)) secrets.push(value.replace(/^\s*(?:Bearer|Basic)\s+/i, '').trim());
  }
  const forms = new Set(secrets.filter((secret) => secret !== '').flatMap(formsOf));
  return [...forms].sort((a, b) => b.length - a.length);
}

/** How a provider may repeat a secret: as it stands in JSON, in a URL, or in HTML. */
function formsOf(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const inUrls = [encodeURIComponent(secret), new URLSearchParams([['', secret]]).toString().slice(1)];
  const html = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return [
    secret,
    json,
    json.replaceAll('/', '\\/'),
    ...inUrls,
    ...inUrls.map((form) => form.replace(/%[\dA-F]{2}/g, (escape) => escape.toLowerCase())),
    html,
    html.replaceAll('"', '&quot;'),
  ];
}

/** JSON may write any character as `\u` and four digits; JSON within JSON has more backslashes. */
const jsonEscape = /\\{1,8}u([\da-f]{4})/gi;
const cutJsonEscape = /\\{1,8}(?:u[\da-f]{0,3})?$/i;

/**
 * A text with every secret replaced by `***`, one that the text's end cuts off included. Where JSON's
 * escapes hide a secret, those of the whole text are undone.
 */
export function redact(text: string, secrets: readonly string[]): string {
  const redacted = withoutSecrets(text, secrets);
  if (!redacted.includes('\\u')) return redacted;
  const undone = redacted
    .replace(jsonEscape, (_, digits: string) =>
      // What JSON must escape stays escaped, in the form that is looked for.
      JSON.stringify(String.fromCharCode(parseInt(digits, 16))).slice(1, -1),
    )
    .replace(cutJsonEscape, '');
  const clean = withoutSecrets(undone, secrets);
  return clean === undone ? redacted : clean;
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  let redacted = text;
  for (const secret of secrets) {
    redacted = redacted.replaceAll(secret, '***');
    for (let length = secret.length - 1; length >= 8; length -= 1) {
      if (redacted.endsWith(secret.slice(0, length))) redacted = `${redacted.slice(0, -length)}***`;
    }
  }
  return redacted;
}

/** Takes out of texts what a request holds of secrets; what that is, is looked for with the first of them. */
export function redactor(request: Pick<HttpRequest, 'url' | 'headers'>, key?: string): Redact {
  let secrets: readonly string[] | undefined;
  return (text, shortest = 0) => {
    secrets ??= secretsOf(request, key);
    return redact(
      text,
      secrets.filter(({ length }) => length >= shortest),
    );
  };
}

/** Takes the secrets out of a text, those of `shortest` characters or more. Default: all. */
export type Redact = (text: string, shortest?: number) => string;

/** Properties of a platform's error that say where it happened, and nothing of what was sent or answered. */
const harmless: readonly string[] = [
  'code',
  'errno',
  'syscall',
  'address',
  'port',
  'hostname',
  'reason',
  'cause',
];

/** A platform's error may come from another realm (a frame, a test runner's context), with an `Error` of its own. */
const isError = (value: unknown): value is Error =>
  typeof value === 'object' && value !== null && typeof (value as Error).message === 'string';

/** Where Node's two HTTP parsers keep the bytes that they could not read. */
const rawBytes: readonly string[] = ['data', 'rawPacket'];

/** Takes the bytes from an error, and hides what else may hold the request. */
function hideOthers(error: Error): void {
  for (const name of Object.keys(error)) {
    if (harmless.includes(name) || (rawBytes.includes(name) && Reflect.deleteProperty(error, name))) continue;
    Reflect.defineProperty(error, name, { enumerable: false });
  }
}

/**
 * A platform's error without what it holds beside its words, or only its code where its words hold
 * something private: some platforms quote the URL or a header's value.
 */
export function causeWithoutSecrets(cause: unknown, clean: Redact): unknown {
  for (const each of causesOf(cause)) {
    if (isError(each)) hideOthers(each);
    const words = isError(each)
      ? `${each.message} ${each.stack ?? ''}`
      : typeof each === 'string'
        ? each
        : '';
    if (clean(words) === words) continue;
    const code = platformCode(cause);
    const error = new Error('The platform’s message held a secret.');
    return code === undefined || clean(code) !== code ? error : Object.assign(error, { code });
  }
  return cause;
}
