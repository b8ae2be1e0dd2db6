/** Indents JSON that may still be growing, so that it reads well from its first character on. */
export function prettyJson(text: string): string {
  let pretty = '';
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (isInString) {
      pretty += char;
      if (char === '\\') pretty += text.charAt((at += 1));
      else if (char === '"') isInString = false;
    } else if (char === '"') {
      isInString = true;
      pretty += char;
    } else if (char === '{' || char === '[') {
      const isEmpty = /^\s*[}\]]/.test(text.slice(at + 1));
      depth += 1;
      pretty += isEmpty ? char : char + newLine(depth);
    } else if (char === '}' || char === ']') {
      depth = Math.max(0, depth - 1);
      pretty += /[{[]$/.test(pretty) ? char : newLine(depth) + char;
    } else if (char === ',') pretty += char + newLine(depth);
    else if (char === ':') pretty += ': ';
    else if (!/\s/.test(char)) pretty += char;
  }
  return pretty;
}

const newLine = (depth: number): string => `\n${'  '.repeat(depth)}`;
