import { tool } from 'rxjs-chat-completions';
import { type Theme, type ThemeName, themeNames } from '../view/theme';

/** Lets the model change the page's colours, if the user allows it. */
export const changeTheme = (theme: Theme) =>
  tool({
    name: 'change_theme',
    description: "Changes the colours of the user's page.",
    approve: true,
    input: {
      validate: themeOf,
      jsonSchema: {
        type: 'object',
        properties: { theme: { type: 'string', enum: themeNames } },
        required: ['theme'],
        additionalProperties: false,
      },
    },
    execute(name) {
      theme.choose(name);
      return `The theme is now: ${name}.`;
    },
  });

function themeOf(args: unknown): ThemeName {
  const asked = (args as { readonly theme?: unknown } | null)?.theme;
  const theme = themeNames.find((name) => name === asked);
  if (theme === undefined) throw new TypeError(`theme must be one of: ${themeNames.join(', ')}.`);
  return theme;
}
