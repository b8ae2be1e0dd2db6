/** What has come of a JSON text, closed where it is open: as the comment of `partialJson()` says, and by other means. */
export function closedPrefix(prefix: string): string {
  const levels: string[] = [];
  let isKey = false;
  let start = -1;
  // Where what is worth keeping ends: not in a key, a colon, a comma, or a number that may go on.
  let kept = 0;
  let at = 0;
  while (at < prefix.length) {
    const character = prefix[at]!;
    if (character === '"') {
      start = at;
      at += 1;
      while (at < prefix.length && prefix[at] !== '"') at += prefix[at] === '\\' ? 2 : 1;
      if (at >= prefix.length) break;
      start = -1;
      if (!isKey) kept = at + 1;
    } else if ('{['.includes(character)) {
      levels.push(character === '{' ? '}' : ']');
      isKey = character === '{';
      kept = at + 1;
    } else if ('}]'.includes(character)) {
      levels.pop();
      kept = at + 1;
      isKey = false;
    } else if (character === ',') isKey = levels.at(-1) === '}';
    else if (character === ':') isKey = false;
    else if (!/\s/.test(character)) {
      const { length } = /^[-+.\w]+/.exec(prefix.slice(at))![0];
      if (at + length < prefix.length || /^(?:true|false|null)$/.test(prefix.slice(at))) kept = at + length;
      at += length - 1;
    }
    at += 1;
  }
  const isInValue = start !== -1 && !isKey;
  const closers = [...levels].reverse().join('');
  return isInValue ? `${wholeCharacters(prefix, start)}"${closers}` : prefix.slice(0, kept) + closers;
}

/** Half an escape, or half a character, is not a character. */
function wholeCharacters(prefix: string, start: number): string {
  let at = start + 1;
  while (at < prefix.length) {
    const unit = /^(?:\\u[\da-f]{4}|\\[^u]|[^\\])/i.exec(prefix.slice(at, at + 6))?.[0];
    const isHigh = /^(?:\\ud[89ab]..|[\ud800-\udbff])$/i.test(unit ?? '');
    if (unit === undefined || (isHigh && at + unit.length === prefix.length)) break;
    if (isHigh && unit.length > 1 && /^\\(?:u.{0,3})?$/.test(prefix.slice(at + unit.length))) break;
    at += unit.length;
  }
  return prefix.slice(0, at);
}
