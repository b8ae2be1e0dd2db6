/**
 * Streams recorded from providers: a folder with NAME.sse, the body as it came, and NAME.json, which tells
 * what it says. Those are used that mean the same to every client, the loop by hand included: one choice,
 * its content in strings, no error, `[DONE]` with the blank line that dispatches it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** In the order of their names; none where there is no such folder. */
export function recordingsIn(corpus) {
  const folder = `${corpus}/recordings`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sse'))
    .toSorted()
    .map((file) => {
      const body = readFileSync(`${folder}/${file}`);
      const { expected } = JSON.parse(readFileSync(`${folder}/${file.slice(0, -4)}.json`, 'utf8'));
      return { name: file.slice(0, -4), body, text: expected.content ?? '' };
    })
    .filter(({ body, text }) => plainText(body.toString()) === text);
}

/** The text as a loop of a few lines reads it, `undefined` where that would not do. */
function plainText(body) {
  if (!/^data: ?\[DONE\](\r?\n){2}/m.test(body)) return undefined;
  let text = '';
  for (const [, data] of body.matchAll(/^data: ?([^\r\n]*)\r?$/gm)) {
    if (data === '[DONE]') return text;
    let chunk;
    try {
      chunk = JSON.parse(data);
    } catch {
      return undefined;
    }
    if (chunk.error || !Array.isArray(chunk.choices) || chunk.choices.length > 1) return undefined;
    const content = chunk.choices[0]?.delta?.content ?? '';
    if (typeof content !== 'string' || (chunk.choices[0]?.index ?? 0) !== 0) return undefined;
    text += content;
  }
  return undefined;
}
