/** Where in a JSON text one is, found out from its brackets and quotes, piece by piece. */
export interface JsonNesting {
  /** Takes the next piece. `onEnd` gets the index after each object, array or string that ends at the top. */
  read(text: string, onEnd?: (end: number) => void): void;
  /** An object, an array or a string has begun and not ended. */
  readonly isOpen: boolean;
  /** One has ended, and none is open. */
  readonly isWhole: boolean;
  readonly isInString: boolean;
}

/** A linear scan that looks at each character once; whether the text is JSON is not its business. */
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
