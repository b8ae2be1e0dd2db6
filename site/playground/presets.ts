import { type Attempt, defaultSettings, type Drawing, type Item, type Settings } from './drawing.js';

export interface Preset {
  readonly name: string;
  /** What to look at. */
  readonly about: string;
  readonly drawing: Drawing;
}

const headers = (at: number, status = 200): Item => ({ kind: 'headers', at, status });
const text = (at: number, said: string): Item => ({ kind: 'text', at, text: said });
const plain = (kind: Exclude<Item['kind'], 'headers' | 'text' | 'flood'>, at: number): Item => ({ kind, at });
const done = (at: number): readonly Item[] => [
  plain('finish', at),
  plain('done', at + 10),
  plain('end', at + 20),
];

const preset = (
  name: string,
  about: string,
  attempts: readonly Attempt[],
  settings: Partial<Settings> = {},
): Preset => ({ name, about, drawing: { attempts, settings: { ...defaultSettings, ...settings } } });

const busy: readonly Attempt[] = [
  [{ kind: 'headers', at: 60, status: 429, retryAfter: 1 }],
  [headers(120), text(180, 'Air '), text(240, 'scatters '), text(320, 'blue.'), ...done(360)],
];

const cut: readonly Attempt[] = [
  [headers(80), text(140, 'Air '), text(220, 'scat'), plain('cut', 280)],
  [headers(100), text(160, 'Air '), text(240, 'scatters '), text(320, 'blue.'), ...done(380)],
];

const silent: readonly Attempt[] = [
  [headers(80), text(140, 'Air '), text(200, 'scatters'), plain('comment', 700)],
];

const flood: readonly Attempt[] = [
  [headers(60), { kind: 'flood', at: 100, count: 24, every: 10 }, ...done(360)],
];

/** The first is shown where the link says nothing. */
export const presets: readonly Preset[] = [
  preset(
    '429, then an answer',
    'The provider is busy and asks to wait a second. The retry stands around the request alone, and shows as an event.',
    busy,
    { includeRetries: true },
  ),
  preset(
    'Cut in the middle of a word',
    'The connection breaks while text is coming. What was delivered stands, and the turn fails with a StreamError.',
    cut,
    { output: 'textDeltas' },
  ),
  preset(
    'Cut, and restarted',
    'restartOnBreak() asks again. Its restarting event takes back the half word, so that no text doubles.',
    cut,
    { restartOnBreak: true, output: 'toState' },
  ),
  preset(
    'Silence, and the idle timeout',
    'The server falls silent; a heartbeat is not an event. After 800 ms the turn fails, and the request is aborted.',
    silent,
    { idleTimeout: 800 },
  ),
  preset('No [DONE]', 'The stream ends cleanly, but too early: completed has no finish reason.', [
    [headers(80), text(140, 'Air '), text(200, 'scatters'), plain('end', 260)],
  ]),
  preset(
    'No [DONE], with requireFinish()',
    'The same wire: now it is an IncompleteStreamError, which holds what came.',
    [[headers(80), text(140, 'Air '), text(200, 'scatters'), plain('end', 260)]],
    { requireFinish: true, output: 'textDeltas' },
  ),
  preset('A flood of deltas', 'Each delta is a state, and each state a render.', flood, {
    output: 'accumulate',
  }),
  preset('A flood, with coalesce()', 'The same flood in a few states: one each 50 ms, nothing lost.', flood, {
    coalesce: 50,
    output: 'accumulate',
  }),
  preset(
    'Stop, and keep what came',
    'stopWhen() aborts the request and still completes the turn, so the partial answer can be kept.',
    [[headers(60), { kind: 'flood', at: 100, count: 20, every: 30 }, ...done(720)]],
    { stopWhen: 230, output: 'toState' },
  ),
  preset(
    'Unsubscribed while waiting',
    'Unsubscribing ends the turn wherever it stands: here in the wait before the second request, which never goes out.',
    busy,
    { includeRetries: true, unsubscribe: 500 },
  ),
];
