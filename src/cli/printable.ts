type State = 'text' | 'escape' | 'control sequence' | 'control string' | 'control string escape';

const ESC = 0x1b;

/** The first half of a surrogate pair, at the end of a text that is cut inside a character. */
const halfCharacter = /[\ud800-\udbff]$/;

/**
 * Invisible characters that change how others look: bidirectional marks, embeddings, overrides and isolates, zero-width
 * spaces, tags. Joiners, which some scripts and emoji need, and the soft hyphen stay.
 */
const unseen = /(?![\u00ad\u200c\u200d])(?=\p{Cf})\p{Default_Ignorable_Code_Point}/gu;

/** Characters at which some terminals break a line. */
const lineBreak = /[\u2028\u2029]/g;

const loneSurrogate = /\p{Surrogate}/gu;

/**
 * Removes terminal commands from a text: escape sequences (ECMA-48), control characters other than line feed and tab,
 * and invisible characters. A provider could otherwise rewrite the screen, set the clipboard, or display something
 * other than its text. A sequence or character may be split anywhere: each call continues the previous call's text.
 */
export function printable(): (text: string) => string {
  let state: State = 'text';

  /** The state after a character, and whether the character may be shown. */
  function step(code: number): boolean {
    switch (state) {
      case 'escape':
        if (code >= 0x20 && code <= 0x2f) return false;
        // CSI, then DCS, SOS, OSC, PM and APC, each as its letter after ESC.
        state = code === 0x5b ? 'control sequence' : isStringStart(code + 0x40) ? 'control string' : 'text';
        return code < 0x20 && step(code);
      case 'control sequence':
        if (code >= 0x20 && code <= 0x3f) return false;
        state = 'text';
        return !(code >= 0x40 && code <= 0x7e) && step(code);
      case 'control string escape':
        state = 'escape';
        return step(code);
      case 'control string':
        if (code === ESC) state = 'control string escape';
        else if (code === 0x07 || code === 0x18 || code === 0x1a || code === 0x9c) state = 'text';
        else if (code === 0x0a) {
          // An unfinished sequence must not swallow the rest of the answer.
          state = 'text';
          return true;
        }
        return false;
      case 'text':
        if (code === 0x0a || code === 0x09) return true;
        if (code === ESC) state = 'escape';
        else if (code === 0x9b) state = 'control sequence';
        else if (isStringStart(code)) state = 'control string';
        return code >= 0x20 && !(code >= 0x7f && code <= 0x9f);
    }
  }

  let half = '';

  return (added) => {
    let text = half + added;
    half = halfCharacter.exec(text)?.[0] ?? '';
    if (half !== '') text = text.slice(0, -1);
    text = text.replace(loneSurrogate, '\ufffd').replace(unseen, '').replace(lineBreak, '\n');
    let seen = '';
    let from = 0;
    for (let at = 0; at < text.length; at += 1) {
      if (step(text.charCodeAt(at))) continue;
      seen += text.slice(from, at);
      from = at + 1;
    }
    return seen + text.slice(from);
  };
}

/** JSON on one line, with the same characters escaped, so its value is unchanged. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value)
    .replace(/[\u007f-\u009f\u2028\u2029]/g, escaped)
    .replace(unseen, escaped);
}

const escaped = (character: string): string =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

const isStringStart = (code: number): boolean =>
  code === 0x90 || code === 0x98 || code === 0x9d || code === 0x9e || code === 0x9f;

/** A text as one line of limited length, without terminal commands. */
export function oneLine(text: string, length = 200): string {
  const line = printable()(text).replace(/\s+/g, ' ').trim();
  const characters = Array.from(line);
  return characters.length <= length ? line : `${characters.slice(0, length - 1).join('')}…`;
}

/** Characters that are two columns wide: ideographs, kana, Hangul, full-width forms and emoji. */
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\p{Emoji_Presentation}]/u;

const combining = /[\p{M}\u200c\u200d]/u;

/** A text as one line that fits into a number of terminal columns, without terminal commands. */
export function fitting(text: string, columns: number): string {
  // A terminal of width 0 does not know its width.
  const width = columns > 0 ? columns : 80;
  // Longer text is cut in any case.
  const line = oneLine(text.slice(0, 8 * width), Infinity);
  const characters = Array.from(line);
  let used = 0;
  let end = 0;
  for (const [at, character] of characters.entries()) {
    used += combining.test(character) ? 0 : wide.test(character) ? 2 : 1;
    if (used > width) return `${characters.slice(0, end).join('')}…`;
    if (used < width) end = at + 1;
  }
  return line;
}
