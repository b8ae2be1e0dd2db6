import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { retryAfterInBody, untilRateLimitReset } from '../../src/turn/retry-after.js';
import { hardTexts, stepsOf } from '../support/regexp-work.js';

const root = join(__dirname, '../..');

interface Found {
  readonly place: string;
  readonly pattern: RegExp;
}

/** Every regular expression that stands in a file, and the places that make others. */
function regularExpressionsIn(file: string): { literals: Found[]; made: string[] } {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const literals: Found[] = [];
  const made: string[] = [];
  const visit = (node: ts.Node): void => {
    const place = () =>
      `${relative(root, file)}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      literals.push({
        place: place(),
        pattern: new RegExp(node.text.slice(1, end), node.text.slice(end + 1)),
      });
    } else if (
      ts.isIdentifier(node) &&
      node.text === 'RegExp' &&
      !ts.isTypeReferenceNode(node.parent) &&
      !(
        ts.isBinaryExpression(node.parent) &&
        node.parent.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword
      )
    )
      made.push(relative(root, file));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { literals, made };
}

const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => join(root, 'src', file));
const found = files.map(regularExpressionsIn);

/** Those that a function makes. */
function madeBy(run: () => void): readonly Found[] {
  const made: Found[] = [];
  const original = globalThis.RegExp;
  globalThis.RegExp = new Proxy(original, {
    construct(target, [source, flags]: [string, string?]) {
      const pattern = new target(source, flags);
      made.push({ place: 'src/turn/retry-after.ts', pattern });
      return pattern;
    },
  });
  try {
    run();
  } finally {
    globalThis.RegExp = original;
  }
  return [...new Map(made.map((each) => [each.pattern.source, each])).values()];
}

const constructed = madeBy(() => {
  retryAfterInBody('{}');
  untilRateLimitReset({ get: () => '1s' }, 0);
});

/** The first text on which twice the length costs more than three times the steps. */
function squareOf(pattern: RegExp): string | undefined {
  for (const { head, unit, tail } of hardTexts(pattern)) {
    const steps = (length: number) =>
      stepsOf(pattern, head + unit.repeat(Math.ceil(length / unit.length)) + tail);
    const work = steps(400);
    if (work === Infinity || work > 3 * steps(200) + 100) return JSON.stringify({ head, unit, tail });
  }
  return undefined;
}

describe('the regular expressions of the library', () => {
  const all = [...found.flatMap(({ literals }) => literals), ...constructed];

  it('are all known here: one that is made at run time is added above', () => {
    expect(all.length).toBeGreaterThan(60);
    expect([...new Set(found.flatMap(({ made }) => made))]).toStrictEqual([
      // Compares regular expressions of a test, and makes none.
      'src/testing/first-difference.ts',
      'src/turn/retry-after.ts',
    ]);
    expect(constructed).toHaveLength(3);
  });

  it.each(all.map(({ place, pattern }) => [place, pattern] as const))(
    '%s: the work of %s grows with the text, and no faster',
    (_, pattern) => {
      expect(squareOf(pattern)).toBeUndefined();
    },
  );

  it.each(all.map(({ place, pattern }) => [place, pattern] as const))(
    '%s: %s gets through a million characters',
    (_, pattern) => {
      const units = new Set(hardTexts(pattern).map(({ unit }) => unit));
      for (const unit of units)
        expect(() => `${unit.repeat(Math.ceil(1e6 / unit.length))}\u0001`.replace(pattern, '')).not.toThrow();
    },
  );
});

describe('what finds them', () => {
  it.each([
    ['/+$', ''],
    ['(?:a+)+b', ''],
    ['\\s+$', ''],
    ['<[^>]*>', 'g'],
    ['"[^;]*";', ''],
    ['([\\d.]+) ?(?:s|ms)', 'g'],
    ['^(?:a|aa)+$', ''],
    ['a.*b.*c', 's'],
    ['^\\s*(.*?)\\s*$', ''],
    ['\\bretry\\b.*\\d', 's'],
  ])('sees that %s is quadratic, or worse', (source, flags) => {
    expect(squareOf(new RegExp(source, flags))).toBeDefined();
  });

  it.each([
    ['^/+', ''],
    ['\\r\\n|\\r|\\n', 'g'],
    ['[^>]*', 'g'],
    ['^[^?]*', ''],
    ['"[^"]*"?', 'g'],
    ['(\\w{3})-\\1', ''],
  ])('sees that %s is linear', (source, flags) => {
    expect(squareOf(new RegExp(source, flags))).toBeUndefined();
  });
});
