import type { HttpRequest } from './transport.js';

const secretName = /authori[sz]|auth$|key|token|secret|cookie/i;

/** What of a request must not be repeated by anything that it causes. */
export function secretsOf(
  { url, headers }: Pick<HttpRequest, 'url' | 'headers'>,
  key?: string,
): readonly string[] {
  const secrets = new Set(key === undefined ? [] : [key]);
  for (const [name, value] of Object.entries(headers)) {
    if (secretName.test(name)) secrets.add(value.replace(/^\s*(?:Bearer|Basic)\s+/i, '').trim());
  }
  const query = url.indexOf('?');
  if (query !== -1) {
    for (const [name, value] of new URLSearchParams(url.slice(query))) {
      if (secretName.test(name)) secrets.add(value);
    }
  }
  secrets.delete('');
  // A provider may repeat a secret as it stands in JSON or in a URL.
  for (const secret of [...secrets]) {
    secrets.add(JSON.stringify(secret).slice(1, -1));
    secrets.add(encodeURIComponent(secret));
    secrets.add(new URLSearchParams([['', secret]]).toString().slice(1));
  }
  return [...secrets].sort((a, b) => b.length - a.length);
}

/** A text with every secret replaced by `***`, one that the text's end cuts off included. */
export function redact(text: string, secrets: readonly string[]): string {
  let redacted = text;
  for (const secret of secrets) {
    redacted = redacted.replaceAll(secret, '***');
    for (let length = secret.length - 1; length >= 8; length -= 1) {
      if (redacted.endsWith(secret.slice(0, length))) redacted = `${redacted.slice(0, -length)}***`;
    }
  }
  return redacted;
}

/**
 * A platform's error, or only its code where its words hold something private: some platforms quote
 * the URL or a header's value.
 */
export function causeWithoutSecrets(cause: unknown, secrets: readonly string[]): unknown {
  if (secrets.length === 0) return cause;
  let current = cause;
  for (let depth = 0; depth < 5 && current !== undefined && current !== null; depth += 1) {
    const words =
      current instanceof Error
        ? `${current.message} ${current.stack ?? ''}`
        : typeof current === 'string'
          ? current
          : '';
    if (secrets.some((secret) => words.includes(secret))) {
      return new Error('The platform’s own words held a secret and were left out.');
    }
    current = current instanceof Error ? current.cause : undefined;
  }
  return cause;
}
