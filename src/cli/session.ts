import type { Readable, Writable } from 'node:stream';
import type { Observable, SchedulerLike } from 'rxjs';
import type { MaybeTerminal, Outlet } from './outlet.js';
import type { StatusLine } from './status-line.js';

/** The command's environment: the process, or a test. */
export interface CliIo {
  readonly stdin: MaybeTerminal<Readable>;
  readonly stdout: MaybeTerminal<Writable>;
  readonly stderr: MaybeTerminal<Writable>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The path of the executed file. */
  readonly entry: string;
  /** Each Ctrl-C. While nobody is subscribed, it ends the process. */
  readonly interrupts: Observable<unknown>;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  /** Times the wait for stdin. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** One run of the command. */
export interface Session {
  readonly io: CliIo;
  readonly stdout: Outlet;
  readonly stderr: Outlet;
  readonly status: StatusLine;
  /** Aborted when the user has exited with Ctrl-C, or nobody reads the output any more. */
  readonly stop: AbortSignal;
  /** Exits as Ctrl-C does. */
  readonly leave: () => void;
}
