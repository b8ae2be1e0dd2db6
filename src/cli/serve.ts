import { answersFromFile, startMockProvider } from '../mock-provider/index.js';
import { defaultPace, type MockArguments } from './arguments.js';
import type { Outlet } from './outlet.js';
import type { StatusLine } from './status-line.js';

/** The command `mock`: a provider that runs until it is stopped. Resolves with the exit status. */
export async function serve(
  { port = 0, pace = defaultPace, fixture, cors }: MockArguments,
  {
    stdout,
    status,
    stop,
  }: { readonly stdout: Outlet; readonly status: StatusLine; readonly stop: AbortSignal },
): Promise<number> {
  const answers = fixture === undefined ? [] : await answersFromFile(fixture);
  // Nothing reads `requests` here.
  const options = { port, pace, answers, cors, keptRequests: 1 };
  const mock = await startMockProvider(options).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw new Error(`Port ${port} is already in use.`);
    throw new Error(`Port ${port} cannot be used${code === undefined ? '' : ` (${code})`}.`);
  });
  await stdout.write(`${mock.baseUrl}\n`);
  status.note('Mock provider: accepts any model and any key. Press Ctrl-C to stop.');
  await new Promise<void>((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener('abort', () => resolve());
  });
  await mock.close();
  return 0;
}
