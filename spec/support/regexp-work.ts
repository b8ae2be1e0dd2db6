import { type AST, RegExpParser } from '@eslint-community/regexpp';

/** Of a text of some hundred characters: far more than any linear pattern takes. */
const limit = 1_000_000;

/**
 * Steps that a backtracking engine takes to find the first match in a text, or all where the flag `g` asks for them;
 * `Infinity` where they are more than anybody waits for.
 */
export function stepsOf(pattern: RegExp, text: string): number {
  const tree = parse(pattern);
  const captures: [number, number][] = [];
  let steps = 0;

  type Next = (at: number) => boolean;

  function sequence(nodes: readonly AST.Element[], from: number, at: number, next: Next): boolean {
    const node = nodes[from];
    return node === undefined ? next(at) : match(node, at, (end) => sequence(nodes, from + 1, end, next));
  }

  const oneOf = (alternatives: readonly AST.Alternative[], at: number, next: Next): boolean =>
    alternatives.some(({ elements }) => sequence(elements, 0, at, next));

  function match(node: AST.Element, at: number, next: Next): boolean {
    steps += 1;
    if (steps > limit) return true;
    switch (node.type) {
      case 'Group':
        return oneOf(node.alternatives, at, next);
      case 'CapturingGroup':
        return oneOf(node.alternatives, at, (end) => {
          captures[captureOf(tree, node)] = [at, end];
          return next(end);
        });
      case 'Quantifier':
        return repeat(node, at, next);
      case 'Assertion':
        return holds(node, at) && next(at);
      case 'Backreference': {
        if (Array.isArray(node.resolved)) break;
        const [start, end] = captures[captureOf(tree, node.resolved)] ?? [0, 0];
        const repeated = text.slice(start, end);
        return text.startsWith(repeated, at) && next(at + repeated.length);
      }
      case 'Character':
      case 'CharacterSet':
      case 'CharacterClass': {
        const end = charEnd(node, at);
        return end !== -1 && next(end);
      }
    }
    throw new Error(`${node.type} is not counted: teach it here.`);
  }

  /** `-1` where the character there is another. */
  function charEnd(node: AST.Element, at: number): number {
    const char = tree.flags.unicode ? String.fromCodePoint(text.codePointAt(at) ?? 0) : text.charAt(at);
    return at < text.length && isMember(tree, node, char) ? at + char.length : -1;
  }

  function repeat({ element, min, max, greedy }: AST.Quantifier, at: number, next: Next): boolean {
    if (greedy && isCharacter(element)) {
      // Without a stack that is as deep as the text is long.
      const ends = [at];
      for (let end = at; ends.length <= max; ends.push(end)) {
        steps += 1;
        end = charEnd(element, end);
        if (end === -1) break;
      }
      for (let count = ends.length - 1; count >= min; count -= 1) {
        steps += 1;
        if (next(ends[count] ?? 0)) return true;
      }
      return false;
    }
    const from = (count: number, start: number): boolean => {
      const stop = () => count >= min && next(start);
      const goOn = () =>
        count < max && match(element, start, (end) => (end > start || count < min) && from(count + 1, end));
      return greedy ? goOn() || stop() : stop() || goOn();
    };
    return from(0, at);
  }

  function holds(node: AST.Assertion, at: number): boolean {
    const isLineEnd = (char: string) => tree.flags.multiline && /[\n\r\u2028\u2029]/.test(char);
    const isWord = (char: string) => /\w/.test(char);
    switch (node.kind) {
      case 'start':
        return at === 0 || isLineEnd(text.charAt(at - 1));
      case 'end':
        return at === text.length || isLineEnd(text.charAt(at));
      case 'word':
        return (isWord(text.charAt(at - 1)) !== isWord(text.charAt(at))) !== node.negate;
      case 'lookahead':
        return oneOf(node.alternatives, at, () => true) !== node.negate;
      case 'lookbehind': {
        const [only, ...others] = node.alternatives;
        const [element, ...more] = only?.elements ?? [];
        if (element === undefined || !isCharacter(element) || others.length + more.length > 0) break;
        return (at > 0 && charEnd(element, at - 1) !== -1) !== node.negate;
      }
    }
    throw new Error(`${node.raw} is not counted: teach it here.`);
  }

  let from = 0;
  while (from <= text.length && steps <= limit) {
    let end = -1;
    const isMatch = oneOf(tree.pattern.alternatives, from, (at) => {
      end = at;
      return true;
    });
    if (isMatch && !pattern.global) break;
    if (!isMatch && pattern.sticky) break;
    from = isMatch && end > from ? end : from + 1;
  }
  return steps > limit ? Infinity : steps;
}

