// Draws one recorded run as an SVG that is readable in light and dark. Text stays text.

const narrowest = 480;
const margin = 20;
const gutter = 108;
const radius = 16;
const step = 2 * radius + 6;
const largestUnit = 48;
/** A silence of more frames than `longSilence` is drawn as if it were of `shortened`, with its length. */
const longSilence = 14;
const shortened = 3;

const charOf = (size) => size * 0.602;
const labelSize = (lines) => (lines.length > 1 ? 10.5 : 12);

const colours = {
  paper: ['#ffffff', '#0d1117'],
  ink: ['#1f2328', '#e6edf3'],
  muted: ['#59636e', '#9198a1'],
  faint: ['#d1d9e0', '#30363d'],
  box: ['#f6f8fa', '#161b22'],
  text: ['#ddf4ff', '#0c2d6b'],
  'text-edge': ['#0969da', '#58a6ff'],
  completed: ['#dafbe1', '#033a16'],
  'completed-edge': ['#1a7f37', '#3fb950'],
  reasoning: ['#fbefff', '#3c1e70'],
  'reasoning-edge': ['#8250df', '#bc8cff'],
  state: ['#ffeff7', '#5e103e'],
  'state-edge': ['#bf3989', '#f778ba'],
  wire: ['#eef1f4', '#262c36'],
  'wire-edge': ['#59636e', '#9198a1'],
  warning: ['#fff8c5', '#4b2900'],
  'warning-edge': ['#9a6700', '#d29922'],
  other: ['#fff1e5', '#5a1e02'],
  'other-edge': ['#bc4c00', '#f0883e'],
  error: ['#cf222e', '#f85149'],
};
const tones = ['text', 'completed', 'reasoning', 'state', 'wire', 'warning', 'other'];

const variables = (index) =>
  Object.entries(colours)
    .map(([name, values]) => `--${name}:${values[index]}`)
    .join(';');

const themes = {
  light: `svg{${variables(0)}}`,
  dark: `svg{${variables(1)}}`,
  auto: `svg{${variables(0)}}\n@media (prefers-color-scheme:dark){svg{${variables(1)}}}`,
};

const style = `text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:var(--ink)}
.name{font:600 13px -apple-system,'Segoe UI',Helvetica,Arial,sans-serif}
.small{font:11px -apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:var(--muted)}
.mid{text-anchor:middle}
.two{font-size:10.5px}
.call{font-size:15px;text-anchor:middle}
.paper{fill:var(--paper);stroke:var(--faint)}
.box{fill:var(--box);stroke:var(--muted)}
.guide{stroke:var(--faint);stroke-dasharray:2 4}
.axis{stroke:var(--faint);stroke-width:2}
.life{stroke:var(--ink);stroke-width:2}
.arrow{fill:none;stroke:var(--ink);stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.end{stroke:var(--ink);stroke-width:3;stroke-linecap:round}
.gap{fill:none;stroke:var(--paper);stroke-width:7}
.cut{fill:var(--paper);stroke:var(--ink);stroke-width:2}
.error{fill:none;stroke:var(--error);stroke-width:3.5;stroke-linecap:round}
.failed{fill:var(--error)}
.never{opacity:.55}
.never rect{stroke-dasharray:3 3}
${tones.map((tone) => `.${tone} rect{fill:var(--${tone});stroke:var(--${tone}-edge);stroke-width:2}`).join('\n')}`;

/**
 * The SVG of a picture. Its `desc` says in words what it shows.
 *
 * @param options - `widest`: what it has to fit into; `theme`: `light`, `dark`, or `auto`, as the reader's system has
 * it; `unit`: how many milliseconds count as one frame; `cursor`: what comes after that time is drawn pale
 */
