// The code of the documentation takes a few names for given. What the copy button copies declares them first.
import ts from 'typescript';

const inline = "{ model: 'gpt-4o-mini', provider: builtInProviders.openai }";

/** Each name: what declares it, and what that imports. */
const given = {
  apiKey: { code: "const apiKey = process.env.OPENAI_API_KEY ?? '';" },
  provider: {
    code: 'const provider = builtInProviders.openai; // reads OPENAI_API_KEY',
    imports: ['builtInProviders'],
  },
  options: { code: `const options = ${inline}; // reads OPENAI_API_KEY`, imports: ['builtInProviders'] },
  turn: {
    code: (names) =>
      `const turn = streamChatCompletions('Why is the sky blue?', ${names.has('options') ? 'options' : inline});`,
    imports: (names) => ['streamChatCompletions', ...(names.has('options') ? [] : ['builtInProviders'])],
  },
  button: {
    code: "const button = new EventTarget(); // in a page: document.querySelector('button')\nsetTimeout(() => button.dispatchEvent(new Event('click')), 1_000);",
  },
  show: { code: 'const show = (text: string) => console.log(text);' },
  store: { code: "const store = async (text: string) => console.log('stored:', text);" },
  weather: { code: 'const weather = (json: string) => `In ${JSON.parse(json).city} the sun shines.`;' },
};

/** The given names that code uses where nothing declares them, and all that it imports. */
export function undeclaredIn(code) {
  const file = ts.createSourceFile('block.ts', code, ts.ScriptTarget.Latest, true);
  const uses = [];
  const declarations = [];
  const imported = new Set();
  const visit = (node) => {
    if (ts.isImportSpecifier(node)) imported.add(node.name.text);
    else if (ts.isIdentifier(node) && Object.hasOwn(given, node.text)) {
      if (isDeclaration(node)) declarations.push({ name: node.text, scope: scopeOf(node.parent) });
      else if (!isField(node)) uses.push(node);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  const free = uses.filter(
    ({ text, pos, end }) =>
      !imported.has(text) &&
      !declarations.some(({ name, scope }) => name === text && scope.pos <= pos && end <= scope.end),
  );
  return { names: new Set(free.map(({ text }) => text)), imported };
}

const isDeclaration = (node) =>
  (ts.isVariableDeclaration(node.parent) ||
    ts.isFunctionDeclaration(node.parent) ||
    ts.isParameter(node.parent) ||
    ts.isBindingElement(node.parent)) &&
  node.parent.name === node;

/** The name of a property is no use of what is called so. */
const isField = (node) => {
  const { parent } = node;
  if (ts.isBindingElement(parent)) return parent.propertyName === node;
  return (
    (ts.isPropertyAccessExpression(parent) ||
      ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isPropertyDeclaration(parent) ||
      ts.isMethodDeclaration(parent)) &&
    parent.name === node
  );
};

/** What a declaration can be seen from. */
function scopeOf(declaration) {
  let node = declaration.parent;
  while (!ts.isFunctionLike(node) && !ts.isBlock(node) && !ts.isSourceFile(node)) node = node.parent;
  return node;
}

/** The lines that code needs before it, so that it runs as it stands; '' where it needs none. */
export function setupFor(code) {
  const { names, imported } = undeclaredIn(code);
  if (names.size === 0) return '';
  const needed = Object.keys(given).filter((name) => names.has(name));
  const imports = needed.flatMap((name) => {
    const { imports = [] } = given[name];
    return typeof imports === 'function' ? imports(names) : imports;
  });
  const missing = [...new Set(imports)].filter((name) => !imported.has(name)).toSorted();
  const lines = needed.map((name) => {
    const { code: declaration } = given[name];
    return typeof declaration === 'function' ? declaration(names) : declaration;
  });
  return [
    ...(missing.length > 0 ? [`import { ${missing.join(', ')} } from 'rxjs-chat-completions';`] : []),
    ...lines,
  ].join('\n');
}