/** What may be hard for a pattern: its own parts, again and again, behind what leads there and before what ends it. */
export function hardTexts(pattern: RegExp): readonly { head: string; unit: string; tail: string }[] {
  const tree = parse(pattern);
  const units = new Set<string>();
  const heads = new Set(['']);
  const atoms = new Set<string>();

  function sample(node: AST.Element): string {
    switch (node.type) {
      case 'Group':
      case 'CapturingGroup':
        return sampleOf(node.alternatives[0]?.elements ?? []);
      case 'Quantifier':
        return sample(node.element).repeat(Math.max(1, node.min));
      case 'Character':
      case 'CharacterSet':
      case 'CharacterClass':
        return charactersFor(node).find((char) => isMember(tree, node, char)) ?? '';
      default:
        return '';
    }
  }
  const sampleOf = (elements: readonly AST.Element[]) => elements.map(sample).join('');

  function visit(alternatives: readonly AST.Alternative[], head: string): void {
    for (const { elements } of alternatives) {
      units.add(sampleOf(elements));
      elements.forEach((element, index) => {
        const before = head + sampleOf(elements.slice(0, index));
        heads.add(before);
        const inner = element.type === 'Quantifier' ? element.element : element;
        if (element.type === 'Quantifier') units.add(sampleOf(elements.slice(index)));
        if ('alternatives' in inner) visit(inner.alternatives, before);
        else if (isCharacter(inner))
          for (const char of charactersFor(inner)
            .filter((char) => isMember(tree, inner, char))
            .slice(0, 3))
            atoms.add(char);
      });
    }
  }

  visit(tree.pattern.alternatives, '');
  const few = [...atoms].slice(0, 10);
  for (const atom of atoms) units.add(atom);
  for (const first of few) for (const second of few) units.add(first + second);
  for (const head of heads) units.add(head).add(`${head} `);
  units.delete('');
  const tails = ['', '\u0001', few[0] ?? ''];
  return [...heads]
    .slice(0, 12)
    .flatMap((head) => [...units].flatMap((unit) => tails.map((tail) => ({ head, unit, tail }))));
}

/** Those that appear in what others write, and the pattern's own. */
const charactersFor = (node: AST.Element): readonly string[] =>
  node.type === 'Character' ? [String.fromCodePoint(node.value)] : common;
const common = [...Array.from('a1 \n\t"/\\[]{}<>=:;,.-+?#%_AZzé日😀\r\0\u0080'), '\ud800'];

const isCharacter = (node: AST.Element | AST.QuantifiableElement): boolean =>
  node.type === 'Character' || node.type === 'CharacterSet' || node.type === 'CharacterClass';

const trees = new Map<string, AST.RegExpLiteral>();

function parse(pattern: RegExp): AST.RegExpLiteral {
  let tree = trees.get(String(pattern));
  if (tree === undefined)
    trees.set(String(pattern), (tree = new RegExpParser().parseLiteral(String(pattern))));
  return tree;
}

const members = new WeakMap<AST.Element, (char: string) => boolean>();

/** Asks the platform about one character. */
function isMember({ flags }: AST.RegExpLiteral, node: AST.Element, char: string): boolean {
  let isOne = members.get(node);
  if (isOne === undefined) {
    const one = new RegExp(`^(?:${node.raw})$`, flags.raw.replace(/[gmy]/g, ''));
    const known = new Map<string, boolean>();
    isOne = (each) => {
      const isKnown = known.get(each) ?? one.test(each);
      known.set(each, isKnown);
      return isKnown;
    };
    members.set(node, isOne);
  }
  return isOne(char);
}

function captureOf(tree: AST.RegExpLiteral, group: AST.CapturingGroup): number {
  return group.start - tree.start;
}
