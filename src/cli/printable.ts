type State = 'text' | 'escape' | 'control sequence' | 'control string' | 'control string escape';

const ESC = 0x1b;

/**
 * Takes what would command a terminal out of a text: escape sequences (ECMA-48) and control
 * characters other than line feed and tab. What a provider sends could otherwise rewrite the screen,
 * set the clipboard or hide what it says. A sequence may be cut anywhere: each call continues the
 * text of the one before.
 */
export function printable(): (text: string) => string {
  let state: State = 'text';

  /** The state after a character, and whether the character may be seen. */
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
          // An unfinished one must not swallow the rest of the answer.
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

  return (text) => {
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

const isStringStart = (code: number): boolean =>
  code === 0x90 || code === 0x98 || code === 0x9d || code === 0x9e || code === 0x9f;

/** A text as one line of at most so many characters, with nothing in it that commands a terminal. */
export function oneLine(text: string, length = 200): string {
  const line = printable()(text).replace(/\s+/g, ' ').trim();
  const characters = Array.from(line);
  return characters.length <= length ? line : `${characters.slice(0, length - 1).join('')}…`;
}
