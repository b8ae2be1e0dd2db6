/** What is read of a request. */
export interface AskedBody {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

export type DemoPiece =
  | string
  | { readonly reasoning: string }
  | {
      readonly toolCall: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> };
    };

export function demoAnswer(request: { readonly body: AskedBody }): {
  readonly content?: string | readonly DemoPiece[];
};
export function isNaming(body: AskedBody): boolean;
