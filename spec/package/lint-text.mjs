// Lints texts as if they were the named files: JSON `[{ file, text }]` in, the messages of each out. Only
// the rules of the house are asked, which need no types.
import { readFileSync } from 'node:fs';
import { ESLint } from 'eslint';

const eslint = new ESLint({
  overrideConfig: {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: false } },
    linterOptions: { reportUnusedDisableDirectives: 'off' },
  },
  ruleFilter: ({ ruleId }) => ruleId.startsWith('no-restricted-'),
});

const results = [];
for (const { file, text } of JSON.parse(readFileSync(0, 'utf8'))) {
  const [{ messages }] = await eslint.lintText(text, { filePath: file });
  results.push(messages.map(({ ruleId, message }) => `${ruleId}: ${message}`));
}
console.log(JSON.stringify(results));
