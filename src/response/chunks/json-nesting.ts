/** Tracks the nesting of a JSON text by its brackets and quotes, piece by piece. */
export interface JsonNesting {
  /** Takes the next piece. `onEnd` is called with the index after each top-level object, array or string. */
  read(text: string, onEnd?: (end: number) => void): void;
  /** Whether an object, array or string is open. */
  readonly isOpen: boolean;
  /** Whether one has ended and none is open. */
  readonly isWhole: boolean;
  readonly isInString: boolean;
}

/** A linear scan that looks at each character once. It does not check that the text is JSON. */
export function jsonNesting(): JsonNesting {
  let depth = 0;
  let isInString = false;
  let isEscaped = false;
  let hasBegun = false;

  return {
    read(text, onEnd) {
      for (let at = 0; at < text.length; at += 1) {
        const character = text[at];
        if (isEscaped) isEscaped = false;
        else if (isInString) {
          if (character === '\\') isEscaped = true;
          else if (character === '"') isInString = false;
        } else if (character === '"') isInString = true;
        else if (character === '{' || character === '[') depth += 1;
        else if (character === '}' || character === ']') depth -= 1;
        else continue;
        hasBegun = true;
        if (depth === 0 && !isInString) onEnd?.(at + 1);
      }
    },
    get isOpen() {
      return depth > 0 || isInString;
    },
    get isWhole() {
      return hasBegun && depth === 0 && !isInString;
    },
    get isInString() {
      return isInString;
    },
  };
}