export function draw(picture, record, { widest = 800, theme = 'auto', unit = 1, cursor } = {}) {
  const { rows, result } = rowsOf(picture, record);
  const all = [...rows, result];
  const legend = legendOf(all);
  const { xs, right } = spread(all, picture, { widest, unit });
  const needed = legend.map(({ detail }) =>
    Math.ceil(2 * margin + 2 * radius + 18 + detail.length * charOf(12)),
  );
  const width = Math.max(
    Math.min(widest, Math.max(narrowest, ...needed)),
    right + margin,
    callWidth(picture) + 2 * margin + gutter,
  );
  if (width > widest) throw new Error(`${picture.name} is wider than ${widest}.`);
  const context = { xs, axisEnd: width - margin, unit };

  const parts = [];
  let boxTop = 0;
  let y = 14;
  for (const row of all) {
    if (row === result) {
      boxTop = y + 4;
      y += 52;
    }
    const above = radius + 10;
    parts.push(drawRow(row, y + above, context));
    y += above + below(row);
  }
  const times = timesOf(all);
  const guides = times.map((time) => line('guide', xs.get(time), 14, xs.get(time), y));
  const ruler = rulerOf(times, xs, y + 12);
  const rowsEnd = y;
  y += 26;
  const legendParts = legend.map(({ letter, detail, tone }) => {
    const line = marble({ tone, lines: [letter] }, margin + radius, y + radius, 'legend');
    const room = Math.floor((width - 2 * margin - 2 * radius - 16) / charOf(12));
    const text = `<text x="${margin + 2 * radius + 12}" y="${round(y + radius + 4)}">${escape(fitted(detail, room))}</text>`;
    y += step;
    return line + text;
  });
  const height = round(y + (legend.length > 0 ? 12 : 6));

  const veil = cursor === undefined ? [] : [cursorOf(cursor, all, xs, width, rowsEnd)];
  const boxLeft = gutter + margin - 26;
  const box = `<rect class="box" x="${boxLeft}" y="${boxTop}" width="${width - margin - boxLeft + 6}" height="40" rx="8"/><text class="call" x="${round((boxLeft + width - margin + 6) / 2)}" y="${boxTop + 25}">${escape(picture.call)}</text>`;
  const words = describe(picture, rows, result);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title words">
<title id="title">${escape(`Marble diagram of ${picture.call}`)}</title>
<desc id="words">${escape(words)}</desc>
<style>${themes[theme]}
${style}</style>
<rect class="paper" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="10"/>
${[...guides, ...ruler, ...parts, ...veil, box, ...legendParts].join('\n')}
</svg>
`;
}

/** Rows of what came, by the time at which it came: a cold source counts from each of its subscriptions. */
function rowsOf(picture, record) {
  const { rows: wanted = [{ name: 'events', sources: [0] }], unused = [], result: name = 'events' } = picture;
  const shown = [...wanted.flatMap(({ sources }) => sources), ...unused].toSorted((a, b) => a - b);
  if (shown.join() !== record.sources.map((_source, index) => index).join()) {
    throw new Error(`${picture.name}: the test has ${record.sources.length} sources, the picture ${shown}.`);
  }
  const label = ({ label: { finish, ...rest } }) =>
    picture.finishReasons && finish !== undefined ? { ...rest, lines: [...rest.lines, finish] } : rest;
  const noted = (messages, from) =>
    messages.map((message) => ({
      ...message,
      frame: message.frame + from,
      ...(message.label && { label: label(message) }),
    }));
  const lives = ({ kind, messages, subscriptions }) =>
    (subscriptions.length > 0 ? subscriptions : [{ from: 0, to: 0 }]).map(({ from, to }) => ({
      from,
      to,
      messages: noted(messages, kind === 'hot' ? 0 : from),
    }));
  const rows = wanted.map((row) => ({
    name: row.name,
    answers: row.answers,
    lives: row.sources.flatMap((index) => lives(record.sources[index])),
  }));
  const [first] = record.results;
  const result = {
    name,
    lives: first.subscriptions.map(({ from, to }) => ({ from, to, messages: noted(first.messages, 0) })),
  };
  for (const row of [...rows, result]) {
    row.events = row.lives.flatMap((life) =>
      life.messages.map((message) => ({
        ...message,
        never: life.to !== undefined && message.frame > life.to,
      })),
    );
    row.cuts = row.lives
      .filter(
        ({ from, to, messages }) => to !== undefined && to > from && !row.answers && !endsAt(messages, to),
      )
      .map(({ to }) => to);
  }
  return { rows, result };
}

const endsAt = (messages, frame) => messages.some(({ kind, frame: at }) => kind !== 'N' && at <= frame);

function legendOf(rows) {
  const letters = new Map();
  for (const row of rows) {
    for (const { label } of row.events) {
      if (label?.detail === undefined) continue;
      if (!letters.has(label.detail)) {
        const letter = String.fromCharCode(65 + letters.size);
        letters.set(label.detail, { letter, detail: label.detail, tone: label.tone });
      }
      label.lines = [letters.get(label.detail).letter];
    }
  }
  return [...letters.values()];
}

const timesOf = (rows) =>
  [
    ...new Set(
      rows.flatMap(({ events, lives }) => [
        ...events.map(({ frame }) => frame),
        ...lives.flatMap(({ from, to }) => (to === undefined ? [from] : [from, to])),
      ]),
    ),
  ].toSorted((a, b) => a - b);

const widthOf = (lines) =>
  Math.max(2 * radius, Math.max(...lines.map(({ length }) => length)) * charOf(labelSize(lines)) + 16);

/** Where each instant stands: in proportion, as far as neighbours have room beside each other. */
function spread(rows, picture, { widest, unit: millisecondsAUnit }) {
  const times = timesOf(rows);
  const gaps = times.map((time, index) => (index === 0 ? 0 : (time - times[index - 1]) / millisecondsAUnit));
  const gapOf = (gap) => (gap > longSilence ? shortened : gap);
  const half = (row, time) =>
    Math.max(
      0,
      ...row.events
        .filter(({ frame }) => frame === time)
        .map(({ kind, label }) => (kind === 'N' ? widthOf(label.lines) / 2 : 8)),
    );
  for (let unit = largestUnit; unit >= 10; unit -= 1) {
    const xs = new Map();
    const lastOf = new Map();
    times.forEach((time, index) => {
      const lead = Math.max(...rows.map((row) => half(row, time)));
      let x =
        index === 0
          ? margin + gutter + Math.max(0, lead - 20)
          : xs.get(times[index - 1]) + gapOf(gaps[index]) * unit;
      for (const row of rows) {
        const own = half(row, time);
        const last = lastOf.get(row);
        if (own > 0 && last !== undefined) x = Math.max(x, last + own + 8);
      }
      xs.set(time, round(x));
      for (const row of rows) {
        const own = half(row, time);
        if (own > 0) lastOf.set(row, x + own);
      }
    });
    const right = Math.ceil(Math.max(...xs.values(), ...lastOf.values()) + 34);
    if (right + margin <= widest) return { xs, right, times };
  }
  throw new Error(`${picture.name} does not fit into ${widest}.`);
}

const callWidth = ({ call }) => Math.ceil(call.length * charOf(15)) + 24;

/** How far down a row reaches: the values of one instant stand below each other, an error last. */
function below(row) {
  const depths = timesOf([row]).map((time) => {
    const at = row.events.filter(({ frame }) => frame === time);
    const values = at.filter(({ kind }) => kind === 'N').length;
    const failed = at.some(({ kind }) => kind === 'E');
    const cut = row.cuts.includes(time);
    return Math.max(0, values - 1) * step + (failed ? (values > 0 ? step : 0) + 12 : 0) + (cut ? 8 : 0);
  });
  return Math.max(0, ...depths) + radius + 14;
}

function drawRow(row, y, { xs, axisEnd, unit }) {
  const parts = [`<text class="name" x="${margin}" y="${y + 4}">${escape(row.name)}</text>`];
  const first = xs.get(Math.min(...xs.keys()));
  parts.push(line('axis', first - 20, y, axisEnd, y));
  for (const { from, to, messages } of row.lives) {
    const end = Math.min(
      to ?? Infinity,
      ...messages.filter(({ kind }) => kind !== 'N').map(({ frame }) => frame),
    );
    const start = from === Math.min(...xs.keys()) ? first - 20 : xs.get(from);
    if (end === Infinity) {
      parts.push(line('life', start, y, axisEnd, y));
      parts.push(
        `<path class="arrow" d="M${axisEnd - 7} ${y - 5}L${axisEnd} ${y}L${axisEnd - 7} ${y + 5}"/>`,
      );
    } else if (xs.get(end) > start) parts.push(line('life', start, y, xs.get(end), y));
  }
  const times = [...xs.keys()];
  times.forEach((time, index) => {
    if (index === 0 || time - times[index - 1] <= longSilence * unit) return;
    const x = round((xs.get(times[index - 1]) + xs.get(time)) / 2);
    parts.push(`<path class="gap" d="M${x} ${y - 7}v14"/>`);
    parts.push(`<path class="arrow" d="M${x - 6} ${y + 5}l5 -10M${x + 1} ${y + 5}l5 -10"/>`);
  });
  for (const time of timesOf([row])) parts.push(drawInstant(row, time, xs.get(time), y));
  return parts.join('\n');
}

function drawInstant(row, time, x, y) {
  const at = row.events.filter(({ frame }) => frame === time);
  const values = at.filter(({ kind }) => kind === 'N');
  const [ending] = at.filter(({ kind }) => kind !== 'N');
  const depth = Math.max(0, values.length - 1) * step;
  const parts = [];
  if (ending?.kind === 'C')
    parts.push(line(`end${hidden(ending)}`, x, y - radius - 6, x, y + depth + radius + 6));
  else if (values.length > 1) parts.push(line('life', x, y, x, y + depth));
  values.forEach(({ label, never }, index) =>
    parts.push(marble(label, x, y + index * step, never ? 'never' : '')),
  );
  if (ending?.kind === 'E') {
    const crossY = y + (values.length > 0 ? depth + step : 0);
    if (values.length > 0) parts.push(line('life', x, y + depth + radius, x, crossY));
    parts.push(
      `<path class="error${hidden(ending)}" d="M${x - 7} ${crossY - 7}l14 14M${x + 7} ${crossY - 7}l-14 14"/>`,
      `<text class="small mid failed${hidden(ending)}" x="${x}" y="${crossY + 25}">${escape(ending.label.lines[0])}</text>`,
    );
  }
  if (row.cuts.includes(time)) {
    if (values.length === 0) parts.push(`<circle class="cut" cx="${x}" cy="${y}" r="5"/>`);
    else {
      const edge = x + widthOf(values[0].label.lines) / 2 + 5;
      parts.push(line('end', edge, y - 9, edge, y + 9));
    }
    parts.push(`<text class="small mid" x="${x}" y="${y + depth + radius + 14}">unsubscribed</text>`);
  }
  return parts.filter(Boolean).join('\n');
}

const hidden = ({ never }) => (never ? ' never' : '');

function marble({ tone, lines }, x, y, state) {
  const width = round(widthOf(lines));
  const corner = lines.length > 1 ? 10 : radius;
  const text =
    lines.length > 1
      ? lines.map(
          (each, index) =>
            `<text class="mid two" x="${x}" y="${round(y - 2 + index * 12)}">${escape(each)}</text>`,
        )
      : [`<text class="mid" x="${x}" y="${round(y + 4)}">${escape(lines[0])}</text>`];
  const left = round(x - width / 2);
  return `<g class="${[tone, state].filter(Boolean).join(' ')}"><rect x="${left}" y="${round(y - radius)}" width="${width}" height="${2 * radius}" rx="${corner}"/>${text.join('')}</g>`;
}

const cursorStyle = `.veil{fill:var(--paper);opacity:.72}
.cursor{stroke:var(--error);stroke-width:2}`;

/** A line at a time, which may lie between those that are drawn, and a veil over what comes after it. */
function cursorOf(time, rows, xs, width, bottom) {
  const times = [...xs.keys()];
  const before = times.findLast((each) => each <= time) ?? times[0];
  const after = times.find((each) => each > before) ?? before;
  const share = after === before ? 0 : Math.max(0, time - before) / (after - before);
  const x = round(xs.get(before) + share * (xs.get(after) - xs.get(before)));
  // The marbles of that very time have come, whole.
  const reaches = rows.flatMap(({ events }) =>
    events.map(({ frame, label }) => (frame === time ? widthOf(label?.lines ?? ['']) / 2 + 2 : 0)),
  );
  const veil = round(x + Math.max(1, ...reaches));
  const covered = `<rect class="veil" x="${veil}" y="2" width="${Math.max(0, width - 2 - veil)}" height="${bottom - 2}"/>`;
  return `<style>${cursorStyle}</style>${covered}${line('cursor', x, 4, x, bottom)}`;
}

/** The instants in milliseconds, as many as have room. */
function rulerOf(times, xs, y) {
  const parts = [];
  let last = -Infinity;
  times.forEach((time, index) => {
    const text = index === times.length - 1 ? `${amount(time)} ms` : amount(time);
    const x = xs.get(time);
    const half = (text.length * 6) / 2;
    if (x - half < last + 8) return;
    last = x + half;
    parts.push(`<text class="small mid" x="${x}" y="${y}">${text}</text>`);
  });
  return parts;
}

/** What tells one message from the next stands at its end. */
function fitted(text, room) {
  if (text.length <= room) return text;
  const head = Math.ceil((room - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (room - 1 - head))}`;
}

const amount = (number) => number.toLocaleString('en');

/** The picture for those who cannot see it. */
function describe({ call }, rows, result) {
  const name = ({ label }) => label.detail ?? label.lines.join(' ');
  const told = (row) => {
    const events = row.events
      .filter(({ never }) => !never)
      .map((event) => {
        const at = `at ${amount(event.frame)}`;
        if (event.kind === 'N') return `${at} ${name(event)}`;
        return event.kind === 'C' ? `${at} it completes` : `${at} it fails with ${name(event)}`;
      });
    const cuts = row.cuts.map((time) => `at ${amount(time)} it is unsubscribed`);
    return `${row.name}: ${[...events, ...cuts].join(', ') || 'nothing'}.`;
  };
  return ['Times in milliseconds.', ...rows.map(told), `${call} gives ${told(result)}`].join(' ');
}

const line = (name, x1, y1, x2, y2) =>
  `<line class="${name}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;

const round = (number) => Math.round(number * 10) / 10;

const escape = (text) =>
  text.replace(
    /[&<>"]/g,
    (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character],
  );
