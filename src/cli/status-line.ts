import { oneLine } from './printable.js';

/** The status on stderr while a turn runs. */
export interface StatusLine {
  /** Shows a waiting indicator, if there is a terminal. */
  wait(): void;
  /** Removes the waiting indicator. */
  clear(): void;
  /** Prints a text as one line, safe for a terminal, and then shows the indicator again if it was shown. */
  note(line: string): void;
}

const frames = ['-', '\\', '|', '/'] as const;

/** Milliseconds per frame. */
const frameTime = 100;

const eraseLine = '\r\u001b[K';

/** @param isLive - whether the line can be redrawn: not in files, pipes and dumb terminals */
export function statusLine(write: (text: string) => void, isLive: boolean): StatusLine {
  let timer: NodeJS.Timeout | undefined;
  let frame = 0;

  const draw = () => {
    write(`\r${frames[frame % frames.length] ?? ''} waiting for the answer`);
    frame += 1;
  };
  const clear = () => {
    if (timer === undefined) return;
    clearInterval(timer);
    timer = undefined;
    write(eraseLine);
  };
  const wait = () => {
    if (!isLive || timer !== undefined) return;
    draw();
    timer = setInterval(draw, frameTime);
  };

  return {
    wait,
    clear,
    note(line) {
      const isWaiting = timer !== undefined;
      clear();
      write(`${oneLine(line, Infinity)}\n`);
      if (isWaiting) wait();
    },
  };
}
